// Ops at one point U, in registers. Values that are the same at all points of a lane are loaded once. `RotationPoint` in
// rotations.rs makes the calls from the plan, as `load`, `sums` and `value`.

// K and the defect u = √(vv') − K, each without the cancellation of the other, and Θ.
struct Value {
    cov: f32,
    defect: f32,
    ntk: f32,
}

// Numbers of both signals behind an op: s = √v, 1/s (0 where s = 0), v, and a fourth that depends on the op: the loss
// 1 − √(v_o/v) of a truncation, the factor of normalize.
struct Maps {
    first: vec4<f32>,
    second: vec4<f32>,
}

fn maps(lane: u32, op: u32) -> Maps {
    let units = lanes[lane].xy * job.unit_words + 4u * op;
    return Maps(
        vec4<f32>(first_units[units.x], first_units[units.x + 1u], first_units[units.x + 2u], first_units[units.x + 3u]),
        vec4<f32>(
            second_units[units.y], second_units[units.y + 1u], second_units[units.y + 2u], second_units[units.y + 3u],
        ),
    );
}

// The numbers of an op; those of index 0 begin with NaN.
fn numbers(op: u32) -> vec4<f32> {
    let at = job.circle * job.line + 4u * op;
    return vec4<f32>(table[at], table[at + 1u], table[at + 2u], table[at + 3u]);
}

// The first of a field's coefficients, and another.
fn constants(lane: u32, first: u32, second: u32) -> vec2<f32> {
    let base = lane * job.spectrum_words;
    return vec2<f32>(spectrum[base + first], spectrum[base + second]);
}

// A field on the line of α in four parts: even and odd cosines, even and odd sines of γ. At γ, −γ, π − γ and π + γ they are the
// same four sums up to signs.
fn parts_of(field: u32, bandlimit: u32, line: u32, gamma: u32) -> vec4<f32> {
    let at = (field * job.lanes * job.rings * job.circle + line) * job.line;
    let row = gamma * job.line;
    var sums = vec4<f32>(input[at], 0.0, 0.0, 0.0);
    for (var n = 1u; n < bandlimit; n += 2u) {
        let order = 2u * n - 1u;
        sums.y = fma(input[at + order], table[row + order], sums.y);
        sums.w = fma(input[at + order + 1u], table[row + order + 1u], sums.w);
        if (n + 1u < bandlimit) {
            sums.x = fma(input[at + order + 2u], table[row + order + 2u], sums.x);
            sums.z = fma(input[at + order + 3u], table[row + order + 3u], sums.z);
        }
    }
    return sums;
}

// NaN.
var<private> nan: f32;
// Whether the signals are far apart. Then K of an odd function is smaller than the defect, and a truncation keeps −K.
var<private> far: bool;
// Whether the value is an odd function of cos θ.
var<private> keeps_cov: bool;

fn begin(lane: u32, nearness: u32, odd: bool) {
    nan = numbers(0u).x;
    far = constants(lane, nearness, nearness).x < 0.5;
    keeps_cov = odd && far;
}

fn bound(m: Maps) -> f32 {
    return m.first.x * m.second.x;
}

// The cross-correlation of two signals; `means` are those of cos θ and of 1 − cos θ.
fn lifted(rest: f32, means: vec2<f32>, m: Maps) -> Value {
    let scale = bound(m);
    return Value(
        scale * clamp(means.x + rest, -1.0, 1.0),
        scale * clamp(means.y - rest, 0.0, 2.0),
        0.0,
    );
}

// The low degrees of an op's values; `mean` is the mean of what was kept, `rest` the other degrees, `ntk` all of Θ.
fn truncated(rest: f32, mean: f32, ntk: f32, odd: bool, before: Maps, m: Maps) -> Value {
    let wide = bound(before);
    let narrow = bound(m);
    let lost = m.first.w + m.second.w - m.first.w * m.second.w;
    let cov = select(wide - mean, -mean, odd && far) - rest;
    let defect = select(mean - wide * lost, narrow + mean, odd && far) + rest;
    return Value(clamp(cov, -narrow, narrow), clamp(defect, 0.0, 2.0 * narrow), ntk);
}

// K ↦ w²K + b², Θ ↦ w²Θ + αK + β, p = (w², b², α, β).
fn affine(x: Value, before: Maps, after: Maps, p: vec4<f32>) -> Value {
    let scaled = before.first.x * after.first.y - before.second.x * after.second.y;
    let shifted = after.first.y - after.second.y;
    let apart = 0.5 * bound(after) * (p.x * scaled * scaled + p.y * shifted * shifted);
    let defect = p.x * x.defect + select(0.0, apart, p.y != 0.0);
    return Value(p.x * x.cov + p.y, defect, p.x * x.ntk + p.z * x.cov + p.w);
}

fn normalize_by(x: Value, after: Maps) -> Value {
    let factor = after.first.w * after.second.w;
    return Value(factor * x.cov, factor * x.defect, factor * x.ntk);
}

fn dropout(x: Value, before: Maps, after: Maps) -> Value {
    return Value(x.cov, x.defect + (bound(after) - bound(before)), x.ntk);
}

// One branch of a sum.
fn branch(x: Value, before: Maps, after: Maps) -> Value {
    let difference = before.first.x * after.first.y - before.second.x * after.second.y;
    return Value(x.cov, x.defect + 0.5 * bound(after) * difference * difference, x.ntk);
}

fn add(a: Value, b: Value) -> Value {
    return Value(a.cov + b.cov, a.defect + b.defect, a.ntk + b.ntk);
}

fn dual_input(x: Value, before: Maps, after: Maps) -> DualInput {
    return DualInput(
        x.cov,
        x.defect,
        half_distance(x.defect, vec2<f32>(before.first.x, before.second.x)),
        Side(before.first.x, before.first.y, before.first.z, after.first.x),
        Side(before.second.x, before.second.y, before.second.z, after.second.x),
    );
}

fn behind(x: Value, y: DualValue) -> Value {
    return Value(y.cov, y.defect, x.ntk * y.dot);
}

// The signs of the four parts of a line at the point i of four.
fn turn(i: u32) -> vec4<f32> {
    let odd_cosine = select(1.0, -1.0, i >= 2u);
    let even_sine = select(1.0, -1.0, i == 1u || i == 2u);
    return vec4<f32>(1.0, odd_cosine, even_sine, odd_cosine * even_sine);
}
