//! Which of the two kernels a machine is made from.

use ekernel_core::KernelSet;
use serde::Serialize;

/// One of the two kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The covariance of networks at initialisation; a machine of it is the Bayesian posterior.
    Nngp,
    /// The neural tangent kernel; a machine of it is the mean of trained networks.
    Ntk,
}

impl Kind {
    /// `nngp` or `ntk`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Nngp => "nngp",
            Kind::Ntk => "ntk",
        }
    }

    /// What has to be computed to have all of these.
    pub fn needed(kinds: &[Kind]) -> KernelSet {
        if kinds.contains(&Kind::Ntk) { KernelSet::Both } else { KernelSet::Nngp }
    }
}
