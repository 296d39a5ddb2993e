// local_pool: Σ_{a,a'} K(sT − low + a, s(T + D) − low + a'), which `pooled` makes the mean of. A tap lies on the fine plane
// sD + e, e = a' − a (on t' − t + e where fine offsets do not wrap). One dispatch adds the taps on one block of fine planes, or
// some of them; their order is that of (e, a) for every division into blocks. rewrap is the same with a window of one position.
//
// Sums are compensated: the output holds ΣK and ΣΘ of every element and, behind them, the rounding error of each.

// The fine planes: rows, columns, then for each axis the index of every offset among them, −1 if it is not there.
@group(1) @binding(3) var<storage, read> fine_offsets: array<i32>;

fn fine_index(axis: u32, d: i32) -> i32 {
    let at = d - op.fine_low[axis];
    let table = op.fine.x + op.fine.y + select(0u, op.fine_span.x, axis == 1u);
    return fine_offsets[table + u32(at)];
}

// The taps a, from one to before another, that lie on the planes sD + e of one axis.
fn taps(axis: u32, first: i32, second: i32, e: i32) -> vec2<i32> {
    var begin = max(op.tap_begin[axis], -e);
    var end = min(op.tap_end[axis], op.window[axis] - e);
    if (op.circular == 0u) {
        let one = first * op.stride[axis] - op.low[axis];
        let two = second * op.stride[axis] - op.low[axis] + e;
        let n = op.input_extent[axis];
        begin = max(begin, max(-one, -two));
        end = min(end, min(n - one, n - two));
    }
    return vec2<i32>(begin, end);
}

// The position in the first image of a tap on one axis.
fn input_position(axis: u32, first: i32, a: i32) -> u32 {
    let at = first * op.stride[axis] - op.low[axis] + a;
    let n = op.input_extent[axis];
    return u32(select(at, ((at % n) + n) % n, op.circular != 0u));
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
    var offset = sink_offset(p.plane) * op.step;
    if (op.output_cyclic != 0u) {
        offset = euclid(offset, op.extent);
    }
    // The fine plane of e = 0, and the planes that the window reaches.
    let middle = select(p.second - p.first, offset, op.fine_cyclic != 0u) * op.stride;
    let begin = max(middle - op.window + 1, op.fine_begin);
    let end = min(middle + op.window, op.fine_end);
    if (any(begin >= end)) {
        return;
    }
    let positions = u32(op.input_extent.x * op.input_extent.y);
    let fine_elements = op.lanes * op.fine.x * op.fine.y * positions;
    let kinds = 1u + op.has_ntk;
    let lost = p.index + kinds * elements();
    var sum = vec2<f32>(output[p.index], output[lost]);
    var theta = vec2<f32>(0.0);
    if (op.has_ntk != 0u) {
        theta = vec2<f32>(output[p.index + elements()], output[lost + elements()]);
    }
    for (var x = begin.x; x < end.x; x++) {
        let row = fine_index(0u, x);
        if (row < 0) {
            continue;
        }
        let rows = taps(0u, p.first.x, p.second.x, x - middle.x);
        for (var y = begin.y; y < end.y; y++) {
            let col = fine_index(1u, y);
            if (col < 0) {
                continue;
            }
            let cols = taps(1u, p.first.y, p.second.y, y - middle.y);
            let plane = (p.lane * op.fine.x + u32(row)) * op.fine.y + u32(col);
            for (var a = rows.x; a < rows.y; a++) {
                let start = plane * positions + input_position(0u, p.first.x, a) * u32(op.input_extent.y);
                for (var b = cols.x; b < cols.y; b++) {
                    let at = start + input_position(1u, p.first.y, b);
                    sum = compensated(sum, input[at]);
                    if (op.has_ntk != 0u) {
                        theta = compensated(theta, input[at + fine_elements]);
                    }
                }
            }
        }
    }
    output[p.index] = sum.x;
    output[lost] = sum.y;
    if (op.has_ntk != 0u) {
        output[p.index + elements()] = theta.x;
        output[lost + elements()] = theta.y;
    }
}
