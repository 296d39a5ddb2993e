// A convolution and the smooth activation behind it at one position: K ← weight·ΣK + bias, Θ ← weight·ΣΘ + α·ΣK + β, then
// (K_σ, Θ·K̇) by `dual` of the activation's own file. Smooth duals do not lose digits where K comes close to ss', so the
// planes hold K itself.

struct Sums {
    cov: f32,
    theta: f32,
}

var<workgroup> cell_cov: array<f32, CELLS>;
var<workgroup> cell_theta: array<f32, NTK_CELLS>;

fn nothing() -> Sums {
    return Sums(0.0, 0.0);
}

fn cell(at: u32) -> Sums {
    var theta = 0.0;
    if (NTK) {
        theta = cell_theta[at];
    }
    return Sums(cell_cov[at], theta);
}

fn store(at: u32, sums: Sums) {
    cell_cov[at] = sums.cov;
    if (NTK) {
        cell_theta[at] = sums.theta;
    }
}

fn plus(a: Sums, b: Sums) -> Sums {
    return Sums(a.cov + b.cov, a.theta + b.theta);
}

// The sums over a plane: of K and of Θ.
fn answer(sums: Sums) -> vec2<f32> {
    return vec2<f32>(sums.cov, sums.theta);
}

fn of_answer(values: vec2<f32>) -> Sums {
    return Sums(values.x, values.y);
}

// One channel's part of K⁰: pixels are float32 numbers, divided by √C.
fn pixels(f: vec2<i32>, g: vec2<i32>) -> Sums {
    return Sums(bitcast<f32>(f.x) * bitcast<f32>(g.x), 0.0);
}

// The unit of K is 1.
fn exponent(lane: vec4<u32>, level: u32) -> i32 {
    return 0;
}

// A level's numbers: (weight, bias, α, β), then those of the activation.
struct Unit {
    weights: vec4<f32>,
    activation: vec4<f32>,
}

fn unit_of(lane: vec4<u32>, level: u32) -> Unit {
    return Unit(levels[level].numbers, levels[level].more);
}

// `a` and `b` are, of both images, v behind the convolution and s behind the activation.
fn behind(sums: Sums, a: vec2<i32>, b: vec2<i32>, unit: Unit, level: u32, obtuse: bool) -> Sums {
    let one = bitcast<vec2<f32>>(a);
    let two = bitcast<vec2<f32>>(b);
    let s = sqrt(vec2<f32>(one.x, two.x));
    let bound = s.x * s.y;
    let cov = clamp(unit.weights.x * sums.cov + unit.weights.y, -bound, bound);
    let theta = unit.weights.x * sums.theta + unit.weights.z * sums.cov + unit.weights.w;
    // ss' − K = (v+v')/2 − K − ½(s−s')²: if s and s' are close, the roundings of the roots have no effect.
    let apart = s.x - s.y;
    let defect = max(0.5 * (one.x + two.x) - cov - 0.5 * apart * apart, 0.0);
    let x = DualInput(cov, defect, Side(s.x, 0.0, one.x, one.y), Side(s.y, 0.0, two.x, two.y));
    let y = dual(x, unit.activation, bitcast<f32>(levels[level].exponent));
    return Sums(y.cov, theta * y.dot);
}
