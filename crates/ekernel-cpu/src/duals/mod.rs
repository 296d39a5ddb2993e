//! Duals of smooth activations in the lanes of a register: (v, v', K) ↦ (K_σ, K̇), without a branch and without a call.
//!
//! What an image brings to a position is found once, in float64 from its variance ([`Smooth::numbers`]): at most two numbers of
//! which those of two images give the dual with a few operations. The formulas are those of `ekernel_core::Activation`, in one
//! file per form: [`arcsine`] (erf, gelu, gaussian) and [`waves`] (sin, cos, rbf, exp).

mod arcsine;
pub(crate) mod coefficients;
mod elementary;
mod family;
mod smooth;
mod waves;

pub(crate) use family::{Family, NUMBERS, Units, Visitor};
pub(crate) use smooth::Smooth;

#[cfg(test)]
mod tests;
