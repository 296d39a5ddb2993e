// The Gaussian kernel, p = (γ): K_σ = exp(−γE(x−x')²), K̇ = 2γK_σ. The variance behind it is 1.

fn dual(x: DualInput, p: vec4<f32>, nan: f32) -> DualValue {
    let less = exponential_less_one(-2.0 * p.x * x.half);
    let cov = 1.0 + less;
    return DualValue(cov, -less, 2.0 * p.x * cov);
}
