//! One value per pair.

use crate::GroupElement;

/// One value per pair.
#[derive(Clone, Debug, PartialEq)]
pub enum Readout {
    /// K⁰ of a vector input, Θ⁰ = 0.
    Vector,
    /// The last stage of a chain, averaged over the orbit.
    Planes {
        /// The stage.
        stage: usize,
        /// The mean runs over K(f, g·f') for these g; the identity alone without a group.
        orbit: Vec<GroupElement>,
    },
    /// (1/8π²) ∫ k(U) dU of a rotation stage, Θ likewise.
    Rotations {
        /// The stage.
        stage: usize,
    },
    /// (1/4πC) Σ_c Σ_lm f_{c,lm} conj(f'_{c,lm}) of two signals on the sphere, Θ = 0.
    Sphere,
    /// The sum of an output of [`Plan::atoms`](super::Plan::atoms) over pairs of atoms.
    Atoms {
        /// The index into [`AtomPlan::outputs`](super::AtomPlan::outputs).
        output: usize,
    },
}

impl From<AtomReadout> for Readout {
    fn from(readout: AtomReadout) -> Readout {
        match readout {
            AtomReadout::Rotations { stage } => Readout::Rotations { stage },
            AtomReadout::Sphere => Readout::Sphere,
        }
    }
}

/// One value per pair of atoms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AtomReadout {
    /// (1/8π²) ∫ k(U) dU of a rotation stage, Θ likewise.
    Rotations {
        /// The stage.
        stage: usize,
    },
    /// (1/4πC) Σ_c Σ_lm f_{c,lm} conj(f'_{c,lm}) of the signals of two atoms, Θ = 0.
    Sphere,
}
