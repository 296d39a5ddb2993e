//! √(ab) where ab is no number of float64.

/// 2⁶⁰⁰: the product of any two numbers of float64 lies within its range after each is multiplied or divided by it.
const UNIT: f64 = f64::from_bits((1023 + 600) << 52);

/// √(ab) for a, b ≥ 0, also where ab underflows or overflows; bit for bit (ab)^½ where it does neither.
///
/// The bound of a covariance K by the variances of both sides is such a root, and products of variances below 1e-154 or
/// above 1e154 leave the range of float64.
pub fn geometric_mean(a: f64, b: f64) -> f64 {
    let product = a * b;
    let unit = match product {
        p if p < f64::MIN_POSITIVE && a > 0.0 && b > 0.0 => UNIT,
        f64::INFINITY => UNIT.recip(),
        _ => return product.sqrt(),
    };
    // Powers of two change no digit, so that √(aa) is a here too.
    ((a * unit) * (b * unit)).sqrt() / unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_underflows_or_overflows() {
        for (a, b) in [
            (1e-170, 4e-170),
            (1e-300, 4e-20),
            (1e160, 4e160),
            (3.0, 5.0),
            (0.0, 2.0),
            (1e-320, 0.0),
            (0.0, 1e300),
        ] {
            let found = geometric_mean(a, b);
            let exact = (a.ln() / 2.0 + b.ln() / 2.0).exp();
            assert!((found - exact).abs() <= 1e-12 * exact, "{a} {b}: {found} {exact}");
        }
        for a in [0.0, 5e-324, 3e-310, 7.3e-200, 0.3, 7.3e200, f64::MAX] {
            assert_eq!(geometric_mean(a, a), a);
        }
        assert_eq!(geometric_mean(3.0, 5.0).to_bits(), 15f64.sqrt().to_bits());
        assert!(geometric_mean(f64::NAN, 1.0).is_nan() && geometric_mean(-1.0, 1.0).is_nan());
    }
}
