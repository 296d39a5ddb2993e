// correlate: K⁰ = (1/C) Σ_c f_c f'_c; as a defect u⁰ = ½ss'·(1/C) Σ_c (f_c/s − f'_c/s')², exactly 0 for equal pixels (the
// features are divided by s on the host then). Θ⁰ = 0. One dispatch adds up some of the channels; the first one writes.

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
    var sum = vec2<f32>(0.0);
    for (var start = op.tap_begin.y; start < op.tap_end.y; start += RUN) {
        var run = 0.0;
        let end = min(start + RUN, op.tap_end.y);
        for (var c = start; c < end; c++) {
            let channel = u32(c) * positions;
            let f = maps(p.lane, op.special, channel + first, channel + second);
            let difference = f.x - f.y;
            run += select(f.x * f.y, difference * difference, op.defect != 0u);
        }
        sum = compensated(sum, run);
    }
    var out = op.numbers.x * sum.x;
    if (op.defect != 0u) {
        let s = maps_at(p, op.std_after);
        out *= 0.5 * s.x * s.y;
    }
    store_more(p, out);
    if (op.has_ntk != 0u) {
        store_ntk(p, 0.0);
    }
}
