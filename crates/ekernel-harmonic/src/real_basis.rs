//! Coefficients of real functions as real numbers.
//!
//! A real function on S² has f_{l,-m} = (-1)^m conj(f_lm), so 2l+1 real numbers hold degree l:
//! a_l0 = f_l0, a_lm = √2 Re f_lm and a_{l,-m} = √2 Im f_lm for m > 0. They are its coefficients in an orthonormal real
//! basis (1, √2 cos-type, -√2 sin-type harmonics), so sums of squares and of products are the same. A real function
//! on SO(3) goes over by the same unitary matrix on both sides: A^l = V F^l V†, again a real (2l+1)×(2l+1) matrix. In
//! this basis the coefficients of a cross-correlation are plain real products, which cost a third of complex ones.

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

use rustfft::num_complex::Complex;

use crate::error::{HarmonicError, check_bandlimit, check_length};
use crate::packed::{parity, rotation_index, rotation_len, sphere_index, sphere_len};
use crate::real::Real;

/// f_lm of a real function to a_lm, both packed by [`sphere_index`]. Only m ≥ 0 is read.
///
/// # Errors
/// [`HarmonicError::Bandlimit`], [`HarmonicError::Length`].
pub fn sphere_to_real<T: Real>(
    bandlimit: usize,
    complex: &[Complex<T>],
    real: &mut [T],
) -> Result<(), HarmonicError> {
    check(bandlimit, sphere_len(bandlimit), complex.len(), real.len())?;
    let root = T::of(SQRT_2);
    for l in 0..bandlimit {
        real[sphere_index(l, 0)] = complex[sphere_index(l, 0)].re;
        for m in 1..=l as isize {
            let value = complex[sphere_index(l, m)].scale(root);
            real[sphere_index(l, m)] = value.re;
            real[sphere_index(l, -m)] = value.im;
        }
    }
    Ok(())
}

/// a_lm to f_lm, the inverse of [`sphere_to_real`].
///
/// # Errors
/// [`HarmonicError::Bandlimit`], [`HarmonicError::Length`].
pub fn sphere_from_real<T: Real>(
    bandlimit: usize,
    real: &[T],
    complex: &mut [Complex<T>],
) -> Result<(), HarmonicError> {
    check(bandlimit, sphere_len(bandlimit), complex.len(), real.len())?;
    for l in 0..bandlimit {
        complex[sphere_index(l, 0)] = real[sphere_index(l, 0)].into();
        for m in 1..=l as isize {
            let (re, im) = (real[sphere_index(l, m)], real[sphere_index(l, -m)]);
            let value = Complex::new(re, im).scale(T::of(FRAC_1_SQRT_2));
            complex[sphere_index(l, m)] = value;
            complex[sphere_index(l, -m)] = value.conj().scale(T::of(parity(m)));
        }
    }
    Ok(())
}

/// F^l_mn of a real function to A^l_mn, both packed by [`rotation_index`]. Only m ≥ 0 is read.
///
/// # Errors
/// [`HarmonicError::Bandlimit`], [`HarmonicError::Length`].
pub fn rotation_to_real<T: Real>(
    bandlimit: usize,
    complex: &[Complex<T>],
    real: &mut [T],
) -> Result<(), HarmonicError> {
    check(bandlimit, rotation_len(bandlimit), complex.len(), real.len())?;
    let root = T::of(SQRT_2);
    for l in 0..bandlimit {
        let f = |m, n| complex[rotation_index(l, m, n)];
        real[rotation_index(l, 0, 0)] = f(0, 0).re;
        for m in 1..=l as isize {
            let (column, row) = (f(m, 0).scale(root), f(0, m).scale(root));
            real[rotation_index(l, m, 0)] = column.re;
            real[rotation_index(l, -m, 0)] = column.im;
            real[rotation_index(l, 0, m)] = row.re;
            real[rotation_index(l, 0, -m)] = -row.im;
            for n in 1..=l as isize {
                let (a, b) = (f(m, n), f(m, -n).scale(T::of(parity(n))));
                real[rotation_index(l, m, n)] = a.re + b.re;
                real[rotation_index(l, -m, -n)] = a.re - b.re;
                real[rotation_index(l, -m, n)] = b.im + a.im;
                real[rotation_index(l, m, -n)] = b.im - a.im;
            }
        }
    }
    Ok(())
}

/// A^l_mn to F^l_mn, the inverse of [`rotation_to_real`].
///
/// # Errors
/// [`HarmonicError::Bandlimit`], [`HarmonicError::Length`].
pub fn rotation_from_real<T: Real>(
    bandlimit: usize,
    real: &[T],
    complex: &mut [Complex<T>],
) -> Result<(), HarmonicError> {
    check(bandlimit, rotation_len(bandlimit), complex.len(), real.len())?;
    let (root, half) = (T::of(FRAC_1_SQRT_2), T::of(0.5));
    for l in 0..bandlimit {
        let a = |m, n| real[rotation_index(l, m, n)];
        let mut set = |m: isize, n: isize, value: Complex<T>| {
            complex[rotation_index(l, m, n)] = value;
            complex[rotation_index(l, -m, -n)] = value.conj().scale(T::of(parity(m - n)));
        };
        set(0, 0, a(0, 0).into());
        for m in 1..=l as isize {
            set(m, 0, Complex::new(a(m, 0), a(-m, 0)).scale(root));
            set(0, m, Complex::new(a(0, m), -a(0, -m)).scale(root));
            for n in 1..=l as isize {
                set(m, n, Complex::new(a(m, n) + a(-m, -n), a(-m, n) - a(m, -n)).scale(half));
                let mixed = Complex::new(a(m, n) - a(-m, -n), a(-m, n) + a(m, -n));
                set(m, -n, mixed.scale(half * T::of(parity(n))));
            }
        }
    }
    Ok(())
}

fn check(bandlimit: usize, needed: usize, complex: usize, real: usize) -> Result<(), HarmonicError> {
    check_bandlimit("coefficients in the real basis", bandlimit)?;
    check_length("the complex coefficients", complex, needed)?;
    check_length("the real coefficients", real, needed)
}
