//! The closed list of activations.

use super::{Dual, erf, exponential, gaussian, gelu, kinked, sign, sine};
use crate::{
    ArchError, geometric_mean,
    keys::{Keys, Section},
};

/// A pointwise nonlinearity σ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x for x > 0, αx for x < 0.
    LeakyRelu {
        /// Slope on the negative side.
        alpha: f64,
    },
    /// |x|.
    Abs,
    /// a·erf(bx) + c.
    Erf {
        /// Amplitude.
        a: f64,
        /// Steepness.
        b: f64,
        /// Offset.
        c: f64,
    },
    /// x·Φ(x), Φ the normal distribution function.
    Gelu,
    /// a·sin(bx + c).
    Sin {
        /// Amplitude.
        a: f64,
        /// Frequency.
        b: f64,
        /// Phase.
        c: f64,
    },
    /// a·cos(bx + c).
    Cos {
        /// Amplitude.
        a: f64,
        /// Frequency.
        b: f64,
        /// Phase.
        c: f64,
    },
    /// √2·sin(√(2γ)x + π/4), whose dual is the Gaussian kernel exp(−γ·E(u−u')²).
    Rbf {
        /// Inverse squared length scale γ > 0.
        gamma: f64,
    },
    /// a·exp(bx).
    Exp {
        /// Amplitude.
        a: f64,
        /// Rate.
        b: f64,
    },
    /// a·exp(bx²); finite only while 1 − 2b(v + v') + 4b²(vv' − K²) > 0 and 2bv, 2bv' < 1.
    Gaussian {
        /// Amplitude.
        a: f64,
        /// Rate; negative for a bump.
        b: f64,
    },
    /// The sign of x.
    Sign,
}

impl Activation {
    /// Names in architecture files, in the order of the enum.
    pub const NAMES: [&'static str; 11] =
        ["relu", "leaky_relu", "abs", "erf", "gelu", "sin", "cos", "rbf", "exp", "gaussian", "sign"];

    /// The name in architecture files.
    pub fn name(&self) -> &'static str {
        match self {
            Activation::Relu => "relu",
            Activation::LeakyRelu { .. } => "leaky_relu",
            Activation::Abs => "abs",
            Activation::Erf { .. } => "erf",
            Activation::Gelu => "gelu",
            Activation::Sin { .. } => "sin",
            Activation::Cos { .. } => "cos",
            Activation::Rbf { .. } => "rbf",
            Activation::Exp { .. } => "exp",
            Activation::Gaussian { .. } => "gaussian",
            Activation::Sign => "sign",
        }
    }

    /// The slopes (a, b) for x < 0 and x > 0 of the piecewise linear activations relu, leaky_relu and abs. Their duals
    /// have a square-root singularity at K = √(vv'), so they want the defect √(vv') − K rather than K.
    pub fn kink(&self) -> Option<[f64; 2]> {
        match *self {
            Activation::Relu => Some([0.0, 1.0]),
            Activation::LeakyRelu { alpha } => Some([alpha, 1.0]),
            Activation::Abs => Some([-1.0, 1.0]),
            _ => None,
        }
    }

    /// Whether K_σ and K̇ are differentiable up to K = √(vv').
    pub fn is_smooth(&self) -> bool {
        self.kink().is_none() && *self != Activation::Sign
    }

    /// The relative slopes of K_σ and K̇ at K = v' = v, where they are largest: g = v·E σ'²/E σ² and h = v·E σ''²/E σ'²
    /// (of smooth activations slope² × variance). A relative error ε of K becomes gε in K_σ and hε in K̇; 1 for kinked
    /// activations, whose input is carried as a defect.
    pub fn steepness(&self, v: f64) -> [f64; 2] {
        if !self.is_smooth() {
            return [1.0, 1.0];
        }
        let Dual { cov, dot } = self.dual(v, v, v);
        let slope = if cov == 0.0 { 1.0 } else { v * dot / cov };
        let curvature = match *self {
            Activation::Erf { b, .. } => erf::curvature(b, v),
            Activation::Gelu => gelu::curvature(v) / dot,
            Activation::Sin { b, c, .. } => sine::curvature(b, c, v),
            Activation::Cos { b, c, .. } => sine::curvature(b, c + std::f64::consts::FRAC_PI_2, v),
            Activation::Rbf { gamma } => 2.0 * gamma * v,
            Activation::Exp { b, .. } => b * b * v,
            Activation::Gaussian { b, .. } => gaussian::curvature(b, v),
            Activation::Relu | Activation::LeakyRelu { .. } | Activation::Abs | Activation::Sign => 1.0,
        };
        [slope, curvature]
    }

