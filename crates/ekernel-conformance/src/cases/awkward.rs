//! Samples on which kernels lose digits.

use ekernel_core::Samples;
use ndarray::Array4;

/// Signed noise, of which covariances and angles are of every size.
pub fn noise([height, width, channels]: [usize; 3]) -> Samples {
    let mut state = 7_u64;
    Samples::Images(Array4::from_shape_simple_fn((3, height, width, channels), || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 30) - 1.0
    }))
}

/// Images that kernels of noise say nothing about, six of each kind.
pub(crate) fn awkward_images([height, width, channels]: [usize; 3]) -> Vec<(&'static str, Samples)> {
    let texture = |n: usize, r: usize, c: usize, k: usize| {
        let [n, r, c, k] = [n, r, c, k].map(|x| x as f64);
        0.5 + 0.2 * ((1.0 + 0.3 * n) * r + 0.4 * k).sin() + 0.2 * ((0.7 + 0.2 * n) * c - n).cos()
    };
    let spot = |n: usize, r: usize, c: usize| if r == 1 && c == 2 && n > 1 { n as f64 / 255.0 } else { 0.0 };
    let half =
        |n: usize, r: usize, c: usize| if n.is_multiple_of(2) { r < height / 2 } else { c < width / 2 };
    let images = |pixel: &dyn Fn(usize, usize, usize, usize) -> f64| {
        Samples::Images(Array4::from_shape_fn((6, height, width, channels), |(n, r, c, k)| pixel(n, r, c, k)))
    };
    let stripe = |n: usize, r: usize| ((r + n) / 3).is_multiple_of(2);
    vec![
        ("repeated", images(&|n, r, c, k| texture(n % 2, r, c, k))),
        ("one pixel off by 1/255", images(&|n, r, c, k| texture(n % 2, r, c, k) + spot(n, r, c))),
        ("constant", images(&|n, _, _, _| 0.1 + 0.15 * n as f64)),
        ("collinear", images(&|n, r, c, k| (n + 1) as f64 * texture(0, r, c, k))),
        (
            "half-black",
            images(&|n, r, c, k| if half(n, r, c) { 0.2 + texture(n / 3 * n, r, c, k) } else { 0.0 }),
        ),
        ("two-tone", images(&|n, r, c, _| if stripe(n, r) { 0.9 } else { 0.1 + 0.01 * (c / 4) as f64 })),
        ("black", images(&|n, r, c, k| if n < 3 { 0.0 } else { texture(n, r, c, k) })),
    ]
}
