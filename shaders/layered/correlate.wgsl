// correlate: K⁰ = (1/C) Σ_c f_c f'_c; as a defect u⁰ = ½ss'·(1/C) Σ_c (f_c/s − f'_c/s')², exactly 0 for equal pixels (the
// features are divided by s on the host then). Θ⁰ = 0.

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
    let positions = u32(op.extent.x * op.extent.y);
    let first = position(p.first, op.extent);
    let second = position(p.second, op.extent);
    var sum = 0.0;
    for (var c = 0u; c < op.channels; c++) {
        let f = maps(p.lane, op.special, c * positions + first, c * positions + second);
        let difference = f.x - f.y;
        sum += select(f.x * f.y, difference * difference, op.defect != 0u);
    }
    sum *= op.numbers.x;
    if (op.defect != 0u) {
        let s = maps_at(p, op.std_after);
        sum *= 0.5 * s.x * s.y;
    }
    store(p, sum);
    if (op.has_ntk != 0u) {
        store_ntk(p, 0.0);
    }
}
