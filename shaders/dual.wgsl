// Arguments and results of the dual of an activation: for (x, x') ~ N(0, [[v, K], [K, v']]), K_σ = E[σ(x)σ(x')] and
// K̇ = E[σ'(x)σ'(x')]. Each file of dual/ defines `dual` for one family of activations.

// One image at one position: s = √v, 1/s (0 where s = 0) and v before the activation, s behind it.
struct Side {
    s: f32,
    inverse: f32,
    variance: f32,
    std_out: f32,
}

// K, the defect u = ss' − K and ½E(x − x')² = (v + v')/2 − K.
struct DualInput {
    cov: f32,
    defect: f32,
    half: f32,
    first: Side,
    second: Side,
}

// K_σ, the defect s_o s'_o − K_σ and K̇.
struct DualValue {
    cov: f32,
    defect: f32,
    dot: f32,
}

// (v + v')/2 − K from the defect and both s, of terms that are not negative.
fn half_distance(defect: f32, s: vec2<f32>) -> f32 {
    let difference = s.x - s.y;
    return defect + 0.5 * difference * difference;
}

// vv' − K², likewise.
fn determinant(x: DualInput) -> f32 {
    return x.defect * max(x.first.s * x.second.s + x.cov, 0.0);
}

// A relative defect 1 − cos θ of this much or more is 2 up to rounding. Exactly opposite values are common (a bright and a dark
// surface in data of mean 0), and their angle would otherwise be off by 8e-4.
const OPPOSITE: f32 = 1.9999996;

// s_o s'_o − K_σ from ½E(σ(x) − σ(x'))².
fn defect_of(half: f32, x: DualInput) -> f32 {
    let difference = x.first.std_out - x.second.std_out;
    return max(half - 0.5 * difference * difference, 0.0);
}
