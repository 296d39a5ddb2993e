//! What two signals have in common.

use std::f64::consts::PI;

use ekernel_core::BackendError;
use ekernel_harmonic::{Complex64, HarmonicError, cross_correlation, rotation_len, sphere_index};
use ekernel_signals::Coefficients as Signal;
use ndarray::s;

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
