//! Every dual against quadrature of its definition K_σ = E[σ(u)σ(u')], K̇ = E[σ'(u)σ'(u')].

mod quadrature;

use std::f64::consts::{FRAC_PI_2, PI};

use ekernel_core::{Activation, Dual};

const VARIANCES: [[f64; 2]; 6] = [[1.0, 1.0], [0.3, 2.0], [2.5, 0.01], [1e-6, 0.7], [1e-4, 1e-4], [4.0, 3.0]];
const ANGLES: [f64; 10] = [0.0, 1e-6, 1e-3, 0.2, 0.9, FRAC_PI_2, 2.1, 3.0, PI - 1e-4, PI];

/// Relative to √(K_σ(v)·K_σ(v')) and √(K̇(v)·K̇(v')). Measured: 4e-14 for K_σ, 2e-14 for K̇.
const SMOOTH: f64 = 1e-13;
/// Measured: 2e-14 for K_σ. K̇ is as sensitive as √(1 − ρ²): 1e-16/1e-6 at the smallest angle; measured 8e-11.
const KINKED: [f64; 2] = [2e-13, 1e-9];

/// The larger of the errors of K_σ and of K̇ at one point.
fn errors(activation: &Activation, [v, vp]: [f64; 2], angle: f64, expected: Dual) -> [f64; 2] {
    let dual = activation.dual(v, vp, (v * vp).sqrt() * angle.cos());
    let [own, other] = [activation.dual(v, v, v), activation.dual(vp, vp, vp)];
    let relative = |error: f64, scale: f64| if scale > 0.0 { error.abs() / scale } else { error.abs() };
    [
        relative(dual.cov - expected.cov, (own.cov * other.cov).sqrt()),
        relative(dual.dot - expected.dot, (own.dot * other.dot).sqrt()),
    ]
}

fn worst(activation: &Activation, quadrature: impl Fn([f64; 2], f64) -> Dual) -> [f64; 2] {
    let mut worst = [0.0_f64; 2];
    for variances in VARIANCES {
        for angle in ANGLES {
            let found = errors(activation, variances, angle, quadrature(variances, angle));
            assert!(found.iter().all(|e| e.is_finite()), "{activation:?} {variances:?} {angle}");
            worst = [worst[0].max(found[0]), worst[1].max(found[1])];
        }
    }
    eprintln!("{activation:?}: {:.1e} {:.1e}", worst[0], worst[1]);
    worst
}

#[test]
fn kinked_duals() {
    let activations = [
        Activation::Relu,
        Activation::Abs,
        Activation::LeakyRelu { alpha: 0.01 },
        Activation::LeakyRelu { alpha: -0.4 },
        Activation::LeakyRelu { alpha: 3.0 },
        Activation::Sign,
    ];
    for activation in activations {
        let [cov, dot] = worst(&activation, |variances, angle| Dual {
            cov: quadrature::kinked(variances, angle, |u, w| activation.value(u) * activation.value(w)),
            dot: quadrature::kinked(variances, angle, |u, w| {
                activation.derivative(u) * activation.derivative(w)
            }),
        });
        // sign is a step: its K_σ is as sensitive as the others' K̇.
        let limit = if activation == Activation::Sign { KINKED[1] } else { KINKED[0] };
        assert!(cov < limit && dot < KINKED[1], "{activation:?}: {cov:.1e} {dot:.1e}");
    }
}