    /// K_σ and K̇ at variances v, v' ≥ 0 and covariance |K| ≤ √(vv').
    ///
    /// A covariance beyond the bound by rounding is clipped to it. Absolute error: a few units in the last place of K_σ;
    /// for kinked activations K̇ moves by √(2ε)/2π ≈ 3e-9 where K = √(vv') up to rounding ε. Of variances that are not numbers
    /// (of a `gaussian` whose expectation does not exist) neither are K_σ and K̇.
    pub fn dual(&self, v: f64, vp: f64, k: f64) -> Dual {
        let bound = geometric_mean(v, vp);
        if bound.is_nan() {
            return Dual { cov: f64::NAN, dot: f64::NAN };
        }
        let k = k.clamp(-bound, bound);
        match *self {
            Activation::Relu => kinked::dual([0.0, 1.0], v, vp, k),
            Activation::LeakyRelu { alpha } => kinked::dual([alpha, 1.0], v, vp, k),
            Activation::Abs => kinked::dual([-1.0, 1.0], v, vp, k),
            Activation::Erf { a, b, c } => erf::dual(a, b, c, v, vp, k),
            Activation::Gelu => gelu::dual(v, vp, k),
            Activation::Sin { a, b, c } => sine::dual(a, b, c, v, vp, k),
            Activation::Cos { a, b, c } => sine::dual(a, b, c + std::f64::consts::FRAC_PI_2, v, vp, k),
            Activation::Rbf { gamma } => sine::rbf_dual(gamma, v, vp, k),
            Activation::Exp { a, b } => exponential::dual(a, b, v, vp, k),
            Activation::Gaussian { a, b } => gaussian::dual(a, b, v, vp, k),
            Activation::Sign => sign::dual(v, vp, k),
        }
    }

    /// E\[σ(u)²\] for u ~ N(0, v): the variance after the nonlinearity, without the rounding of K against √(vv').
    pub fn variance(&self, v: f64) -> f64 {
        match self.kink() {
            Some([a, b]) => 0.5 * (a * a + b * b) * v,
            None => self.dual(v, v, v).cov,
        }
    }

    /// σ(x).
    pub fn value(&self, x: f64) -> f64 {
        match *self {
            Activation::Relu => x.max(0.0),
            Activation::LeakyRelu { alpha } => {
                if x > 0.0 {
                    x
                } else {
                    alpha * x
                }
            }
            Activation::Abs => x.abs(),
            Activation::Erf { a, b, c } => a * libm::erf(b * x) + c,
            Activation::Gelu => gelu::value(x),
            Activation::Sin { a, b, c } => a * (b * x + c).sin(),
            Activation::Cos { a, b, c } => a * (b * x + c).cos(),
            Activation::Rbf { gamma } => sine::rbf_value(gamma, x),
            Activation::Exp { a, b } => a * (b * x).exp(),
            Activation::Gaussian { a, b } => a * (b * x * x).exp(),
            Activation::Sign => {
                if x == 0.0 {
                    0.0
                } else {
                    x.signum()
                }
            }
        }
    }

    /// σ'(x), almost everywhere.
    pub fn derivative(&self, x: f64) -> f64 {
        match *self {
            Activation::Relu => {
                if x > 0.0 {
                    1.0
                } else {
                    0.0
                }
            }
            Activation::LeakyRelu { alpha } => {
                if x > 0.0 {
                    1.0
                } else {
                    alpha
                }
            }
            Activation::Abs => x.signum(),
            Activation::Erf { a, b, .. } => {
                a * b * std::f64::consts::FRAC_2_SQRT_PI * (-(b * x) * (b * x)).exp()
            }
            Activation::Gelu => gelu::derivative(x),
            Activation::Sin { a, b, c } => a * b * (b * x + c).cos(),
            Activation::Cos { a, b, c } => -a * b * (b * x + c).sin(),
            Activation::Rbf { gamma } => sine::rbf_derivative(gamma, x),
            Activation::Exp { a, b } => a * b * (b * x).exp(),
            Activation::Gaussian { a, b } => 2.0 * a * b * x * (b * x * x).exp(),
            Activation::Sign => 0.0,
        }
    }

