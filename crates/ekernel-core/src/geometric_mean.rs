//! √(ab) where ab is no number of float64.

/// √(ab) for a, b ≥ 0, also where ab underflows or overflows; bit for bit (ab)^½ where it does neither.
///
/// The bound of a covariance K by the variances of both sides is such a root, and products of variances below 1e-154 or
/// above 1e154 leave the range of float64.
pub fn geometric_mean(a: f64, b: f64) -> f64 {
    let product = a * b;
    let lost = product < f64::MIN_POSITIVE || product == f64::INFINITY;
    if lost { a.sqrt() * b.sqrt() } else { product.sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_underflows_or_overflows() {
        for (a, b) in
            [(1e-170, 4e-170), (1e-300, 4e-20), (1e160, 4e160), (3.0, 5.0), (0.0, 2.0), (1e-320, 0.0)]
        {
            let found = geometric_mean(a, b);
            let exact = (a.ln() / 2.0 + b.ln() / 2.0).exp();
            assert!((found - exact).abs() <= 1e-12 * exact, "{a} {b}: {found} {exact}");
        }
        assert_eq!(geometric_mean(3.0, 5.0).to_bits(), 15f64.sqrt().to_bits());
        assert!(geometric_mean(f64::NAN, 1.0).is_nan() && geometric_mean(-1.0, 1.0).is_nan());
    }
}
