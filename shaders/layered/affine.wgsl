// affine: K ↦ w²K + b², Θ ↦ w²Θ + αK + β. As a defect
// u_o = w²u + ½s_o s'_o·[(w s/s_o − w s'/s'_o)² + b²(1/s_o − 1/s'_o)²]; without a bias just w²u.
// numbers = (w², b², α, β).

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
    let x = input_at(p);
    let w2 = op.numbers.x;
    let b2 = op.numbers.y;
    let s = maps_at(p, op.std_before);
    var cov = x;
    var out = w2 * x;
    if (op.defect != 0u) {
        cov = s.x * s.y - x;
        if (b2 != 0.0) {
            let so = maps_at(p, op.std_after);
            let r = maps_at(p, op.inverse_after);
            let scaled = s.x * r.x - s.y * r.y;
            let shifted = r.x - r.y;
            out += 0.5 * so.x * so.y * (w2 * scaled * scaled + b2 * shifted * shifted);
        }
    } else {
        out += b2;
    }
    store(p, out);
    if (op.has_ntk != 0u) {
        store_ntk(p, w2 * input_ntk(p) + op.numbers.z * cov + op.numbers.w);
    }
}
