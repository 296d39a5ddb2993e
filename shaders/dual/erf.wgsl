// a·erf(bx) + c, p = (a, b, c): with w = 2b²v and κ = 2b²K, K_σ = a²(2/π)·φ + c², φ = atan2(κ, √((1+w)(1+w') − κ²)),
// K̇ = a²b²(4/π)/√((1+w)(1+w') − κ²). ½E(σ−σ')² = a²(2/π)·(mean of the two diagonal φ − φ).

fn dual(x: DualInput, p: vec4<f32>, nan: f32) -> DualValue {
    let twice = 2.0 * p.y * p.y;
    let w = twice * vec2<f32>(x.first.variance, x.second.variance);
    let kappa = twice * x.cov;
    let more = twice * twice * determinant(x);
    let square = 1.0 + w.x + w.y + more;
    let inverse = inverseSqrt(square);
    let rest = square * inverse;
    let a2 = p.x * p.x * 0.63661977;
    let cov = a2 * right_angle(kappa, rest, sqrt((1.0 + w.x) * (1.0 + w.y))) + p.z * p.z;
    let half = a2 * arc_sine_gap(w, kappa, more, rest);
    return DualValue(cov, defect_of(half, x), a2 * twice * inverse);
}
