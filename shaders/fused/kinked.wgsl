// A convolution and the kinked activation behind it at one position, from window sums of the carried values: K = grid − rest
// with a whole number grid, and T = K + Θ. Where K comes close to ss', the result depends on the defect u = ss' − K, which the
// difference u_o = s_o s'_o − ΣK must not lose. So products are split, ss' = grid + lo; sums of whole numbers are exact, and the
// remainders are small:
//
//     u_o = (grid_o·2ᵏ − Σgrid − bias)·2⁻ᵏ + (lo_o + 2⁻ᵏ·Σrest),   error about 2⁻⁴⁵ of the largest ss'
//     d = u/ss',  w = √d,  u ← u(1 − j w R(d)),  κ = 1 − j w Q(d),  T ← κ·(2⁻ᵏ·ΣT) + K
//
// Slopes (a, b) on either side of the kink have j = (a−b)²/(a²+b²), 1 for a ReLU. Weights are folded (a convolution is a plain
// sum, an activation returns its value over ½(a²+b²), so that s is that of the convolution); the unit grows by 2ᵏ at
// this layer, so that whole numbers stay below 2²⁹.

// s of one image at one position, or a pixel: see exact_product.wgsl.
alias Entry = vec2<i32>;

struct Sums {
    grid: i32,
    rest: f32,
    theta: f32,
}

// Whether a layer has a bias, and whether all activations are plain ReLUs.
override BIASED: bool = true;
override RELU: bool = false;

// grid and the bits of rest.
var<workgroup> cells: array<vec2<i32>, CELLS>;
var<workgroup> cell_theta: array<f32, NTK_CELLS>;

fn nothing() -> Sums {
    return Sums(0, 0.0, 0.0);
}

fn cell(at: u32) -> Sums {
    var theta = 0.0;
    if (NTK) {
        theta = cell_theta[at];
    }
    let known = cells[at];
    return Sums(known.x, bitcast<f32>(known.y), theta);
}

fn store(at: u32, sums: Sums) {
    cells[at] = vec2<i32>(sums.grid, bitcast<i32>(sums.rest));
    if (NTK) {
        cell_theta[at] = sums.theta;
    }
}

fn plus(a: Sums, b: Sums) -> Sums {
    return Sums(a.grid + b.grid, a.rest + b.rest, a.theta + b.theta);
}

// `mask` has all bits or none.
fn part(sums: Sums, mask: i32) -> Sums {
    return Sums(
        sums.grid & mask,
        bitcast<f32>(bitcast<i32>(sums.rest) & mask),
        bitcast<f32>(bitcast<i32>(sums.theta) & mask),
    );
}

// The sums over a plane: of K and of K + Θ.
fn answer(sums: Sums) -> vec2<f32> {
    return vec2<f32>(f32(sums.grid) - sums.rest, sums.theta);
}

fn of_answer(values: vec2<f32>) -> Sums {
    return Sums(0, -values.x, values.y);
}

// One channel's part of K⁰.
fn pixels(f: Entry, g: Entry) -> Sums {
    let product = exact_product(f, g);
    return Sums(product.grid, -product.lo, f32(product.grid) + product.lo);
}

// The exponent of a pair's unit at a level.
fn exponent(lane: vec4<u32>, level: u32) -> i32 {
    return first_maps[lane.x * COPY_ENTRIES + level].x + second_maps[lane.y * COPY_ENTRIES + level].x;
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

// A level's numbers are the bias in two parts, (numbers.x + numbers.y)·2^exponent, and j.
fn unit_of(lane: vec4<u32>, level: u32) -> Unit {
    let before = exponent(lane, level - 1u);
    let shift = u32(exponent(lane, level) - before);
    let factor = power_of_two(-i32(shift));
    let scale = power_of_two(levels[level].exponent - before);
    let bias = levels[level].numbers.x * scale;
    let grid = i32(bias);
    let rest = bias - f32(grid) + levels[level].numbers.y * scale;
    return Unit(shift, factor, grid, rest, bias * factor, levels[level].numbers.z);
}

// `a` and `b` are s of both images; `obtuse`: whether K may be negative.
fn behind(sums: Sums, a: Entry, b: Entry, unit: Unit, level: u32, obtuse: bool) -> Sums {
    let bound = exact_product_positive(a, b);
    let whole = f32(bound.grid);
    let product = whole + bound.lo;
    let raised = bound.grid << unit.shift;
    var grid = sums.grid;
    var below = sums.rest;
    var scaled = sums.theta * unit.factor;
    if (BIASED) {
        grid += unit.bias_grid;
        below -= unit.bias_rest;
        scaled += unit.bias;
    }
    let j = select(unit.jump, 1.0, RELU);
    let u = fma(f32(raised - grid), unit.factor, fma(below, unit.factor, bound.lo));
    var near = max(u, 0.0);
    var turned = false;
    if (obtuse) {
        let opposite = fma(f32(raised + grid), unit.factor, fma(-below, unit.factor, bound.lo));
        turned = opposite < u;
        near = max(min(u, opposite), 0.0);
    }
    // √(near/product) by one root.
    let w = clamp(near * inverseSqrt(max(near * product, 1e-30)), 0.0, 1.0);
    let d = w * w;
    let angle = j * w * arc_cosine_angle(d);
    let sector = j * w * arc_cosine_sector(d);
    // At an obtuse angle u is 2ss' less the defect of −K, which is small where u is lost.
    var defect = near;
    var kappa = 1.0 - angle;
    if (obtuse) {
        defect = select(near, fma(2.0 - j, product, (j - 1.0) * near), turned);
        kappa = select(kappa, 1.0 - j + angle, turned);
    }
    let rest = fma(-near, sector, defect) - bound.lo;
    return Sums(bound.grid, rest, fma(scaled, kappa, whole - rest));
}
