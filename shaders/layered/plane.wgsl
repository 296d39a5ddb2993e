// The planes of a chunk as a tensor [lane][row offset][column offset][position]: K or the defect u = ss' − K of every
// element, then Θ of every element where it is asked for. A lane is a pair of copies of images; the plane at offset d holds
// K(t, t + d), at the position t of the first image.

const WORKGROUP: u32 = 64u;

// Taps that are added up before the sum is compensated.
const RUN: i32 = 16;

// One op of a plan on one chunk. Maps are word offsets within a copy.
struct Op {
    lanes: u32,
    rows: u32,
    cols: u32,
    copy_words: u32,
    extent: vec2<i32>,
    input_extent: vec2<i32>,
    step: vec2<i32>,
    cyclic: u32,
    has_ntk: u32,
    // Whether the output and the input are carried as defects.
    defect: u32,
    input_defect: u32,
    // Whether a dropout precedes: behind it equal images are different draws.
    dropped: u32,
    accumulate: u32,
    std_before: u32,
    inverse_before: u32,
    variance_before: u32,
    std_after: u32,
    inverse_after: u32,
    // correlate: features; normalize: the factor; pooled: m and α.
    special: u32,
    second_special: u32,
    channels: u32,
    window: vec2<i32>,
    stride: vec2<i32>,
    low: vec2<i32>,
    circular: u32,
    pooled: u32,
    numbers: vec4<f32>,
    nan: f32,
    // 0; compilers cannot know that it is.
    zero: u32,
    // The first workgroup of this dispatch: an op on a chunk may be several.
    start: u32,
    output_cyclic: u32,
    // local_pool: the block of fine planes.
    fine: vec2<u32>,
    fine_low: vec2<i32>,
    fine_span: vec2<u32>,
    fine_cyclic: u32,
    planes: u32,
    // plane_sum: where this chunk's planes lie among all of them.
    base: vec2<u32>,
    all_cols: u32,
    spare: u32,
    // The part of each element's sum that this dispatch adds: positions a of the window (correlate: channels, as columns) and,
    // for a local pool, fine planes from one offset up to another.
    tap_begin: vec2<i32>,
    tap_end: vec2<i32>,
    fine_begin: vec2<i32>,
    fine_end: vec2<i32>,
}

@group(0) @binding(0) var<storage, read> lanes: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> first_maps: array<f32>;
@group(0) @binding(2) var<storage, read> second_maps: array<f32>;
@group(0) @binding(3) var<storage, read> offsets: array<i32>;
@group(1) @binding(0) var<uniform> op: Op;
@group(1) @binding(1) var<storage, read> input: array<f32>;
@group(1) @binding(2) var<storage, read_write> output: array<f32>;

struct Place {
    // Whether the element belongs to the chunk and lies on the plane.
    exists: bool,
    index: u32,
    lane: u32,
    // The plane's index over all lanes.
    plane: u32,
    first: vec2<i32>,
    second: vec2<i32>,
    // Whether d = 0.
    equal: bool,
}

fn euclid(a: vec2<i32>, n: vec2<i32>) -> vec2<i32> {
    return ((a % n) + n) % n;
}

// The invocation's number, over workgroups in two dimensions.
fn invocation(workgroup: vec3<u32>, count: vec3<u32>, local: u32) -> u32 {
    return (op.start + workgroup.y * count.x + workgroup.x) * WORKGROUP + local;
}

fn elements() -> u32 {
    return op.lanes * op.rows * op.cols * u32(op.extent.x * op.extent.y);
}

fn input_elements() -> u32 {
    return op.lanes * op.rows * op.cols * u32(op.input_extent.x * op.input_extent.y);
}

// The sink's offset D of a plane.
fn sink_offset(plane: u32) -> vec2<i32> {
    let of_lane = plane % (op.rows * op.cols);
    return vec2<i32>(offsets[of_lane / op.cols], offsets[op.rows + of_lane % op.cols]);
}

fn place(index: u32) -> Place {
    var p: Place;
    if (index >= elements()) {
        p.exists = false;
        return p;
    }
    let positions = u32(op.extent.x * op.extent.y);
    let width = u32(op.extent.y);
    let at = index % positions;
    p.index = index;
    p.plane = index / positions;
    p.lane = p.plane / (op.rows * op.cols);
    p.first = vec2<i32>(i32(at / width), i32(at % width));
    var d = sink_offset(p.plane) * op.step;
    if (op.cyclic != 0u) {
        d = euclid(d, op.extent);
        p.second = (p.first + d) % op.extent;
        p.exists = true;
    } else {
        p.second = p.first + d;
        p.exists = all(p.second >= vec2<i32>(0)) && all(p.second < op.extent);
    }
    p.equal = all(d == vec2<i32>(0));
    return p;
}

fn position(at: vec2<i32>, extent: vec2<i32>) -> u32 {
    return u32(at.x * extent.y + at.y);
}

// A map of the first and of the second copy, at positions t and t' of an extent.
fn maps(lane: u32, map: u32, first: u32, second: u32) -> vec2<f32> {
    let copies = lanes[lane].xy * op.copy_words + map;
    return vec2<f32>(first_maps[copies.x + first], second_maps[copies.y + second]);
}

fn maps_at(p: Place, map: u32) -> vec2<f32> {
    return maps(p.lane, map, position(p.first, op.extent), position(p.second, op.extent));
}

// The input at the same position, in the form of the output: a linear op that carries K may read one that carries u.
fn input_at(p: Place) -> f32 {
    let x = input[p.index];
    if (op.input_defect != 0u && op.defect == 0u) {
        let s = maps_at(p, op.std_before);
        return s.x * s.y - x;
    }
    return x;
}

fn input_ntk(p: Place) -> f32 {
    return input[p.index + input_elements()];
}

// Writes K or u; at equal positions of equal images u = 0 exactly, without rounding.
fn store(p: Place, value: f32) {
    let twins = (lanes[p.lane].z & 1u) != 0u;
    let same = (lanes[p.lane].z & 2u) != 0u;
    let closed = op.defect != 0u && p.equal && twins && (op.dropped == 0u || same);
    output[p.index] = select(value, 0.0, closed);
}

fn store_ntk(p: Place, value: f32) {
    output[p.index + elements()] = value;
}

// Adds to a sum (x: the sum, y: its rounding error so far), so that the error does not grow with the length of the sum.
// Compilers would replace (a + b) - a by b; they cannot simplify the exclusive or.
fn compensated(sum: vec2<f32>, x: f32) -> vec2<f32> {
    let more = x - sum.y;
    let total = opaque(sum.x + more);
    return vec2<f32>(total, opaque(total - sum.x) - more);
}

fn opaque(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ op.zero);
}

// Adds to what an earlier dispatch has stored, if there was one.
fn store_more(p: Place, value: f32) {
    store(p, value + select(0.0, output[p.index], op.accumulate != 0u));
}

fn store_more_ntk(p: Place, value: f32) {
    store_ntk(p, value + select(0.0, output[p.index + elements()], op.accumulate != 0u));
}
