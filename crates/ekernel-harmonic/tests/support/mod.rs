//! Reference values of the sphere fixtures, and deterministic numbers.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod naive;

use std::fs::File;

use ekernel_harmonic::{rotation_index, rotation_len, sphere_index, sphere_len};
use ndarray::{Array, Dimension, OwnedRepr};
use ndarray_npy::{NpzReader, ReadableElement};
use rustfft::num_complex::Complex64;

/// An array of the published fixture.
pub(crate) fn oracle<T: ReadableElement, D: Dimension>(name: &str) -> Array<T, D> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/so3/oracle_so3.npz");
    let mut npz = NpzReader::new(File::open(path).expect("the fixture is part of the repository")).unwrap();
    npz.by_name::<OwnedRepr<T>, D>(name).unwrap()
}

/// The pair cases of the fixture: name, bandlimit of the input, of the lifted kernel, w², b².
pub(crate) const CASES: [(&str, usize, usize, f64, f64); 6] = [
    ("rand_erf_422", 4, 2, 1.0, 0.0),
    ("rand_relu_erf_633", 6, 3, 1.0, 0.0),
    ("rand_relu_erf_444_affine", 4, 4, 1.3 * 1.3, 0.4 * 0.4),
    ("CH4C_H2OO_erf_633", 6, 3, 1.0, 0.0),
    ("CH4C_H2OO_relu_erf_555", 5, 5, 1.0, 0.0),
    ("CH4C_self_erf_444", 4, 4, 1.0, 0.0),
];

/// Uniform numbers in (-1, 1) from a 64-bit linear congruential generator.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn real(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    pub(crate) fn complex(&mut self) -> Complex64 {
        Complex64::new(self.real(), self.real())
    }

    pub(crate) fn complexes(&mut self, n: usize) -> Vec<Complex64> {
        (0..n).map(|_| self.complex()).collect()
    }
}

/// The largest |a - b|.
pub(crate) fn max_gap<'a>(
    a: impl IntoIterator<Item = &'a Complex64>,
    b: impl IntoIterator<Item = &'a Complex64>,
) -> f64 {
    a.into_iter().zip(b).map(|(x, y)| (x - y).norm()).fold(0.0, f64::max)
}

/// Fails with the measured figure unless `error` is at most `limit`; prints it for `--nocapture`.
#[track_caller]
pub(crate) fn within(what: &str, error: f64, limit: f64) {
    assert!(error <= limit, "{what}: {error:e} exceeds {limit:e}");
    eprintln!("{what}: {error:e} (limit {limit:e})");
}

/// Coefficients of a real function on the sphere.
pub(crate) fn real_sphere(bandlimit: usize, noise: &mut Noise) -> Vec<Complex64> {
    let mut f = vec![Complex64::default(); sphere_len(bandlimit)];
    for l in 0..bandlimit {
        f[sphere_index(l, 0)] = noise.real().into();
        for m in 1..=l as isize {
            let value = noise.complex();
            f[sphere_index(l, m)] = value;
            f[sphere_index(l, -m)] = value.conj() * if m % 2 == 0 { 1.0 } else { -1.0 };
        }
    }
    f
}

/// Coefficients of a real function on SO(3).
pub(crate) fn real_rotation(bandlimit: usize, noise: &mut Noise) -> Vec<Complex64> {
    let mut f = noise.complexes(rotation_len(bandlimit));
    for l in 0..bandlimit {
        let span = -(l as isize)..=l as isize;
        for m in span.clone() {
            for n in span.clone() {
                let sign = if (m - n) % 2 == 0 { 1.0 } else { -1.0 };
                let value = f[rotation_index(l, m, n)].conj() * sign;
                if (m, n) == (0, 0) {
                    f[rotation_index(l, 0, 0)].im = 0.0;
                } else {
                    f[rotation_index(l, -m, -n)] = value;
                }
            }
        }
    }
    f
}
