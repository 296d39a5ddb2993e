// local_pool: P'_D(T) = (1/|w|²) Σ_{a,a'} K(sT − low + a, s(T + D) − low + a'). A tap lies on the fine plane sD + a' − a (on
// t' − t where fine offsets do not wrap). One dispatch adds the taps on one block of fine planes, for the pairs (a, a') of
// rows numbered `begin` to `end`. rewrap is the same with a window of one position.

// The fine planes: rows, columns, then for each axis where an offset stands among them, −1 if nowhere.
@group(1) @binding(3) var<storage, read> fine_offsets: array<i32>;

fn fine_index(axis: u32, d: i32) -> i32 {
    let at = d - op.fine_low[axis];
    if (at < 0 || at >= i32(op.fine_span[axis])) {
        return -1;
    }
    let table = op.fine.x + op.fine.y + select(0u, op.fine_span.x, axis == 1u);
    return fine_offsets[table + u32(at)];
}

// The place of a tap on one axis: the position in the first image and the fine plane; −1 outside.
fn tap(axis: u32, first: i32, second: i32, offset: i32, a: i32, b: i32) -> vec2<i32> {
    let n = op.input_extent[axis];
    var one = first * op.stride[axis] - op.low[axis] + a;
    let two = second * op.stride[axis] - op.low[axis] + b;
    if (op.circular != 0u) {
        one = ((one % n) + n) % n;
    } else if (one < 0 || one >= n || two < 0 || two >= n) {
        return vec2<i32>(-1);
    }
    let d = select(two - one, offset * op.stride[axis] + b - a, op.fine_cyclic != 0u);
    return vec2<i32>(one, fine_index(axis, d));
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    var p = place(invocation(workgroup, count, local));
    if (!p.exists) {
        return;
    }
    var offset = sink_offset(p.plane) * op.step;
    if (op.output_cyclic != 0u) {
        offset = euclid(offset, op.extent);
    }
    let positions = u32(op.input_extent.x * op.input_extent.y);
    let fine_elements = op.lanes * op.fine.x * op.fine.y * positions;
    let columns = op.window.y * op.window.y;
    var sum = 0.0;
    var theta = 0.0;
    for (var pair = i32(op.begin); pair < i32(op.end); pair++) {
        let row = tap(0u, p.first.x, p.second.x, offset.x, pair / op.window.x, pair % op.window.x);
        if (row.y < 0) {
            continue;
        }
        for (var other = 0; other < columns; other++) {
            let col = tap(1u, p.first.y, p.second.y, offset.y, other / op.window.y, other % op.window.y);
            if (col.y < 0) {
                continue;
            }
            let plane = (p.lane * op.fine.x + u32(row.y)) * op.fine.y + u32(col.y);
            let at = plane * positions + u32(row.x * op.input_extent.y + col.x);
            sum += input[at];
            if (op.has_ntk != 0u) {
                theta += input[at + fine_elements];
            }
        }
    }
    output[p.index] += op.numbers.x * sum;
    if (op.has_ntk != 0u) {
        output[p.index + elements()] += op.numbers.x * theta;
    }
}
