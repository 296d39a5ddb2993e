// box_mean: (AK)(T, T') = (1/q₁q₂) Σ_a K(sT − low + a, sT' − low + a). As a defect
// u_o = Au + ½s_o s'_o·(1/q₁q₂) Σ_a (s_a/s_o − s'_a/s'_o)², with s = u = 0 outside the image. One dispatch adds up
// a part of the window; the first one writes.

fn inside(at: vec2<i32>) -> bool {
    return all(at >= vec2<i32>(0)) && all(at < op.input_extent);
}

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
    let positions = u32(op.input_extent.x * op.input_extent.y);
    let base = p.plane * positions;
    let ntk = input_elements();
    let r = maps_at(p, op.inverse_after);
    var sum = vec2<f32>(0.0);
    var theta = vec2<f32>(0.0);
    var spread = vec2<f32>(0.0);
    for (var a = op.tap_begin.x; a < op.tap_end.x; a++) {
        for (var start = op.tap_begin.y; start < op.tap_end.y; start += RUN) {
            var run = 0.0;
            var run_theta = 0.0;
            var run_spread = 0.0;
            let end = min(start + RUN, op.tap_end.y);
            for (var b = start; b < end; b++) {
                var one = p.first * op.stride - op.low + vec2<i32>(a, b);
                var two = p.second * op.stride - op.low + vec2<i32>(a, b);
                if (op.circular != 0u) {
                    one = euclid(one, op.input_extent);
                    two = euclid(two, op.input_extent);
                }
                let has = vec2<bool>(inside(one), inside(two));
                let first = select(0u, position(one, op.input_extent), has.x);
                let second = select(0u, position(two, op.input_extent), has.y);
                if (op.input_defect != 0u) {
                    let s = select(vec2<f32>(0.0), maps(p.lane, op.std_before, first, second), has);
                    if (op.defect != 0u) {
                        let difference = s.x * r.x - s.y * r.y;
                        run_spread += difference * difference;
                        run += select(0.0, input[base + first], all(has));
                    } else {
                        run += select(0.0, s.x * s.y - input[base + first], all(has));
                    }
                } else {
                    run += select(0.0, input[base + first], all(has));
                }
                if (op.has_ntk != 0u) {
                    run_theta += select(0.0, input[ntk + base + first], all(has));
                }
            }
            sum = compensated(sum, run);
            theta = compensated(theta, run_theta);
            spread = compensated(spread, run_spread);
        }
    }
    var out = sum.x;
    if (op.defect != 0u) {
        let s = maps_at(p, op.std_after);
        out += 0.5 * s.x * s.y * spread.x;
    }
    store_more(p, op.numbers.x * out);
    if (op.has_ntk != 0u) {
        store_more_ntk(p, op.numbers.x * theta.x);
    }
}
