//! One molecule: atoms at positions.

use ndarray::Array2;

use super::error::SamplesError;

/// Atoms at positions. How they become signals on the sphere is said by [`Input::Molecule`](crate::Input::Molecule).
#[derive(Clone, Debug, PartialEq)]
pub struct Molecule {
    /// Atomic numbers.
    pub charges: Vec<u8>,
    /// Positions in Å, shape (atoms, 3).
    pub positions: Array2<f64>,
}

impl Molecule {
    /// Number of atoms.
    pub fn atoms(&self) -> usize {
        self.charges.len()
    }

    pub(super) fn validate(&self, sample: usize) -> Result<(), SamplesError> {
        let atoms = self.atoms();
        if self.positions.dim() != (atoms, 3) {
            let shape = self.positions.shape().to_vec();
            return Err(SamplesError::Positions { sample, atoms, shape });
        }
        if atoms < 2 {
            return Err(SamplesError::TooFewAtoms { sample, atoms });
        }
        for ((atom, axis), &value) in self.positions.indexed_iter() {
            if !value.is_finite() {
                return Err(SamplesError::NotFinite { sample, index: vec![atom, axis], value });
            }
        }
        for i in 0..atoms {
            for j in 0..i {
                let distance = self.distance(i, j);
                if !(MIN_DISTANCE..=MAX_DISTANCE).contains(&distance) {
                    return Err(SamplesError::Distance {
                        sample,
                        atoms: [j, i],
                        distance,
                        min: MIN_DISTANCE,
                    });
                }
            }
        }
        Ok(())
    }

    /// The distance of two atoms in Å.
    pub fn distance(&self, i: usize, j: usize) -> f64 {
        (0..3).fold(0.0, |sum, k| f64::hypot(sum, self.positions[[i, k]] - self.positions[[j, k]]))
    }
}

/// In Å. No two nuclei come closer; potentials 1/r^p explode below.
const MIN_DISTANCE: f64 = 0.05;

/// In Å.
const MAX_DISTANCE: f64 = 1e15;
