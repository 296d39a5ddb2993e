//! The atoms of a molecule: a plan of their own per pair of atoms, whose outputs are added up over pairs.

use super::{AtomReadout, Graph, HeadOp, Scalar, head};
use crate::AtomPairing;

/// What is computed for each pair of atoms.
#[derive(Clone, Debug, PartialEq)]
pub struct AtomPlan {
    /// Which pairs.
    pub pairing: AtomPairing,
    /// The values per pair of atoms.
    pub readouts: Vec<AtomReadout>,
    /// The ops on them.
    pub head: Graph<HeadOp>,
    /// The ops of the head that are added up over pairs of atoms, one for each atom_sum.
    pub outputs: Vec<usize>,
    /// Whether the head needs each atom's value with itself.
    pub needs_self: bool,
}

impl AtomPlan {
    /// Runs the head on one pair of atoms: one value for each of [`AtomPlan::outputs`].
    ///
    /// `readouts[i]` holds the pair's value at readout i, with v and v' the atoms' values with themselves where
    /// [`AtomPlan::needs_self`]; `same` says that both are one atom of one sample of a symmetric Gram matrix, for dropout.
    pub fn run(&self, readouts: &[Scalar], same: bool) -> Vec<Scalar> {
        let values = head::run(&self.head, readouts, same);
        self.outputs.iter().map(|&output| values[output]).collect()
    }

    /// The sum of each of [`AtomPlan::outputs`] over pairs of atoms (i, j) with their readouts, in their order; `same` says that
    /// both molecules are one sample of a symmetric Gram matrix.
    pub fn sums<R: AsRef<[Scalar]>>(
        &self,
        pairs: impl IntoIterator<Item = ([usize; 2], R)>,
        same: bool,
    ) -> Vec<Scalar> {
        let mut sums = vec![Scalar::default(); self.outputs.len()];
        for ([i, j], readouts) in pairs {
            for (sum, value) in sums.iter_mut().zip(self.run(readouts.as_ref(), same && i == j)) {
                sum.nngp += value.nngp;
                sum.ntk += value.ntk;
            }
        }
        sums
    }
}
