// The two functions of the angle that kinked activations need, as polynomials in d = 1 − cos θ ≤ 1:
// θ/π = √d Q(d) and (sin θ − θ cos θ)/π = d^(3/2) R(d). Minimax fits of crates/ekernel-cpu/scripts/arc_cosine_fit.py;
// errors weighted by √d: Q 2.8e-8, R 2.1e-8.

fn arc_cosine_angle(d: f32) -> f32 {
    var q = 0.0008313292;
    q = fma(q, d, -0.0011671946);
    q = fma(q, d, 0.0022032272);
    q = fma(q, d, 0.0018924762);
    q = fma(q, d, 0.008582555);
    q = fma(q, d, 0.037499014);
    return fma(q, d, 0.45015857);
}

fn arc_cosine_sector(d: f32) -> f32 {
    var r = 0.00018939177;
    r = fma(r, d, -0.00007493824);
    r = fma(r, d, 0.0007177582);
    r = fma(r, d, 0.0023602906);
    r = fma(r, d, 0.015012188);
    return fma(r, d, 0.30010518);
}

// θ/π and (sin θ − θ cos θ)/(πd).
struct ArcCosine {
    angle: f32,
    sector: f32,
}

// At any d in [0, 2]. An obtuse angle is π minus an acute one: with e = 2 − d the sector is e^(3/2) R(e) + 1 − e.
fn arc_cosine(d: f32) -> ArcCosine {
    let obtuse = d > 1.0;
    let near = max(select(d, 2.0 - d, obtuse), 0.0);
    let root = sqrt(near);
    let angle = root * arc_cosine_angle(near);
    let sector = root * arc_cosine_sector(near);
    if (obtuse) {
        return ArcCosine(1.0 - angle, (near * sector + (1.0 - near)) / d);
    }
    return ArcCosine(angle, sector);
}
