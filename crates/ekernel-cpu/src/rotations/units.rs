//! Samples as units: a signal on the sphere is one, a molecule is one for each atom.

use ekernel_core::{BackendError, Input, Potential, Samples};
use ekernel_harmonic::{AtomSignals, HarmonicError, sphere_coefficients};
use ndarray::Axis;

use super::signal::Harmonics;

/// Makes units of samples.
pub(super) struct Units<'a> {
    bandlimit: usize,
    /// Of molecules.
    atoms: Option<(&'a Potential, AtomSignals)>,
}

impl<'a> Units<'a> {
    pub(super) fn new(input: &'a Input) -> Result<Units<'a>, BackendError> {
        match input {
            Input::Molecule { bandlimit, potential, .. } => {
                let (elements, angle) = (&potential.elements, potential.cutoff_angle);
                let atoms = AtomSignals::new(*bandlimit, elements, potential.radial(), angle);
                Ok(Units { bandlimit: *bandlimit, atoms: Some((potential, atoms.map_err(refused)?)) })
            }
            Input::Sphere { bandlimit, .. } => Ok(Units { bandlimit: *bandlimit, atoms: None }),
            Input::Vector { .. } | Input::Image { .. } => Ok(Units { bandlimit: 0, atoms: None }),
        }
    }

    /// The units of one sample.
    pub(super) fn of(&self, samples: &Samples, index: usize) -> Result<Vec<Harmonics>, BackendError> {
        let harmonics = |complex: Result<ndarray::Array2<_>, HarmonicError>| {
            complex.and_then(|complex| Harmonics::new(self.bandlimit, complex.view())).map_err(refused)
        };
        match (samples, &self.atoms) {
            (Samples::Spheres(x), _) => {
                Ok(vec![harmonics(sphere_coefficients(self.bandlimit, x.index_axis(Axis(0), index)))?])
            }
            (Samples::Molecules(molecules), Some((potential, atoms))) => {
                let molecule = &molecules[index];
                let (charges, positions) = (&molecule.charges, molecule.positions.view());
                let strength = |n, distance, charges| potential.strength(n, distance, charges);
                let atom = |atom| harmonics(atoms.coefficients(charges, positions, atom, strength));
                potential.centers(molecule).into_iter().map(atom).collect()
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The atomic numbers of the units of one sample, of molecules.
    pub(super) fn charges(&self, samples: &Samples, index: usize) -> Vec<u8> {
        match (samples, &self.atoms) {
            (Samples::Molecules(molecules), Some((potential, _))) => {
                let molecule = &molecules[index];
                potential.centers(molecule).into_iter().map(|atom| molecule.charges[atom]).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Signals that the transforms refuse.
pub(super) fn refused(error: HarmonicError) -> BackendError {
    BackendError::Device {
        device: "cpu".to_owned(),
        problem: error.to_string(),
        remedy: "rescale the data or choose a smaller bandlimit".to_owned(),
    }
}
