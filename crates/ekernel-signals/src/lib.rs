//! Samples of core as harmonic coefficients of ekernel-harmonic, for the backends of spherical networks.
//!
//! A sample on the sphere is one signal; a molecule is one signal for each of its atoms that are centers.

use ekernel_core::{AtomDescriptor, BackendError, Input, Samples};
use ekernel_harmonic::{AtomSignals, Complex64, HarmonicError, Harmonics, sphere_coefficients, sphere_len};
use ndarray::{Array2, Axis};

/// f_{c,lm} of one signal, `[channel][packed lm]`.
pub type Coefficients = Array2<Complex64>;

/// Computes the signals of an input. Samples of another kind (`Input::check`) have no signals.
#[derive(Clone, Debug)]
pub struct Signals {
    bandlimit: usize,
    /// Of molecules.
    atoms: Option<(AtomDescriptor, AtomSignals)>,
}

impl Signals {
    /// The signals of an input on the sphere or of molecules; other inputs have none.
    ///
    /// # Errors
    /// Those of [`AtomSignals::new`].
    pub fn new(input: &Input) -> Result<Signals, HarmonicError> {
        let (bandlimit, atoms) = match input {
            Input::Molecule { bandlimit, potential, .. } => {
                let (elements, angle) = (&potential.elements, potential.cutoff_angle);
                let atoms = AtomSignals::new(*bandlimit, elements, potential.radial(), angle)?;
                (*bandlimit, Some((potential.clone(), atoms)))
            }
            Input::Sphere { bandlimit, .. } => (*bandlimit, None),
            Input::Vector { .. } | Input::Image { .. } => (0, None),
        };
        Ok(Signals { bandlimit, atoms })
    }

    /// The number of signals of a sample.
    pub fn count(&self, samples: &Samples, index: usize) -> usize {
        match samples {
            Samples::Spheres(_) => 1,
            Samples::Molecules(_) => self.centers(samples, index).len(),
            Samples::Vectors(_) | Samples::Images(_) => 0,
        }
    }

    /// The atomic numbers of the centers of a molecule; empty for other samples.
    pub fn charges(&self, samples: &Samples, index: usize) -> Vec<u8> {
        let Samples::Molecules(molecules) = samples else { return Vec::new() };
        self.centers(samples, index).into_iter().map(|atom| molecules[index].charges[atom]).collect()
    }

    /// All signals of a sample.
    ///
    /// # Errors
    /// Those of [`Signals::one`].
    pub fn all(&self, samples: &Samples, index: usize) -> Result<Vec<Coefficients>, HarmonicError> {
        (0..self.count(samples, index)).map(|signal| self.one(samples, index, signal)).collect()
    }

    /// One signal of a sample.
    ///
    /// # Errors
    /// Those of [`sphere_coefficients`] and [`AtomSignals::coefficients`].
    ///
    /// # Panics
    /// If the sample has no such signal.
    pub fn one(&self, samples: &Samples, index: usize, signal: usize) -> Result<Coefficients, HarmonicError> {
        match (samples, &self.atoms) {
            (Samples::Spheres(x), _) => sphere_coefficients(self.bandlimit, x.index_axis(Axis(0), index)),
            (Samples::Molecules(molecules), Some((potential, atoms))) => {
                let molecule = &molecules[index];
                let atom = potential.centers(molecule)[signal];
                let strength = |n, distance, charges| potential.strength(n, distance, charges);
                atoms.coefficients(&molecule.charges, molecule.positions.view(), atom, strength)
            }
            _ => Ok(Coefficients::zeros((0, sphere_len(self.bandlimit)))),
        }
    }

    /// One signal of a sample as real coefficients, which backends read.
    ///
    /// # Errors
    /// Those of [`Signals::one`] and [`Harmonics::new`].
    ///
    /// # Panics
    /// If the sample has no such signal.
    pub fn harmonics(
        &self,
        samples: &Samples,
        index: usize,
        signal: usize,
    ) -> Result<Harmonics, HarmonicError> {
        Harmonics::new(self.bandlimit, self.one(samples, index, signal)?.view())
    }

    fn centers(&self, samples: &Samples, index: usize) -> Vec<usize> {
        match (samples, &self.atoms) {
            (Samples::Molecules(molecules), Some((potential, _))) => potential.centers(&molecules[index]),
            _ => Vec::new(),
        }
    }
}

/// The error of the backend `device` if the transforms refuse its signals or sizes.
pub fn refused(device: &'static str) -> impl Fn(HarmonicError) -> BackendError {
    move |error| BackendError::Device {
        device: device.to_owned(),
        problem: error.to_string(),
        remedy: "rescale the data or choose a smaller bandlimit".to_owned(),
    }
}