    /// Nominal floating point operations of (K, Θ) ↦ (K_σ, Θ·K̇) on one element: the arithmetic of the closed form with
    /// a square root, an exponential or an angle counted as 8. Plans use it to compare architectures, not to time them.
    pub fn flops(&self) -> u64 {
        match self {
            Activation::Relu => 24,
            Activation::LeakyRelu { .. } | Activation::Abs => 26,
            Activation::Erf { .. } => 34,
            Activation::Gelu => 48,
            Activation::Sin { .. } | Activation::Cos { .. } => 26,
            Activation::Rbf { .. } => 13,
            Activation::Exp { .. } => 13,
            Activation::Gaussian { .. } => 26,
            Activation::Sign => 20,
        }
    }

    pub(crate) fn read(op: &str, keys: &mut Keys<'_>) -> Result<Option<Activation>, ArchError> {
        let activation = match op {
            "relu" => Activation::Relu,
            "leaky_relu" => Activation::LeakyRelu { alpha: keys.number("alpha")?.unwrap_or(0.01) },
            "abs" => Activation::Abs,
            "erf" => {
                let [a, b, c] = keys.amplitude_rate_offset()?;
                Activation::Erf { a, b, c }
            }
            "gelu" => Activation::Gelu,
            "sin" => {
                let [a, b, c] = keys.amplitude_rate_offset()?;
                Activation::Sin { a, b, c }
            }
            "cos" => {
                let [a, b, c] = keys.amplitude_rate_offset()?;
                Activation::Cos { a, b, c }
            }
            "rbf" => Activation::Rbf { gamma: keys.positive("gamma")?.unwrap_or(1.0) },
            "exp" => {
                Activation::Exp { a: keys.number("a")?.unwrap_or(1.0), b: keys.number("b")?.unwrap_or(1.0) }
            }
            "gaussian" => Activation::Gaussian {
                a: keys.number("a")?.unwrap_or(1.0),
                b: keys.number("b")?.unwrap_or(-1.0),
            },
            "sign" => Activation::Sign,
            _ => return Ok(None),
        };
        Ok(Some(activation))
    }

    pub(crate) fn write(&self, section: &mut Section) {
        match *self {
            Activation::LeakyRelu { alpha } => section.number("alpha", alpha),
            Activation::Erf { a, b, c } | Activation::Sin { a, b, c } | Activation::Cos { a, b, c } => {
                section.number("a", a);
                section.number("b", b);
                section.number("c", c);
            }
            Activation::Rbf { gamma } => section.number("gamma", gamma),
            Activation::Exp { a, b } | Activation::Gaussian { a, b } => {
                section.number("a", a);
                section.number("b", b);
            }
            Activation::Relu | Activation::Abs | Activation::Gelu | Activation::Sign => {}
        }
    }

    /// The first parameter that is not finite, or γ ≤ 0.
    pub(crate) fn bad_parameter(&self) -> Option<(&'static str, f64)> {
        let parameters: &[(&'static str, f64)] = match *self {
            Activation::LeakyRelu { alpha } => &[("alpha", alpha)],
            Activation::Erf { a, b, c } | Activation::Sin { a, b, c } | Activation::Cos { a, b, c } => {
                &[("a", a), ("b", b), ("c", c)]
            }
            Activation::Rbf { gamma } if gamma <= 0.0 => return Some(("gamma", gamma)),
            Activation::Rbf { gamma } => &[("gamma", gamma)],
            Activation::Exp { a, b } | Activation::Gaussian { a, b } => &[("a", a), ("b", b)],
            Activation::Relu | Activation::Abs | Activation::Gelu | Activation::Sign => &[],
        };
        parameters.iter().copied().find(|(_, value)| !value.is_finite())
    }
}
