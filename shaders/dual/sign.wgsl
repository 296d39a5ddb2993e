// sign(x): K_o = 1 − 2θ/π, u_o = 2θ/π, K̇ = 0. sign(0) = 0: a dark image (s = 0) has variance 0 behind it.

fn dual(x: DualInput, p: vec4<f32>, nan: f32) -> DualValue {
    let inverse = x.first.inverse * x.second.inverse;
    let defect = 2.0 * arc_cosine(min(x.defect * inverse, 2.0)).angle;
    if (inverse > 0.0) {
        return DualValue(1.0 - defect, defect, 0.0);
    }
    return DualValue(0.0, 0.0, 0.0);
}
