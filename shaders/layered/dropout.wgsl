// dropout with keep rate ρ: variances /ρ (so u ↦ u + ss'(1/ρ − 1)), K and Θ unchanged, except that a sample with itself at
// equal positions has K, u and Θ all /ρ. numbers.x = 1/ρ − 1.

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let p = place(invocation(workgroup, count, local));
    if (!p.exists) {
        return;
    }
    let extra = op.numbers.x;
    let same = p.equal && (lanes[p.lane].z & 2u) != 0u;
    let x = input_at(p);
    if (op.defect != 0u) {
        let s = maps_at(p, op.std_before);
        store(p, x + extra * select(s.x * s.y, x, same));
    } else {
        store(p, x + select(0.0, extra * x, same));
    }
    if (op.has_ntk != 0u) {
        let theta = input_ntk(p);
        store_ntk(p, theta + select(0.0, extra * theta, same));
    }
}
