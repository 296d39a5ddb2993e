// Products that keep every digit that a difference of their sums needs: ab = grid + lo with a whole number grid. In float32 that
// takes a fused multiply-add or a sum that compilers may fold, and some do; they do not fold whole numbers.
//
// A factor is (x, bits of c): x·2⁻¹⁶ + c with a whole x, |x| < 2³⁰, and 0 ≤ c < 2⁻¹⁶.

const UNIT: f32 = 0.0000152587890625;

struct Product {
    grid: i32,
    lo: f32,
}

// Error 2⁻²², which is 2⁻⁵⁰ of the largest product.
fn exact_product(a: vec2<i32>, b: vec2<i32>) -> Product {
    let upper = vec2<i32>(a.x >> 16u, b.x >> 16u);
    let lower = vec2<i32>(a.x & 0xffff, b.x & 0xffff);
    let cross = upper.x * lower.y + lower.x * upper.y;
    let low = f32(cross & 0xffff) + f32(u32(lower.x) * u32(lower.y)) * UNIT;
    let tails = f32(a.x) * bitcast<f32>(b.y) + f32(b.x) * bitcast<f32>(a.y);
    return Product(upper.x * upper.y + (cross >> 16u), (low + tails) * UNIT);
}

// The same for factors that are not negative. Compilers see that the halves have 16 bits, whose products many GPUs compute four
// times as fast as others.
fn exact_product_positive(a: vec2<i32>, b: vec2<i32>) -> Product {
    let x = vec2<u32>(u32(a.x), u32(b.x));
    let upper = x >> vec2<u32>(16u);
    let lower = x & vec2<u32>(0xffffu);
    let cross = upper.x * lower.y + lower.x * upper.y;
    let low = fma(f32(lower.x * lower.y), UNIT, f32(cross & 0xffffu));
    let tails = fma(f32(x.x), bitcast<f32>(b.y), fma(f32(x.y), bitcast<f32>(a.y), low));
    return Product(i32(upper.x * upper.y + (cross >> 16u)), tails * UNIT);
}
