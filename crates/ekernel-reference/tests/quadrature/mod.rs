//! Expectations of two correlated Gaussians by quadrature.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// E[f(u, u')] for (u, u') ~ N(0, [[v, √(vv')·cosφ₀], [·, v']]) and smooth f, by the trapezoidal rule in independent
/// normal variables, which converges like exp(−(2π/h)²/2) for functions analytic as the ones here are. `reach` is how many
/// standard deviations count, `spread` by how much the integrand's spectrum is wider than the Gaussian's.
pub(crate) fn smooth(
    [v, vp]: [f64; 2],
    angle: f64,
    reach: f64,
    spread: f64,
    f: impl Fn(f64, f64) -> f64,
) -> f64 {
    let step = TAU / spread;
    let n = (reach / step).ceil() as i64;
    let [s, sp] = [v.sqrt(), vp.sqrt()];
    let (sine, cosine) = angle.sin_cos();
    let mut sum = 0.0;
    for i in -n..=n {
        let x = i as f64 * step;
        for j in -n..=n {
            let y = j as f64 * step;
            sum += (-0.5 * (x * x + y * y)).exp() * f(s * x, sp * (cosine * x + sine * y));
        }
    }
    sum * step * step / TAU
}

/// The same for f that is smooth but where u or u' changes its sign: polar coordinates with the angle cut at these lines,
/// Gauss-Legendre on every piece.
pub(crate) fn kinked([v, vp]: [f64; 2], angle: f64, f: impl Fn(f64, f64) -> f64) -> f64 {
    let nodes = gauss_legendre(24);
    let [s, sp] = [v.sqrt(), vp.sqrt()];
    let mut cuts = vec![-FRAC_PI_2, FRAC_PI_2, angle - FRAC_PI_2, angle + FRAC_PI_2];
    cuts.sort_by(f64::total_cmp);
    cuts.push(cuts[0] + TAU);
    let mut sum = 0.0;
    for piece in cuts.windows(2) {
        let (middle, half) = (0.5 * (piece[0] + piece[1]), 0.5 * (piece[1] - piece[0]));
        for &(x, weight) in &nodes {
            let phi = middle + half * x;
            for panel in 0..6 {
                for &(y, radial) in &nodes {
                    let r = 2.0 * panel as f64 + 1.0 + y;
                    let value = f(s * r * phi.cos(), sp * r * (phi - angle).cos());
                    sum += half * weight * radial * r * (-0.5 * r * r).exp() * value;
                }
            }
        }
    }
    sum / TAU
}

/// Nodes and weights on [−1, 1]: roots of the Legendre polynomial by Newton's method.
fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let polynomial = |x: f64| {
        let (mut before, mut here) = (1.0, x);
        for l in 2..=n {
            let l = l as f64;
            (before, here) = (here, ((2.0 * l - 1.0) * x * here - (l - 1.0) * before) / l);
        }
        (here, n as f64 * (x * here - before) / (x * x - 1.0))
    };
    (0..n)
        .map(|i| {
            let mut x = (PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
            for _ in 0..10 {
                let (value, slope) = polynomial(x);
                x -= value / slope;
            }
            let slope = polynomial(x).1;
            (x, 2.0 / ((1.0 - x * x) * slope * slope))
        })
        .collect()
}
