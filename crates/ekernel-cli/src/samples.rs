//! Samples that kernels are tried on: random ones, and the ones on which formulas lose their digits.

use ekernel_core::{Input, Samples};
use ndarray::{Array2, Array4};

use crate::draws::SplitMix64;

/// Samples of one kind, as rows of values.
pub(crate) struct Nasty {
    /// What is special about them, one word or two each.
    pub(crate) names: Vec<&'static str>,
    pub(crate) samples: Samples,
}

/// Random samples of a network's input, uniform in [0, 1).
pub(crate) fn random(input: &Input, n: usize, seed: u64) -> Samples {
    let size: usize = input.shape().iter().product();
    let mut random = SplitMix64::new(seed);
    shaped(input, (0..n).map(|_| (0..size).map(|_| random.uniform()).collect()).collect())
}

/// Random samples and repeated, nearly repeated, collinear, constant, half black and all black ones.
pub(crate) fn nasty(input: &Input, seed: u64) -> Nasty {
    let size: usize = input.shape().iter().product();
    let mut random = SplitMix64::new(seed);
    let mut draw = || (0..size).map(|_| random.uniform() - 0.3).collect::<Vec<f64>>();
    let (first, second, third) = (draw(), draw(), draw());
    let change =
        |f: &dyn Fn(usize, f64) -> f64| first.iter().enumerate().map(|(i, &x)| f(i, x)).collect::<Vec<_>>();
    let named: Vec<(&'static str, Vec<f64>)> = vec![
        ("random", first.clone()),
        ("random", second),
        ("random", third),
        ("repeated", first.clone()),
        ("nearly repeated", change(&|i, x| if i == 0 { x + 1e-5 } else { x })),
        ("collinear", change(&|_, x| 2.0 * x)),
        ("opposite", change(&|_, x| -x)),
        ("constant", vec![0.5; size]),
        ("half black", change(&|i, x| if i < size / 2 { 0.0 } else { x })),
        ("one pixel", change(&|i, _| if i == size / 2 { 1.0 } else { 0.0 })),
        ("black", vec![0.0; size]),
    ];
    let (names, rows) = named.into_iter().unzip();
    Nasty { names, samples: shaped(input, rows) }
}

fn shaped(input: &Input, rows: Vec<Vec<f64>>) -> Samples {
    let n = rows.len();
    match *input {
        Input::Vector { features } => {
            Samples::Vectors(Array2::from_shape_fn((n, features), |(i, j)| rows[i][j]))
        }
        Input::Image { height, width, channels } => {
            Samples::Images(Array4::from_shape_fn((n, height, width, channels), |(i, y, x, c)| {
                rows[i][(y * width + x) * channels + c]
            }))
        }
        Input::Sphere { bandlimit, channels } => {
            let points = 2 * bandlimit - 1;
            let shape = (n, 2 * bandlimit, points, channels);
            Samples::Spheres(Array4::from_shape_fn(shape, |(i, t, p, c)| {
                rows[i][(t * points + p) * channels + c]
            }))
        }
        Input::Molecule { .. } => Samples::Molecules(vec![]),
    }
}
