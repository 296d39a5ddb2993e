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
    /// For an input on the sphere; others have no units.
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

    /// How many units a sample is.
    pub(super) fn count(samples: &Samples, index: usize) -> usize {
        match samples {
            Samples::Molecules(molecules) => molecules[index].atoms(),
            Samples::Spheres(_) => 1,
            Samples::Vectors(_) | Samples::Images(_) => 0,
        }
    }

    /// One unit of a sample.
    pub(super) fn of(&self, samples: &Samples, index: usize, unit: usize) -> Result<Harmonics, BackendError> {
        let complex = match (samples, &self.atoms) {
            (Samples::Molecules(molecules), Some(atoms)) => {
                let molecule = &molecules[index];
                atoms.coefficients(&molecule.charges, molecule.positions.view(), unit)
            }
            (Samples::Spheres(x), _) => sphere_coefficients(self.bandlimit, x.index_axis(Axis(0), index)),
            _ => Ok(ndarray::Array2::zeros((0, self.bandlimit * self.bandlimit))),
        };
        complex.and_then(|complex| Harmonics::new(self.bandlimit, complex.view())).map_err(refused)
    }
}

/// Signals or sizes that the transforms refuse.
pub(super) fn refused(error: HarmonicError) -> BackendError {
    BackendError::Device {
        device: "cpu".to_owned(),
        problem: error.to_string(),
        remedy: "rescale the data or choose a smaller bandlimit".to_owned(),
    }
}
