//! Samples as units: a signal on the sphere is one, a molecule is one for each atom.

use ekernel_core::{BackendError, Input, Samples};
use ekernel_harmonic::{AtomSignals, HarmonicError, Harmonics, sphere_coefficients};
use ndarray::Axis;

/// Makes units of samples.
pub(super) struct Units {
    bandlimit: usize,
    /// Of molecules.
    atoms: Option<AtomSignals>,
}

impl Units {
    pub(super) fn new(input: &Input) -> Result<Units, BackendError> {
        match input {
            Input::Molecule { bandlimit, potential, .. } => {
                let (elements, powers) = (&potential.elements, &potential.powers);
                let atoms = AtomSignals::new(*bandlimit, elements, powers, potential.cutoff_angle);
                Ok(Units { bandlimit: *bandlimit, atoms: Some(atoms.map_err(refused)?) })
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
            (Samples::Molecules(molecules), Some(atoms)) => {
                let molecule = &molecules[index];
                let (charges, positions) = (&molecule.charges, molecule.positions.view());
                let atom = |atom| harmonics(atoms.coefficients(charges, positions, atom));
                (0..molecule.atoms()).map(atom).collect()
            }
            _ => Ok(Vec::new()),
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
