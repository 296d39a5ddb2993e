//! The definitions, written as sums: O(L⁶) and proud of it. Nothing here comes from the crate but the grids.

use std::f64::consts::PI;

use ekernel_harmonic::{RotationGrid, SphereGrid};
use ndarray::{Array2, Array3};
use rustfft::num_complex::Complex64;

fn factorial(n: i64) -> f64 {
    (1..=n).map(|k| k as f64).product()
}

/// Wigner's explicit sum, good to a dozen digits for l up to about 10.
pub(crate) fn wigner_d(l: i64, m: i64, n: i64, beta: f64) -> f64 {
    let (s, c) = (0.5 * beta).sin_cos();
    let root = (factorial(l + m) * factorial(l - m) * factorial(l + n) * factorial(l - n)).sqrt();
    (0.max(n - m)..=(l + n).min(l - m))
        .map(|k| {
            let sign = if (m - n + k) % 2 == 0 { 1.0 } else { -1.0 };
            let below = factorial(l + n - k) * factorial(k) * factorial(m - n + k) * factorial(l - m - k);
            let (cosines, sines) = (2 * l + n - m - 2 * k, m - n + 2 * k);
            sign * root / below * c.powi(cosines as i32) * s.powi(sines as i32)
        })
        .sum()
}

/// D^l_mn(α, β, γ).
pub(crate) fn big_d(l: i64, m: i64, n: i64, [alpha, beta, gamma]: [f64; 3]) -> Complex64 {
    Complex64::from_polar(wigner_d(l, m, n, beta), -(m as f64 * alpha + n as f64 * gamma))
}

/// Y_lm(θ, φ).
pub(crate) fn harmonic(l: i64, m: i64, theta: f64, phi: f64) -> Complex64 {
    let norm = ((2 * l + 1) as f64 / (4.0 * PI)).sqrt();
    Complex64::from_polar(norm * wigner_d(l, m, 0, theta), m as f64 * phi)
}

/// (l, m) in packed order.
pub(crate) fn sphere_orders(bandlimit: usize) -> impl Iterator<Item = (i64, i64)> {
    (0..bandlimit as i64).flat_map(|l| (-l..=l).map(move |m| (l, m)))
}

/// (l, m, n) in packed order.
pub(crate) fn rotation_orders(bandlimit: usize) -> impl Iterator<Item = (i64, i64, i64)> {
    (0..bandlimit as i64).flat_map(|l| (-l..=l).flat_map(move |m| (-l..=l).map(move |n| (l, m, n))))
}

pub(crate) fn sphere_inverse(bandlimit: usize, grid: &SphereGrid, f: &[Complex64]) -> Array2<Complex64> {
    Array2::from_shape_fn(grid.shape(), |(t, p)| {
        let theta = grid.polar().angles()[t];
        sphere_orders(bandlimit).zip(f).map(|((l, m), f)| f * harmonic(l, m, theta, grid.phi(p))).sum()
    })
}

pub(crate) fn sphere_forward(bandlimit: usize, grid: &SphereGrid, f: &Array2<Complex64>) -> Vec<Complex64> {
    sphere_orders(bandlimit)
        .map(|(l, m)| {
            f.indexed_iter()
                .map(|((t, p), f)| {
                    let theta = grid.polar().angles()[t];
                    f * harmonic(l, m, theta, grid.phi(p)).conj() * grid.area(t)
                })
                .sum()
        })
        .collect()
}

/// f at one rotation.
pub(crate) fn evaluate(bandlimit: usize, f: &[Complex64], at: [f64; 3]) -> Complex64 {
    rotation_orders(bandlimit)
        .zip(f)
        .map(|((l, m, n), f)| f * big_d(l, m, n, at).conj() * ((2 * l + 1) as f64 / (8.0 * PI * PI)))
        .sum()
}

pub(crate) fn euler(grid: &RotationGrid, (j, p, r): (usize, usize, usize)) -> [f64; 3] {
    [grid.alpha(p), grid.polar().angles()[j], grid.gamma(r)]
}

pub(crate) fn rotation_inverse(bandlimit: usize, grid: &RotationGrid, f: &[Complex64]) -> Array3<Complex64> {
    Array3::from_shape_fn(grid.shape(), |at| evaluate(bandlimit, f, euler(grid, at)))
}

pub(crate) fn rotation_forward(
    bandlimit: usize,
    grid: &RotationGrid,
    f: &Array3<Complex64>,
) -> Vec<Complex64> {
    rotation_orders(bandlimit)
        .map(|(l, m, n)| {
            f.indexed_iter().map(|(at, f)| f * big_d(l, m, n, euler(grid, at)) * grid.volume(at.0)).sum()
        })
        .collect()
}
