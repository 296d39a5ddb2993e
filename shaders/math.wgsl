// Elementary functions with their own error bounds: WGSL allows exp an error of (3 + 2|x|) units in the last place, and atan2
// and acos 4096 units. Coefficients are minimax fits. The relative error of each polynomial is below 1e-9; each function states
// its own in float32, as ekernel-wgpu/tests/functions.rs measures it.

// x = n·ln 2 + r, |r| ≤ ½ln 2: 2ⁿ and e^r − 1.
struct Power {
    scale: f32,
    less_one: f32,
}

fn power(x: f32) -> Power {
    let n = clamp(floor(fma(x, 1.442695, 0.5)), -126.0, 128.0);
    // ln 2 in two parts, the first of 9 bits, so that n times it is exact. The maximum has no effect,
    // except that compilers cannot add the parts up again.
    let near = max(fma(n, -0.693359375, x), -1.0);
    let r = fma(n, 0.00021219444, near);
    var q = 0.00019914178;
    q = fma(q, r, 0.0013941009);
    q = fma(q, r, 0.008333273);
    q = fma(q, r, 0.041666355);
    q = fma(q, r, 0.16666667);
    q = fma(q, r, 0.5);
    return Power(bitcast<f32>(u32(n + 127.0) << 23u), fma(q * r, r, r));
}

// e^x, relative error 8e-8 (below −80 only where the device has subnormal numbers); 0 below −87, ∞ from 88.4 on.
fn exponential(x: f32) -> f32 {
    let p = power(max(x, -87.5));
    return select(fma(p.scale, p.less_one, p.scale), 0.0, x < -87.0);
}

// e^x − 1, relative error 9e-8 also next to 0.
fn exponential_less_one(x: f32) -> f32 {
    let p = power(max(x, -87.5));
    return fma(p.scale, p.less_one, p.scale - 1.0);
}

// atan t for 0 ≤ t ≤ 1.
fn arc_tangent_near(t: f32) -> f32 {
    let far = t > 0.41421357;
    let s = select(t, (t - 1.0) / (t + 1.0), far);
    let z = s * s;
    var q = -0.06083452;
    q = fma(q, z, 0.10596001);
    q = fma(q, z, -0.14243849);
    q = fma(q, z, 0.1999849);
    q = fma(q, z, -0.33333316);
    return fma(q * z, s, s) + select(0.0, 0.7853982, far);
}

// The angle of (x, y) in (−π, π], relative error 1.7e-7; 0 at the origin.
fn arc_tangent(y: f32, x: f32) -> f32 {
    let a = abs(x);
    let b = abs(y);
    let near = arc_tangent_near(min(a, b) / max(max(a, b), 1e-38));
    let acute = select(near, 1.5707964 - near, b > a);
    let angle = select(acute, 3.1415927 - acute, x < 0.0);
    return select(angle, -angle, y < 0.0);
}

// The angle of (x, y) for x ≥ 0 where r = √(x² + y²) is known: twice that of (r + x, y), which is at most π/4. Relative error
// 2e-7; 0 at the origin.
fn right_angle(y: f32, x: f32, r: f32) -> f32 {
    let t = y / max(r + x, 1e-38);
    let z = t * t;
    var q = 0.00569975423;
    q = fma(q, z, -0.0321371593);
    q = fma(q, z, 0.0853828713);
    q = fma(q, z, -0.150085747);
    q = fma(q, z, 0.212818608);
    q = fma(q, z, -0.284072876);
    q = fma(q, z, 0.399852395);
    q = fma(q, z, -0.666661441);
    return t * fma(q, z, 2.0);
}

// ½(α + α') − φ without cancellation, where sin α = w/(1+w), sin φ = κ/√((1+w)(1+w')); `more` = ww' − κ² and
// `rest`² = (1+w)(1+w') − κ². With B² = 1+2w the sine of the result is
// (more + ¼(B−B')²)/(rest·C + κS), C² = ww' + ¼(B−B')², S = ½(B+B').
fn arc_sine_gap(w: vec2<f32>, kappa: f32, more: f32, rest: f32) -> f32 {
    let b = sqrt(1.0 + 2.0 * w);
    let sum = b.x + b.y;
    let difference = 2.0 * (w.x - w.y) / sum;
    let quarter = 0.25 * difference * difference;
    let c = sqrt(w.x * w.y + quarter);
    let s = 0.5 * sum;
    let area = (1.0 + w.x) * (1.0 + w.y);
    let acute = area * (more + quarter) / max(rest * c + kappa * s, 1e-38);
    let sine = select(rest * c - kappa * s, acute, kappa >= 0.0);
    return arc_tangent(max(sine, 0.0), kappa * c + rest * s);
}
