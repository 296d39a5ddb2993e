// sign(x): K_o = s_o s'_o (1 − 2θ/π), u_o = s_o s'_o·2θ/π, K̇ = 0. s_o is 1; 0 behind a dark image
// (s = 0), since sign(0) = 0; NaN stays NaN.

fn dual(x: DualInput, p: vec4<f32>, nan: f32) -> DualValue {
    let d = x.defect * x.first.inverse * x.second.inverse;
    let bound = x.first.std_out * x.second.std_out;
    let defect = 2.0 * bound * arc_cosine(select(2.0, d, d < OPPOSITE)).angle;
    return DualValue(bound - defect, defect, 0.0);
}