#[test]
fn smooth_duals() {
    // The activation; the standard deviations that count; how fast it varies, for the step of the quadrature.
    let periodic = |b: f64| move |s: f64| 10.0 + 2.0 * b.abs() * s;
    let steep = |b2: f64| move |s: f64| 9.0 * (1.0 + 2.0 * b2 * s * s).sqrt();
    type Spread = Box<dyn Fn(f64) -> f64>;
    let cases: Vec<(Activation, f64, Spread)> = vec![
        (Activation::Erf { a: 1.0, b: 1.0, c: 0.0 }, 9.0, Box::new(steep(1.0))),
        (Activation::Erf { a: 1.5, b: 0.7, c: 0.4 }, 9.0, Box::new(steep(0.49))),
        (Activation::Erf { a: -0.5, b: 2.0, c: -1.0 }, 9.0, Box::new(steep(4.0))),
        (Activation::Gelu, 9.0, Box::new(steep(0.5))),
        (Activation::Sin { a: 1.0, b: 1.0, c: 0.0 }, 9.0, Box::new(periodic(1.0))),
        (Activation::Sin { a: 1.3, b: 0.8, c: 0.5 }, 9.0, Box::new(periodic(0.8))),
        (Activation::Cos { a: 1.0, b: 1.0, c: 0.0 }, 9.0, Box::new(periodic(1.0))),
        (Activation::Cos { a: -0.7, b: 1.6, c: -0.9 }, 9.0, Box::new(periodic(1.6))),
        (Activation::Rbf { gamma: 1.0 }, 9.0, Box::new(periodic(1.5))),
        (Activation::Rbf { gamma: 0.2 }, 9.0, Box::new(periodic(0.7))),
        (Activation::Exp { a: 1.0, b: 1.0 }, 14.0, Box::new(periodic(1.0))),
        (Activation::Exp { a: 0.7, b: -0.5 }, 14.0, Box::new(periodic(0.5))),
        (Activation::Gaussian { a: 1.0, b: -1.0 }, 9.0, Box::new(steep(1.0))),
        (Activation::Gaussian { a: 1.4, b: -0.3 }, 9.0, Box::new(steep(0.3))),
        (Activation::Gaussian { a: 0.8, b: 0.03 }, 14.0, Box::new(steep(0.3))),
    ];
    for (activation, reach, spread) in cases {
        let [cov, dot] = worst(&activation, |variances, angle| {
            let spread = spread(variances[0].sqrt() + variances[1].sqrt());
            let expectation = |f: &dyn Fn(f64) -> f64| {
                quadrature::smooth(variances, angle, reach, spread, |u, w| f(u) * f(w))
            };
            Dual {
                cov: expectation(&|u| activation.value(u)),
                dot: expectation(&|u| activation.derivative(u)),
            }
        });
        assert!(cov < SMOOTH && dot < SMOOTH, "{activation:?}: {cov:.1e} {dot:.1e}");
    }
}

/// The quadratures themselves: E[u²] and E[|u|] of known value.
#[test]
fn quadratures_are_exact_where_the_answer_is_known() {
    let angle = 0.7_f64;
    let product = 1.5_f64.sqrt() * angle.cos();
    assert!((quadrature::smooth([1.0, 1.5], angle, 9.0, 12.0, |u, w| u * w) - product).abs() < 1e-14);
    assert!((quadrature::kinked([1.0, 1.5], angle, |u, w| u * w) - product).abs() < 1e-14);
    let mean = (2.0 / PI).sqrt();
    assert!((quadrature::kinked([1.0, 1.0], angle, |u, _| u.abs()) - mean).abs() < 1e-14);
}

/// A position where a sample is zero: u = 0, so that K_σ = σ(0)·E[σ(u')].
#[test]
fn a_variance_of_zero() {
    for vp in [0.0, 0.5, 2.0] {
        for activation in [
            Activation::Relu,
            Activation::LeakyRelu { alpha: 0.3 },
            Activation::Abs,
            Activation::Sign,
            Activation::Erf { a: 1.5, b: 0.7, c: 0.4 },
            Activation::Gelu,
            Activation::Sin { a: 1.3, b: 0.8, c: 0.5 },
            Activation::Cos { a: 1.3, b: 0.8, c: 0.5 },
            Activation::Rbf { gamma: 0.6 },
            Activation::Exp { a: 0.7, b: 0.5 },
            Activation::Gaussian { a: 1.4, b: -0.6 },
        ] {
            let dual = activation.dual(0.0, vp, 0.0);
            let mean = quadrature::smooth([1.0, vp], FRAC_PI_2, 10.0, 40.0, |_, w| activation.value(w));
            let expected = activation.value(0.0) * mean;
            assert!((dual.cov - expected).abs() < 1e-13, "{activation:?}: {} {expected}", dual.cov);
            if let Some([a, b]) = activation.kink() {
                // Both slopes count half at a kink.
                assert!((dual.dot - 0.25 * (a + b) * (a + b)).abs() < 1e-15, "{activation:?}: {}", dual.dot);
            } else {
                let slope =
                    quadrature::smooth([1.0, vp], FRAC_PI_2, 10.0, 40.0, |_, w| activation.derivative(w));
                let expected = activation.derivative(0.0) * slope;
                assert!((dual.dot - expected).abs() < 1e-13, "{activation:?}: {} {expected}", dual.dot);
            }
        }
    }
}
