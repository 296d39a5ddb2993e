// Kernels k(U) on SO(3) of a chunk of pairs of signals, ring by ring of the grid U = (α, β_j, γ). A lane is a pair of signals.
//
// A field is held by its coefficients in the real basis (crates/ekernel-harmonic), f(U) = Σ c^l_mn B^l_mn(U) with
// B = Σ e(β)·{cos, sin}(mα)·{cos, sin}(nγ). Orders along a circle are 1, cos, sin, cos 2, sin 2, …; a ring has the same number of
// points in α and in γ.

const WORKGROUP: u32 = 64u;
// Circles are added up in runs, so that rounding errors do not add up along them.
const RUN: u32 = 8u;

struct Job {
    lanes: u32,
    unit_words: u32,
    channels: u32,
    // The bandlimit of this field.
    bandlimit: u32,
    // The rings of this block and the first of them, in the grid and in the table of Wigner functions.
    rings: u32,
    first_ring: u32,
    table_ring: u32,
    // Points of a circle.
    circle: u32,
    // Numbers of a line of any field.
    line: u32,
    // Words of a lane's coefficients, and where the field's begin.
    spectrum_words: u32,
    spectrum_at: u32,
    // Degrees below are left out.
    first_degree: u32,
    // contract: where the signals of this lift lie in a unit; lines: the number of the field.
    at: u32,
    // Fields side by side: K, and Θ where it is asked for.
    tracks: u32,
    // point: workgroups of a ring, and points (times four) of each.
    parts: u32,
    part_items: u32,
    // mean: rings of the whole grid.
    all_rings: u32,
    // contract: the channels of this dispatch.
    first_channel: u32,
    end_channel: u32,
    // The first workgroup of this dispatch.
    start: u32,
}

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read> lanes: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> first_units: array<f32>;
@group(0) @binding(3) var<storage, read> second_units: array<f32>;
// Wigner functions, or cosines and sines and the numbers of the ops.
@group(0) @binding(4) var<storage, read> table: array<f32>;
@group(0) @binding(5) var<storage, read> input: array<f32>;
@group(0) @binding(6) var<storage, read> spectrum: array<f32>;
@group(0) @binding(7) var<storage, read_write> output: array<f32>;

// The workgroup's number, over all dispatches of a shader on these rings.
fn workgroup_number(workgroup: vec3<u32>, count: vec3<u32>) -> u32 {
    return job.start + workgroup.y * count.x + workgroup.x;
}

// The invocation's number, over the same dispatches.
fn invocation(workgroup: vec3<u32>, count: vec3<u32>, local: u32) -> u32 {
    return workgroup_number(workgroup, count) * WORKGROUP + local;
}

// Coefficients below degree l.
fn rotation_len(l: u32) -> u32 {
    return l * (4u * l * l - 1u) / 3u;
}

// Where c^l_mn lies.
fn rotation_index(l: u32, m: i32, n: i32) -> u32 {
    return rotation_len(l) + u32(i32(l) + m) * (2u * l + 1u) + u32(i32(l) + n);
}

struct Place {
    l: u32,
    m: i32,
    n: i32,
}

// The coefficient at a place, for l ≥ 1.
fn place(index: u32) -> Place {
    var l = 1u;
    while (rotation_len(l + 1u) <= index) {
        l++;
    }
    let within = index - rotation_len(l);
    let width = 2u * l + 1u;
    return Place(l, i32(within / width) - i32(l), i32(within % width) - i32(l));
}

// d^l_mn ± (−1)^n d^l_m,−n of a ring of the block, m, n ≥ 0; where m or n is 0, √2 d^l_mn (d^l_00) and 0.
fn wigner(ring: u32, l: u32, m: u32, n: u32) -> vec2<f32> {
    let at = (job.table_ring + ring) * table_words() + 2u * (l * (l + 1u) * (2u * l + 1u) / 6u + m * (l + 1u) + n);
    return vec2<f32>(table[at], table[at + 1u]);
}

// Numbers of a ring: the Wigner functions, and the weight of a point in a mean over the group.
fn table_words() -> u32 {
    let l = job.bandlimit;
    return l * (l + 1u) * (2u * l + 1u) / 3u + 1u;
}
