//! How far sampled kernels are from the exact ones at one width.

use ndarray::Array2;
use serde::Serialize;

use super::pieces::{Piece, total, without_each};

/// How far one sampled kernel is from the exact one: means over all entries, relative to the exact entry.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Measured {
    pub(super) width: usize,
    pub(super) networks: usize,
    /// The mean of |K̂ − K|/|K|.
    pub(super) error: f64,
    /// The standard error of that mean, by leaving out the pieces one after the other; `None` for fewer than five.
    pub(super) standard_error: Option<f64>,
    /// The mean of the standard errors of K̂, over |K|: what chance alone gives is about 0.8 of it. NaN for a
    /// single network.
    pub(super) chance: f64,
}

/// Entries of less than this share of the largest have no relative error.
const SMALLEST: f64 = 1e-6;

/// Fewer pieces say nothing of their spread.
const FEWEST_PIECES: usize = 5;

impl Measured {
    /// Of at least one piece.
    pub(super) fn new(width: usize, exact: &Array2<f64>, pieces: &[Piece]) -> Option<Measured> {
        let all = total(pieces)?;
        let error = relative(exact, |at, k| (all.mean[at] - k).abs());
        let left: Vec<f64> =
            without_each(pieces).iter().map(|mean| relative(exact, |at, k| (mean[at] - k).abs())).collect();
        let groups = left.len() as f64;
        let mean = left.iter().sum::<f64>() / groups;
        let squares: f64 = left.iter().map(|x| (x - mean) * (x - mean)).sum();
        Some(Measured {
            width,
            networks: all.networks,
            error,
            standard_error: (left.len() >= FEWEST_PIECES).then(|| (squares * (groups - 1.0) / groups).sqrt()),
            chance: relative(exact, |at, _| all.error[at]),
        })
    }
}

/// The mean over entries of a distance relative to the exact entry.
fn relative(exact: &Array2<f64>, distance: impl Fn((usize, usize), f64) -> f64) -> f64 {
    let largest = exact.iter().fold(0.0_f64, |largest, k| largest.max(k.abs()));
    let counted = exact.indexed_iter().filter(|(_, k)| k.abs() > SMALLEST * largest);
    let (sum, count) =
        counted.fold((0.0, 0.0), |(sum, count), (at, k)| (sum + distance(at, *k) / k.abs(), count + 1.0));
    sum / count
}

/// A straight line through ln error against ln width.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Fit {
    pub(super) slope: f64,
    /// The standard error of the slope, from the error bars; `None` where an error has no bar.
    pub(super) standard_error: Option<f64>,
    /// ln of the error at width 1.
    pub(super) intercept: f64,
}

impl Fit {
    /// Least squares, all widths alike: narrow networks have heavy tails, and their error bars are too short for weights.
    /// `None` for fewer than two widths, or an error of 0.
    pub(super) fn of(measured: &[Measured]) -> Option<Fit> {
        let n = measured.len() as f64;
        let points: Vec<[f64; 2]> = measured.iter().map(|m| [(m.width as f64).ln(), m.error.ln()]).collect();
        let [x, y] = [0, 1].map(|axis| points.iter().map(|point| point[axis]).sum::<f64>() / n);
        let spread: f64 = points.iter().map(|point| (point[0] - x).powi(2)).sum();
        let slope = points.iter().map(|point| (point[0] - x) * (point[1] - y)).sum::<f64>() / spread;
        let variance: Option<f64> = measured
            .iter()
            .zip(&points)
            .map(|(m, point)| Some((m.standard_error? / m.error * (point[0] - x) / spread).powi(2)))
            .sum();
        slope.is_finite().then(|| Fit {
            slope,
            standard_error: variance.map(f64::sqrt),
            intercept: y - slope * x,
        })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn at(width: usize, error: f64, standard_error: Option<f64>) -> Measured {
        Measured { width, networks: 10, error, standard_error, chance: 0.1 }
    }

    #[test]
    fn an_error_that_halves_with_twice_the_width_has_slope_minus_one() {
        for bar in [None, Some(0.01)] {
            let points = [at(2, 0.5, bar), at(4, 0.25, bar), at(8, 0.125, bar)];
            let fit = Fit::of(&points).unwrap();
            assert!((fit.slope + 1.0).abs() < 1e-12 && fit.intercept.abs() < 1e-12, "{fit:?}");
            assert_eq!(fit.standard_error.is_some(), bar.is_some());
        }
        assert_eq!(Fit::of(&[at(2, 0.5, None)]), None);
        assert_eq!(Fit::of(&[]), None);
    }

    #[test]
    fn errors_are_relative_and_those_of_nothing_are_left_out() {
        let exact = array![[2.0, 1e-9], [1e-9, 4.0]];
        let piece = |change: f64| Piece {
            networks: 10,
            mean: &exact + change,
            error: array![[0.2, 1.0], [1.0, 0.2]],
        };
        let pieces = [piece(0.1), piece(0.2), piece(0.2), piece(0.2), piece(0.3)];
        let found = Measured::new(3, &exact, &pieces).unwrap();
        let scale = 0.5 * (0.5 + 0.25);
        assert!((found.error - 0.2 * scale).abs() < 1e-12);
        // Of pieces of one size the standard error of their mean: the variance is 0.02/4.
        let expected = (0.02_f64 / 4.0 / 5.0).sqrt() * scale;
        assert!((found.standard_error.unwrap() - expected).abs() < 1e-12);
        assert_eq!(Measured::new(3, &exact, &pieces[..4]).unwrap().standard_error, None);
        assert_eq!(Measured::new(3, &exact, &[]), None);
    }
}
