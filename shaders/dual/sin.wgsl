// a·sin(bx + c), p = (a, b, sin c, cos c): s± = exp(−b²(v+v')/2 ± b²K), K_σ = a²/2·(s₊ − cos 2c·s₋),
// K̇ = a²b²/2·(s₊ + cos 2c·s₋). With δ = b²·½E(x−x')² and w = exp(−b²v), ½E(σ−σ')² =
// a²/2·[(1 − e^−δ)(1 + cos 2c·s₋) − ½cos 2c·(w − w')²].

fn dual(x: DualInput, p: vec4<f32>, nan: f32) -> DualValue {
    let b2 = p.y * p.y;
    let scale = 0.5 * p.x * p.x;
    let delta = b2 * x.half;
    let positive = x.cov > 0.0;
    // The larger of s₊ and s₋, and their difference from it; 1 ∓ cos 2c as squares: small variances keep their digits.
    let opposite = max(b2 * (x.cov + 0.5 * (x.first.variance + x.second.variance)), 0.0);
    let larger = exponential(-select(opposite, delta, positive));
    let less = larger * exponential_less_one(-2.0 * b2 * abs(x.cov));
    let difference = select(less, -less, positive);
    let minus = select(larger, larger + less, positive);
    let cov = scale * (difference + 2.0 * p.z * p.z * minus);
    let dot = scale * b2 * (difference + 2.0 * p.w * p.w * minus);

    let twice = (p.w - p.z) * (p.w + p.z);
    let near = min(x.first.variance, x.second.variance);
    let apart = abs(x.first.variance - x.second.variance);
    let waves = exponential(-b2 * near) * exponential_less_one(-b2 * apart);
    let half = -exponential_less_one(-delta) * (1.0 + twice * minus) - 0.5 * twice * waves * waves;
    return DualValue(cov, defect_of(scale * half, x), dot);
}
