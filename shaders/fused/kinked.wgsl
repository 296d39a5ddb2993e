// A convolution and the kinked activation behind it at one position, from window sums of what is carried: K = grid − rest, grid a whole
// number, and T = K + Θ. The defect u = ss' − K decides everything where K comes close to ss', so it must not be lost in the
// difference u_o = s_o s'_o − ΣK: products ss' = grid + lo are split, sums of whole numbers are exact, and what is left is
// small:
//
//     u_o = (grid_o·2ᵏ − Σgrid − bias)·2⁻ᵏ + (lo_o + 2⁻ᵏ·Σrest),   error about 2⁻⁴⁵ of the largest ss'
//     d = u/ss',  w = √d,  u ← u(1 − j w R(d)),  κ = 1 − j w Q(d),  T ← κ·(2⁻ᵏ·ΣT) + K
//
// Slopes (a, b) on either side of the kink have j = (a−b)²/(a²+b²), 1 for a ReLU. Weights are folded (a convolution is a plain
// sum, an activation returns its value over ½(a²+b²), so that s is that of the convolution); 2ᵏ is how much the unit grows at this
// layer, so that whole numbers stay below 2²⁹.

struct Sums {
    grid: i32,
    rest: f32,
    theta: f32,
}

// A layer's numbers, of one pair.
struct Unit {
    shift: u32,
    factor: f32,
    bias_grid: i32,
    bias_rest: f32,
    bias: f32,
    jump: f32,
}

// 2ⁿ.
fn power_of_two(n: i32) -> f32 {
    return bitcast<f32>(u32(clamp(n, -126, 127) + 127) << 23u);
}

// `a` and `b` are s of both images; `obtuse` says that K may be negative.
fn conv_relu(sums: Sums, a: vec2<i32>, b: vec2<i32>, unit: Unit, obtuse: bool) -> Sums {
    let bound = exact_product(a, b);
    let whole = f32(bound.grid);
    let above = (bound.grid << unit.shift) - sums.grid - unit.bias_grid;
    let below = sums.rest - unit.bias_rest;
    let u = fma(f32(above), unit.factor, fma(below, unit.factor, bound.lo));
    var near = max(u, 0.0);
    var turned = false;
    if (obtuse) {
        let opposite_above = (bound.grid << unit.shift) + sums.grid + unit.bias_grid;
        let opposite = fma(f32(opposite_above), unit.factor, fma(-below, unit.factor, bound.lo));
        turned = opposite < u;
        near = max(min(u, opposite), 0.0);
    }
    let product = whole + bound.lo;
    let d = min(near / max(product, 1e-30), 1.0);
    let w = sqrt(d);
    let angle = w * arc_cosine_angle(d);
    let sector = near * w * arc_cosine_sector(d);
    // At an obtuse angle u is 2ss' less the defect of −K, which is small where u is lost.
    let j = unit.jump;
    let defect = select(near, fma(2.0 - j, product, (j - 1.0) * near), turned);
    let kappa = fma(-j, select(angle, 1.0 - angle, turned), 1.0);
    let rest = fma(-j, sector, defect) - bound.lo;
    let theta = fma(fma(sums.theta, unit.factor, unit.bias), kappa, whole - rest);
    return Sums(bound.grid, rest, theta);
}
