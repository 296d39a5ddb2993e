// normalize: K, u and Θ times n(t)·n'(t'), n = 1/√(v + ε).

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
    let n = maps_at(p, op.special);
    store(p, input_at(p) * n.x * n.y);
    if (op.has_ntk != 0u) {
        store_ntk(p, input_ntk(p) * n.x * n.y);
    }
}
