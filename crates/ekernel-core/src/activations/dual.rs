//! What an activation does to kernels.

/// The dual of an activation at one (v, v', K).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dual {
    /// K_σ = E\[σ(u)σ(u')\].
    pub cov: f64,
    /// K̇ = E\[σ'(u)σ'(u')\].
    pub dot: f64,
}
