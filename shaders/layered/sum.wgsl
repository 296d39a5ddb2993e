// sum of independent branches: ΣK_i, ΣΘ_i. As a defect Σu_i + ½s_o s'_o·Σ_i (s_i/s_o − s'_i/s'_o)². One dispatch adds one
// branch; the first one writes.

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
    let adds = op.accumulate != 0u;
    var value = input_at(p) + select(0.0, output[p.index], adds);
    if (op.defect != 0u) {
        let s = maps_at(p, op.std_before);
        let r = maps_at(p, op.inverse_after);
        let so = maps_at(p, op.std_after);
        let difference = s.x * r.x - s.y * r.y;
        value += 0.5 * so.x * so.y * difference * difference;
    }
    store(p, value);
    if (op.has_ntk != 0u) {
        store_ntk(p, input_ntk(p) + select(0.0, output[p.index + elements()], adds));
    }
}
