// dual: K ↦ K_σ, Θ ↦ Θ·K̇, by the function `dual` of the activation's own file.

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
    let s = maps_at(p, op.std_before);
    let r = maps_at(p, op.inverse_before);
    let v = maps_at(p, op.variance_before);
    let so = maps_at(p, op.std_after);
    let value = input[p.index];
    let other = s.x * s.y - value;
    var x: DualInput;
    x.cov = select(value, other, op.input_defect != 0u);
    x.defect = select(max(other, 0.0), value, op.input_defect != 0u);
    x.half = half_distance(x.defect, s);
    x.first = Side(s.x, r.x, v.x, so.x);
    x.second = Side(s.y, r.y, v.y, so.y);
    let y = dual(x, op.numbers, op.nan);
    store(p, select(y.cov, y.defect, op.defect != 0u));
    if (op.has_ntk != 0u) {
        store_ntk(p, input_ntk(p) * y.dot);
    }
}
