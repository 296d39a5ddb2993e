//! Pointwise nonlinearities and their duals: for (u, u') ~ N(0, [[v, K], [K, v']]),
//! K_σ = E\[σ(u)σ(u')\] and K̇ = E\[σ'(u)σ'(u')\], so that a layer maps (K, Θ) to (K_σ, Θ·K̇).
//!
//! Formulas are closed and evaluated in float64; every one is proved against quadrature of its definition in the tests of
//! `ekernel-reference`. One activation family, one file.

mod activation;
mod dual;
mod erf;
mod exponential;
mod gaussian;
mod gelu;
mod kinked;
mod sign;
mod sine;

pub use activation::Activation;
pub use dual::Dual;
