//! The spherical cross-correlation, which lifts two functions on S² to one on SO(3).

use ndarray::ArrayView2;
use rustfft::num_complex::Complex;

use std::f64::consts::PI;

use crate::error::{HarmonicError, check_bandlimit, check_length};
use crate::packed::{orders, rotation_index, rotation_len, sphere_index, sphere_len};
use crate::real::Real;

/// The coefficients of c(U) = Σ_c ⟨f_c, U·f'_c⟩ = Σ_c ∫_{S²} f_c(x) conj(f'_c(U⁻¹x)) dx:
/// c^l_mn = 8π²/(2l+1) Σ_c f_{c,lm} conj(f'_{c,ln}).
///
/// `first` and `second` are `[channel][packed lm]` with at least the coefficients below `bandlimit`; higher degrees
/// are left out. The lifted kernel of an S² convolution is k(U) = w²/(4πC)·c(U) + b², so
/// k^l_mn = (2π/(2l+1)) (w²/C) Σ_c f_{c,lm} conj(f'_{c,ln}) + 8π² b² δ_l0.
///
/// # Errors
/// [`HarmonicError::Bandlimit`], [`HarmonicError::Length`].
pub fn cross_correlation<T: Real>(
    bandlimit: usize,
    first: ArrayView2<'_, Complex<T>>,
    second: ArrayView2<'_, Complex<T>>,
    correlation: &mut [Complex<T>],
) -> Result<(), HarmonicError> {
    check_bandlimit("the cross-correlation", bandlimit)?;
    check_length("the correlation", correlation.len(), rotation_len(bandlimit))?;
    check_length("the channels of the second signal", second.nrows(), first.nrows())?;
    for (what, coefficients) in [
        ("the first signal, per channel,", first.ncols()),
        ("the second signal, per channel,", second.ncols()),
    ] {
        if coefficients < sphere_len(bandlimit) {
            check_length(what, coefficients, sphere_len(bandlimit))?;
        }
    }
    for l in 0..bandlimit {
        let weight = T::of(8.0 * PI * PI / (2 * l + 1) as f64);
        for m in orders(l) {
            for n in orders(l) {
                let (f, g) = (first.column(sphere_index(l, m)), second.column(sphere_index(l, n)));
                let sum =
                    f.iter().zip(g).fold(Complex::default(), |sum: Complex<T>, (f, g)| sum + f * g.conj());
                correlation[rotation_index(l, m, n)] = sum.scale(weight);
            }
        }
    }
    Ok(())
}
