//! dual: K ↦ K_σ, Θ ↦ Θ·K̇, a shader per family of activations.

use std::f64::consts::FRAC_PI_2;

use ekernel_core::Activation;
use ekernel_shaders::Dual;

use super::params::Params;

/// The family of an activation and the numbers its shader reads.
pub(super) fn params(params: Params, activation: Activation) -> (Dual, Params) {
    let (family, numbers) = family(activation);
    (family, Params { numbers: numbers.map(|x| x as f32), ..params })
}

/// The family of an activation and its numbers.
pub(crate) fn family(activation: Activation) -> (Dual, [f64; 4]) {
    match activation {
        Activation::Relu => (Dual::Kinked, [0.0, 1.0, 0.0, 0.0]),
        Activation::LeakyRelu { alpha } => (Dual::Kinked, [alpha, 1.0, 0.0, 0.0]),
        Activation::Abs => (Dual::Kinked, [-1.0, 1.0, 0.0, 0.0]),
        Activation::Erf { a, b, c } => (Dual::Erf, [a, b, c, 0.0]),
        Activation::Gelu => (Dual::Gelu, [0.0; 4]),
        Activation::Sin { a, b, c } => (Dual::Sin, [a, b, c.sin(), c.cos()]),
        Activation::Cos { a, b, c } => (Dual::Sin, [a, b, (c + FRAC_PI_2).sin(), (c + FRAC_PI_2).cos()]),
        Activation::Rbf { gamma } => (Dual::Rbf, [gamma, 0.0, 0.0, 0.0]),
        Activation::Exp { a, b } => (Dual::Exp, [a, b, 0.0, 0.0]),
        Activation::Gaussian { a, b } => (Dual::Gaussian, [a, b, 0.0, 0.0]),
        Activation::Sign => (Dual::Sign, [0.0; 4]),
    }
}
