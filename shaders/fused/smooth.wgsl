// A convolution and the smooth activation behind it at one position: K ← weight·ΣK + bias, Θ ← weight·ΣΘ + α·ΣK + β, then
// (K_σ, Θ·K̇) by `dual` of the activation's own file. Smooth duals do not lose digits where K comes close to ss', so the
// planes hold K itself.

// v behind the convolution, its root, and s behind the activation, of one image at one position. Of a pixel: its number over √C.
alias Entry = vec4<f32>;

struct Sums {
    cov: f32,
    theta: f32,
}

fn nothing() -> Sums {
    return Sums(0.0, 0.0);
}

fn plus(a: Sums, b: Sums) -> Sums {
    return Sums(a.cov + b.cov, a.theta + b.theta);
}

// `mask` has all bits or none.
fn part(sums: Sums, mask: i32) -> Sums {
    return Sums(
        bitcast<f32>(bitcast<i32>(sums.cov) & mask),
        bitcast<f32>(bitcast<i32>(sums.theta) & mask),
    );
}

// The sums over a plane: of K and of Θ.
fn answer(sums: Sums) -> vec2<f32> {
    return vec2<f32>(sums.cov, sums.theta);
}

fn of_answer(values: vec2<f32>) -> Sums {
    return Sums(values.x, values.y);
}

// One channel's part of K⁰.
fn pixels(f: Entry, g: Entry) -> Sums {
    return Sums(f.x * g.x, 0.0);
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

fn behind(sums: Sums, a: Entry, b: Entry, unit: Unit, level: u32, obtuse: bool) -> Sums {
    let cov = fma(unit.weights.x, sums.cov, unit.weights.y);
    let theta = fma(unit.weights.x, sums.theta, fma(unit.weights.z, sums.cov, unit.weights.w));
    // ss' − K = (v+v')/2 − K − ½(s−s')²: if s and s' are close, the roundings of the roots have no effect.
    let half = max(0.5 * (a.x + b.x) - cov, 0.0);
    let apart = a.y - b.y;
    let defect = max(fma(-0.5 * apart, apart, half), 0.0);
    let x = DualInput(cov, defect, half, Side(a.y, 0.0, a.x, a.z), Side(b.y, 0.0, b.x, b.z));
    let y = dual(x, unit.activation, bitcast<f32>(levels[level].exponent));
    return Sums(y.cov, theta * y.dot);
}
