// a·exp(bx), p = (a, b): K_σ = a² exp(b²((v+v')/2 + K)) = s_o s'_o exp(−δ), δ = b²·½E(x−x')²; K̇ = b²K_σ.

fn dual(x: DualInput, p: vec4<f32>, nan: f32) -> DualValue {
    let b2 = p.y * p.y;
    let delta = b2 * x.half;
    let bound = x.first.std_out * x.second.std_out;
    let cov = bound * exponential(-delta);
    return DualValue(cov, -bound * exponential_less_one(-delta), b2 * cov);
}
