// The rest of a product: ab = whole + rest, exactly. Nothing here is left to a compiler: products of the halves are exact in
// float32, so that it does not matter whether fma rounds once or twice, and no sum could be folded algebraically.

// Whether fma rounds once, which the host measures on the device.
override FUSED_FMA: bool = false;

fn upper_half(a: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(a) & 0xfffff000u);
}

// ab − whole, for |whole − ab| far below |ab| or below 1.
fn product_rest(a: f32, b: f32, whole: f32) -> f32 {
    if (FUSED_FMA) {
        return fma(a, b, -whole);
    }
    let upper = vec2<f32>(upper_half(a), upper_half(b));
    let lower = vec2<f32>(a, b) - upper;
    var rest = fma(upper.x, upper.y, -whole);
    rest = fma(upper.x, lower.y, rest);
    rest = fma(lower.x, upper.y, rest);
    return fma(lower.x, lower.y, rest);
}
