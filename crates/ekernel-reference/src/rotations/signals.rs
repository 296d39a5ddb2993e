//! Samples as harmonic coefficients, and what two of them have in common.

use std::f64::consts::PI;

use ekernel_core::{BackendError, Input, Samples};
use ekernel_harmonic::{
    AtomSignals, Complex64, HarmonicError, cross_correlation, rotation_len, sphere_coefficients, sphere_index,
};
use ndarray::{Array2, Axis, s};

/// f_{c,lm} of a signal on the sphere, `[channel][packed lm]`.
pub(crate) type Signal = Array2<Complex64>;

/// A sample: one signal, or one for every atom.
pub(super) fn signals(input: &Input, samples: &Samples, i: usize) -> Result<Vec<Signal>, BackendError> {
    match (input, samples) {
        (Input::Sphere { bandlimit, .. }, Samples::Spheres(x)) => {
            Ok(vec![sphere_coefficients(*bandlimit, x.index_axis(Axis(0), i)).map_err(failed)?])
        }
        (Input::Molecule { bandlimit, potential, .. }, Samples::Molecules(molecules)) => {
            let molecule = &molecules[i];
            let (elements, angle) = (&potential.elements, potential.cutoff_angle);
            let maker = AtomSignals::new(*bandlimit, elements, potential.radial(), angle).map_err(failed)?;
            let strength = |n, distance, charges| potential.strength(n, distance, charges);
            let signal = |atom| {
                maker
                    .coefficients(&molecule.charges, molecule.positions.view(), atom, strength)
                    .map_err(failed)
            };
            potential.centers(molecule).into_iter().map(signal).collect()
        }
        // Samples have been checked against the input.
        _ => Ok(vec![]),
    }
}

/// The atomic numbers of the atoms whose signals [`signals`] gives, of molecules.
pub(super) fn charges(input: &Input, samples: &Samples, i: usize) -> Vec<u8> {
    match (input, samples) {
        (Input::Molecule { potential, .. }, Samples::Molecules(molecules)) => {
            let centers = potential.centers(&molecules[i]);
            centers.into_iter().map(|atom| molecules[i].charges[atom]).collect()
        }
        _ => vec![],
    }
}

/// (1/4πC) Σ_c Σ_{l<L} f_{c,lm} conj(f'_{c,lm}).
pub(super) fn inner(bandlimit: usize, f: &Signal, fp: &Signal) -> f64 {
    let keep = s![.., ..bandlimit * bandlimit];
    let sum: f64 = f.slice(keep).iter().zip(fp.slice(keep)).map(|(a, b)| (a * b.conj()).re).sum();
    sum / (4.0 * PI * f.nrows() as f64)
}

/// The coefficients of k(U) = (1/4πC) Σ_c ⟨f_c, U f'_c⟩ = (1/4πC) Σ_c Σ_lmn f_{c,lm} conj(D^l_mn f'_{c,ln}):
/// k^l_mn = 2π/(2l+1) · (1/C) Σ_c f_{c,lm} conj(f'_{c,ln}).
pub(super) fn correlate(bandlimit: usize, f: &Signal, fp: &Signal) -> Result<Vec<Complex64>, BackendError> {
    let mut k = vec![Complex64::default(); rotation_len(bandlimit)];
    cross_correlation(bandlimit, f.view(), fp.view(), &mut k).map_err(failed)?;
    let scale = 1.0 / (4.0 * PI * f.nrows() as f64);
    k.iter_mut().for_each(|k| *k *= scale);
    Ok(k)
}

/// The signal at a direction: Σ_lm f_lm Y_lm, per channel.
pub(super) fn value(bandlimit: usize, f: &Signal, harmonics: &[Complex64]) -> Vec<f64> {
    let of = |row: ndarray::ArrayView1<'_, Complex64>| {
        let term = |(l, m)| row[sphere_index(l, m)] * harmonics[sphere_index(l, m)];
        let all = (0..bandlimit).flat_map(|l| (-(l as isize)..=l as isize).map(move |m| (l, m)));
        all.map(|at| term(at).re).sum()
    };
    f.outer_iter().map(of).collect()
}

/// What a transform refuses, as the backend's error.
pub(super) fn failed(error: HarmonicError) -> BackendError {
    BackendError::Device {
        device: "reference".to_owned(),
        problem: error.to_string(),
        remedy: "lower the bandlimit or rescale the data".to_owned(),
    }
}
