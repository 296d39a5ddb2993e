//! Which dual an activation has, and what it needs of an image.

use ekernel_core::Activation;

use super::{
    arcsine::{Erf, Gaussian, Gelu},
    family::{Family, NUMBERS, Units, Visitor},
    waves::{Exponential, Sine},
};
use crate::simd::Real;

/// The dual of a smooth activation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Smooth(Activation);

impl Smooth {
    /// Of an activation without a kink.
    pub(crate) fn new(activation: Activation) -> Option<Smooth> {
        (activation.kink().is_none() && activation != Activation::Sign).then_some(Smooth(activation))
    }

    pub(crate) fn activation(self) -> Activation {
        self.0
    }

    /// How many numbers per position of an image it reads.
    pub(crate) fn count(self) -> usize {
        if self.0 == Activation::Gelu { 2 } else { 1 }
    }

    /// The factors of its family.
    pub(crate) fn units(self) -> Units {
        struct OfFamily;
        impl Visitor<f64> for OfFamily {
            type Output = Units;
            fn visit(self, family: impl Family<f64>) -> Units {
                family.units()
            }
        }
        self.visit(OfFamily)
    }

    /// K_σ at equal values of variance v.
    pub(crate) fn variance(self, v: f64) -> f64 {
        self.0.variance(v)
    }

    /// What an image of variance v brings.
    pub(crate) fn numbers(self, v: f64) -> [f64; NUMBERS] {
        match self.0 {
            Activation::Erf { b, .. } => [1.0 / (1.0 + 2.0 * b * b * v).sqrt(), 0.0],
            Activation::Gelu => {
                let inverse = 1.0 / (1.0 + v).sqrt();
                [inverse, v * inverse]
            }
            Activation::Gaussian { b, .. } => [1.0 / (1.0 - 2.0 * b * v).sqrt(), 0.0],
            Activation::Sin { b, .. } | Activation::Cos { b, .. } => [-0.5 * b * b * v, 0.0],
            Activation::Rbf { gamma } => [-gamma * v, 0.0],
            Activation::Exp { b, .. } => [0.5 * b * b * v, 0.0],
            Activation::Relu | Activation::LeakyRelu { .. } | Activation::Abs | Activation::Sign => [0.0; 2],
        }
    }

    /// Runs `visitor` for the family of this activation.
    #[inline(always)]
    pub(crate) fn visit<T: Real, V: Visitor<T>>(self, visitor: V) -> V::Output {
        match self.0 {
            Activation::Erf { a, b, c } => visitor.visit(Erf { a, b, c }),
            Activation::Gaussian { a, b } => visitor.visit(Gaussian { a, b }),
            Activation::Sin { a, b, c } => visitor.visit(Sine::new(a, b, c)),
            Activation::Cos { a, b, c } => visitor.visit(Sine::new(a, b, c + std::f64::consts::FRAC_PI_2)),
            Activation::Rbf { gamma } => visitor.visit(Exponential { scale: 1.0, rate: 2.0 * gamma }),
            Activation::Exp { a, b } => visitor.visit(Exponential { scale: a * a, rate: b * b }),
            // Those with a kink are no smooth ones ([`Smooth::new`]).
            Activation::Gelu
            | Activation::Relu
            | Activation::LeakyRelu { .. }
            | Activation::Abs
            | Activation::Sign => visitor.visit(Gelu),
        }
    }
}
