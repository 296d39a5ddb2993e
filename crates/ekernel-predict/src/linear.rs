//! Least squares on a few features, for the part of the targets that needs no kernel.

use faer::Par;
use ndarray::{Array2, ArrayView2};

use crate::{KernelMachine, PredictError, Ridge, TargetMean, TrainingTime, validate};

/// Far below any direction that data determine, and above rounding: features that never vary get the weight 0.
const FLOOR: Ridge = Ridge::Relative(1e-12);

/// y ≈ W x + c: the least-squares fit of targets (n, m) on features (n, p) with an intercept; of many solutions the
/// one with the smallest weights.
///
/// Energies of molecules are the case it is for: the numbers of atoms of each element explain all but a thousandth of
/// a total energy, and what they leave is what a kernel has to learn.
/// ```
/// use ekernel_predict::Linear;
/// use ndarray::array;
///
/// // Methane, ethane, water and carbon dioxide as numbers of (H, C, O); energies in Hartree.
/// let counts = array![[4.0, 1.0, 0.0], [6.0, 2.0, 0.0], [2.0, 0.0, 1.0], [0.0, 1.0, 2.0]];
/// let energies = array![[-40.5], [-79.8], [-76.4], [-188.6]];
/// let fit = Linear::fit(counts.view(), energies.view())?;
/// let left = &energies - &fit.predict(counts.view())?;
/// assert!(left.iter().all(|e| e.abs() < 1e-6));
/// # Ok::<(), ekernel_predict::PredictError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    features: TargetMean,
    targets: TargetMean,
    weights: Array2<f64>,
}

impl Linear {
    /// Fits targets (n, m) on features (n, p). Cost O(np² + p³).
    ///
    /// # Errors
    /// [`PredictError::Mismatch`], [`Empty`](PredictError::Empty), [`NonFinite`](PredictError::NonFinite) or
    /// [`Overflow`](PredictError::Overflow).
    pub fn fit(features: ArrayView2<'_, f64>, targets: ArrayView2<'_, f64>) -> Result<Linear, PredictError> {
        let like = ("targets", "features' columns");
        validate::array("features", &features, (targets.nrows(), features.ncols()), like)?;
        let (mean_x, mean_y) = (TargetMean::of(features)?, TargetMean::of(targets)?);
        let (x, y) = (mean_x.centered(features)?, mean_y.centered(targets)?);
        let (gram, moments) = (x.t().dot(&x), x.t().dot(&y));
        validate::representable("squares of the features", gram.iter())?;
        let weights = if gram.diag().sum() > 0.0 {
            let machine = KernelMachine::new(gram.view(), FLOOR, TrainingTime::INFINITE, Par::Seq)?;
            machine.fit(moments.view())?.weights().to_owned()
        } else {
            Array2::zeros(moments.dim())
        };
        Ok(Linear { features: mean_x, targets: mean_y, weights })
    }

    /// W x + c for features (any number, p).
    ///
    /// # Errors
    /// [`PredictError::Mismatch`] if there are not p columns, [`Overflow`](PredictError::Overflow).
    pub fn predict(&self, features: ArrayView2<'_, f64>) -> Result<Array2<f64>, PredictError> {
        let predicted = self.targets.restored(self.features.centered(features)?.dot(&self.weights))?;
        validate::representable("least-squares prediction", predicted.iter())?;
        Ok(predicted)
    }

    /// W, (p, m): what one more of a feature adds to each target.
    pub fn weights(&self) -> ArrayView2<'_, f64> {
        self.weights.view()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_line_is_found_again() {
        let x = array![[0.0, 1.0], [1.0, 0.0], [2.0, 5.0], [3.0, -2.0]];
        let y = x.dot(&array![[2.0, 0.0], [-1.0, 4.0]]) + 7.0;
        let fit = Linear::fit(x.view(), y.view()).unwrap();
        // Measured 6e-12: the floor pulls the weights towards zero.
        assert!((fit.weights().to_owned() - array![[2.0, 0.0], [-1.0, 4.0]]).iter().all(|e| e.abs() < 1e-10));
        let beyond = fit.predict(array![[10.0, 10.0]].view()).unwrap();
        assert!((beyond - array![[17.0, 47.0]]).iter().all(|e| e.abs() < 1e-9));
    }

    #[test]
    fn features_that_never_vary_weigh_nothing() {
        let x = array![[1.0, 3.0], [2.0, 3.0], [4.0, 3.0]];
        let fit = Linear::fit(x.view(), array![[1.0], [2.0], [4.0]].view()).unwrap();
        assert!((fit.predict(array![[3.0, 100.0]].view()).unwrap()[[0, 0]] - 3.0).abs() < 1e-9);
        let constant = Linear::fit(array![[3.0], [3.0]].view(), array![[1.0], [2.0]].view()).unwrap();
        assert_eq!(constant.predict(array![[9.0]].view()).unwrap(), array![[1.5]]);
    }

    #[test]
    fn fewer_samples_than_features_share_the_weight() {
        let fit = Linear::fit(array![[0.0, 0.0], [1.0, 1.0]].view(), array![[0.0], [2.0]].view()).unwrap();
        assert!(fit.weights().iter().all(|w| (w - 1.0).abs() < 1e-3), "{:?}", fit.weights());
    }

    #[test]
    fn faults() {
        let fault = |x: Array2<f64>, y: Array2<f64>| Linear::fit(x.view(), y.view()).unwrap_err();
        let short = fault(array![[1.0]], array![[1.0], [2.0]]);
        assert!(matches!(short, PredictError::Mismatch { found: 1, needed: 2, .. }), "{short}");
        assert!(matches!(fault(array![[f64::NAN]], array![[1.0]]), PredictError::NonFinite { .. }));
        let huge = fault(array![[1e200], [-1e200]], array![[1.0], [2.0]]);
        assert!(matches!(huge, PredictError::Overflow { .. }), "{huge}");
    }
}
