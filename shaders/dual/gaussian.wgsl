// a·exp(bx²), p = (a, b): D² = (1−2bv)(1−2bv') − 4b²K² = Σ + E with Σ = 1 − 2b(v+v') and E = 4b²(vv' − K²);
// K_σ = a²/D, K̇ = 4a²b²K/D³. Where the expectation does not exist (1 ≤ 2bv, or D² ≤ 0) all are `nan`.
// With G² = 1 − 4bv, ½E(σ−σ')² = a²·[½(1/G + 1/G' − 2/√Σ) + (1/√Σ − 1/√(Σ+E))], each bracket one square.

fn dual(x: DualInput, p: vec4<f32>, nan: f32) -> DualValue {
    let b = p.y;
    let v = vec2<f32>(x.first.variance, x.second.variance);
    let mean = 1.0 - 2.0 * b * (v.x + v.y);
    let more = 4.0 * b * b * determinant(x);
    let d2 = mean + more;
    if (!(d2 > 0.0 && 2.0 * b * v.x < 1.0 && 2.0 * b * v.y < 1.0)) {
        return DualValue(nan, nan, nan);
    }
    let inverse = inverseSqrt(d2);
    let d = d2 * inverse;
    let a2 = p.x * p.x;
    let cov = a2 * inverse;
    let dot = 4.0 * b * b * x.cov * inverse * inverse * cov;
    if (!(4.0 * b * v.x < 1.0 && 4.0 * b * v.y < 1.0)) {
        return DualValue(cov, nan, dot);
    }
    let g = sqrt(1.0 - 4.0 * b * v);
    let sum = g.x + g.y;
    let root = sqrt(mean);
    let difference = 4.0 * b * (v.x - v.y) / sum;
    let square = 0.5 * difference * difference;
    let spread = square * (1.0 + sum / (sum + 2.0 * root)) / (g.x * g.y * root);
    let half = a2 * (0.5 * spread + more / (root * d * (root + d)));
    return DualValue(cov, defect_of(half, x), dot);
}
