// Slopes p = (a, b) for x < 0 and x > 0: relu, leaky_relu, abs. With d = u/ss' = 1 − cos θ and
// g = d − (sin θ − θ cos θ)/π: u_o = ½(a−b)² ss'g + ab·u, K_o = s_o s'_o − u_o, K̇ = (a²+b²)/2 − (a−b)²θ/2π.
// Where an image is dark (s = 0) the angle is π/2.

fn dual(x: DualInput, p: vec4<f32>, nan: f32) -> DualValue {
    let half_jump = 0.5 * (p.x - p.y) * (p.x - p.y);
    let slope = 0.5 * (p.x * p.x + p.y * p.y);
    let inverse = x.first.inverse * x.second.inverse;
    let d = x.defect * inverse;
    let theta = arc_cosine(select(2.0, d, d < OPPOSITE));
    let angle = select(0.5, theta.angle, inverse > 0.0);
    let defect = half_jump * (x.defect - x.defect * theta.sector) + p.x * p.y * x.defect;
    return DualValue(x.first.std_out * x.second.std_out - defect, defect, slope - half_jump * angle);
}
