//! Signals on the sphere from arrays of samples.

use std::f64::consts::PI;

use ekernel_core::Samples;
use ndarray::{Array2, Array4, Axis};

use crate::error::DataError;
use crate::place::Place;

/// Takes arrays (n, 2L, 2L-1) or (n, 2L, 2L-1, C), as [`read_samples`](crate::read_samples) gives them, for signals on
/// the sphere: 2L rings θ_t = (2t+1)π/4L from the north pole, 2L-1 points φ_p = 2πp/(2L-1) on each, C channels.
///
/// # Errors
/// [`DataError::SphereGrid`] for shapes that no bandlimit L has.
///
/// ```
/// use ekernel_core::Samples;
/// use ekernel_data::{Place, on_the_sphere};
///
/// let place = Place::entry("signals.npz", "x");
/// let signals = on_the_sphere(Samples::Images(ndarray::Array4::zeros((5, 12, 11, 3))), &place)?;
/// assert_eq!(signals.sample_shape(), [12, 11, 3]);
/// let odd = on_the_sphere(Samples::Images(ndarray::Array4::zeros((5, 11, 11, 3))), &place).unwrap_err();
/// assert!(odd.to_string().contains("11 rings, an odd number"));
/// # Ok::<(), ekernel_data::DataError>(())
/// ```
pub fn on_the_sphere(samples: Samples, place: &Place) -> Result<Samples, DataError> {
    let shape = samples.sample_shape();
    let fault = |reason: String| DataError::SphereGrid { place: place.clone(), shape: shape.clone(), reason };
    let layout = "samples are (n, 2L, 2L-1, channels), rings first";
    let signals = match samples {
        Samples::Images(signals) | Samples::Spheres(signals) => signals,
        Samples::Vectors(_) => return Err(fault(layout.to_owned())),
        Samples::Molecules(_) => return Err(fault("these are molecules".to_owned())),
    };
    let (_, rings, points, _) = signals.dim();
    if rings % 2 == 1 {
        return Err(fault(format!(
            "{rings} rings, an odd number; a grid of bandlimit L has 2L rings ({layout})"
        )));
    }
    if points + 1 != rings {
        let (bandlimit, needed) = (rings / 2, rings - 1);
        return Err(fault(format!(
            "{rings} rings are those of bandlimit {bandlimit}, which have {needed} points each, not {points} ({layout})"
        )));
    }
    Ok(Samples::Spheres(signals))
}

/// Signals of 2L points on each of 2L rings, as other programs keep them, on the 2L-1 points of these rings; `None` of other shapes.
///
/// Rings hold the orders |m| < L of signals of the degrees l < L, and 2L points determine these: they are interpolated by
/// trigonometric functions. What a ring holds of the order L is no part of such signals and is left out.
pub fn from_even_rings(samples: &Samples) -> Option<Samples> {
    let (Samples::Images(signals) | Samples::Spheres(signals)) = samples else { return None };
    let (n, rings, points, channels) = signals.dim();
    if rings != points || rings == 0 || rings % 2 == 1 {
        return None;
    }
    let bandlimit = rings / 2;
    let angle = |p: usize, of: usize| 2.0 * PI * p as f64 / of as f64;
    let weights = Array2::from_shape_fn((points - 1, points), |(to, from)| {
        let apart = angle(to, points - 1) - angle(from, points);
        let orders: f64 = (1..bandlimit).map(|m| 2.0 * (m as f64 * apart).cos()).sum();
        (1.0 + orders) / points as f64
    });
    let mut moved = Array4::zeros((n, rings, points - 1, channels));
    for (ring, mut into) in signals.lanes(Axis(2)).into_iter().zip(moved.lanes_mut(Axis(2))) {
        into.assign(&weights.dot(&ring));
    }
    Some(Samples::Spheres(moved))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A polynomial of degree 3 on the sphere, on both grids.
    #[test]
    fn even_rings_are_interpolated() {
        let signal = |theta: f64, phi: f64| {
            let (x, y, z) = (theta.sin() * phi.cos(), theta.sin() * phi.sin(), theta.cos());
            0.3 + x - 2.0 * y * z + x * x * y + z * z * z
        };
        let grid = |points: usize| {
            Array4::from_shape_fn((2, 8, points, 1), |(i, t, p, _)| {
                let (theta, phi) = ((2 * t + 1) as f64 * PI / 16.0, 2.0 * PI * p as f64 / points as f64);
                signal(theta, phi) + i as f64
            })
        };
        let Some(Samples::Spheres(found)) = from_even_rings(&Samples::Images(grid(8))) else {
            panic!("signals expected")
        };
        assert!((&found - &grid(7)).iter().all(|x| x.abs() < 1e-14));
        assert_eq!(from_even_rings(&Samples::Images(grid(7))), None);
    }

    #[test]
    fn only_grids_of_a_bandlimit() {
        let place = Place::entry("s.npz", "x");
        let take = |shape: [usize; 4]| on_the_sphere(Samples::Images(Array4::zeros(shape)), &place);
        for bandlimit in [1, 2, 6] {
            let samples = take([3, 2 * bandlimit, 2 * bandlimit - 1, 2]).unwrap();
            assert!(matches!(samples, Samples::Spheres(_)));
            assert_eq!(samples.len(), 3);
        }
        let fault = |shape| take(shape).unwrap_err().to_string();
        assert!(fault([3, 7, 6, 2]).contains("[7, 6, 2]") && fault([3, 7, 6, 2]).contains("7 rings, an odd"));
        assert!(fault([3, 8, 8, 2]).contains("bandlimit 4, which have 7 points each, not 8"));
        assert!(fault([3, 11, 12, 2]).contains("rings first"));
        assert!(on_the_sphere(Samples::Vectors(Array2::zeros((3, 4))), &place).is_err());
    }
}
