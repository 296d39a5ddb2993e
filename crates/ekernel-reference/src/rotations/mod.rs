//! Networks on the sphere and on SO(3), for signals and for the atoms of molecules.
//!
//! A kernel K(R, R') on SO(3) that comes from filters on all of S² and SO(3) is k(R R'⁻¹) (Misof, Kessel and Gerken 2025,
//! lemmata 12 and 13, theorem 6), so a pair of signals is carried as k(U) and Θ(U) on the points of a quadrature rule
//! ([`rule`]), by sums over coefficients and points without any fast transform. [`literal`] keeps both arguments.

mod field;
pub(crate) mod literal;
mod molecule;
mod pass;
mod rule;
mod session;
mod signals;

use std::fmt;

use ekernel_core::Quadrature;

pub(crate) use session::prepare;

/// On which points of SO(3) kernels are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationMode {
    /// Gauss-Legendre nodes in β and equidistant angles α and γ: the grid of the fast backends.
    Grid(Quadrature),
    /// The points R_i R_j⁻¹ of pairs of Driscoll-Healy grids, of the bandlimit that each layer has; so3_conv without a
    /// bandlimit keeps the present one. This is what the published code computes, with tensors over pairs of grids, and has
    /// their discretisation error of about a percent.
    RingRule,
}

impl fmt::Display for RotationMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RotationMode::Grid(Quadrature::Accurate) => f.write_str("accurate quadrature"),
            RotationMode::Grid(Quadrature::Fast) => f.write_str("fast quadrature"),
            RotationMode::Grid(Quadrature::Nodes(nodes)) => write!(f, "quadrature of {nodes} nodes"),
            RotationMode::RingRule => f.write_str("ring rule"),
        }
    }
}

impl Default for RotationMode {
    fn default() -> RotationMode {
        RotationMode::Grid(Quadrature::Accurate)
    }
}
