//! Covariances of predictions, and their diagonals alone.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Zip};

use crate::{Fit, PredictError, fit::CROSS, validate};

const TEST: &str = "kernel of the test set with itself";
const VARIANCES: &str = "diagonal of the kernel of the test set with itself";
const NNGP_TRAIN: &str = "NNGP kernel of the training set with itself";
const NNGP_CROSS: &str = "NNGP kernel of the test set (rows) with the training set (columns)";

/// The NNGP kernels that the spread of an ensemble of trained networks starts from.
///
/// `test` is (n_test, n_test) for covariances, or its diagonal (n_test) for variances.
#[derive(Clone, Copy, Debug)]
pub struct Nngp<'a, Test = ArrayView2<'a, f64>> {
    /// K(X,X) (n, n), without ridge.
    pub train: ArrayView2<'a, f64>,
    /// K(x,X) (n_test, n).
    pub cross: ArrayView2<'a, f64>,
    /// K(x,x') or its diagonal.
    pub test: Test,
}

impl Fit<'_> {
    /// Posterior covariance (n_test, n_test) of a machine made from the NNGP kernel K:
    /// K_xx - K(x,X) K̃⁻¹(1 - e^{-2ηK̃t/(nm)}) K(X,x'), from K(x,X) (n_test, n) and K_xx (n_test, n_test).
    ///
    /// It is the same for each of the m outputs, which are independent. A variance that rounding takes below zero, which it
    /// does where the prediction is certain, is given as zero.
    ///
    /// # Errors
    /// [`PredictError::Mismatch`], [`NotSquare`](PredictError::NotSquare), [`Empty`](PredictError::Empty) or
    /// [`NonFinite`](PredictError::NonFinite) for kernels that do not fit; [`Overflow`](PredictError::Overflow).
    pub fn posterior_covariance(
        &self,
        cross: ArrayView2<'_, f64>,
        test: ArrayView2<'_, f64>,
    ) -> Result<Array2<f64>, PredictError> {
        self.check_cross(CROSS, &cross)?;
        check_test(&test, cross.nrows())?;
        let removed = self.machine().removed(cross.t(), self.outputs())?;
        let covariance = &test - &self.machine().product(removed.t(), removed.view())?;
        validate::representable("posterior covariance", covariance.iter())?;
        Ok(without_negative_variances(covariance))
    }

    /// The diagonal (n_test) of [`Fit::posterior_covariance`], from the diagonal of K_xx: O(n²·n_test) operations as
    /// there, without anything of n_test² numbers.
    ///
    /// A variance that comes out below zero, which rounding does where the posterior is certain, is given as zero.
    ///
    /// # Errors
    /// As [`Fit::posterior_covariance`].
    pub fn posterior_variance(
        &self,
        cross: ArrayView2<'_, f64>,
        test: ArrayView1<'_, f64>,
    ) -> Result<Array1<f64>, PredictError> {
        self.check_cross(CROSS, &cross)?;
        check_variances(&test, cross.nrows())?;
        let removed = self.machine().removed(cross.t(), self.outputs())?;
        let squares = removed.mapv(|v| v * v).sum_axis(ndarray::Axis(0));
        let variance = &test - &squares;
        validate::representable("posterior variance", variance.iter())?;
        Ok(variance.mapv(|v| v.max(0.0)))
    }

    /// Covariance (n_test, n_test) over an ensemble of networks, each trained for the machine's time from its own
    /// random start, of a machine made from the NTK Θ: with A = Θ(x,X) Θ̃⁻¹(1 - e^{-ηΘ̃t/(nm)}),
    /// K_xx + A K(X,X) Aᵀ - A K(X,x') - K(x,X) Aᵀ. `cross` is Θ(x,X) (n_test, n); K(X,X) has no ridge.
    ///
    /// It is the same for each of the m outputs, which are independent. A variance that rounding takes below zero, which it
    /// does where the prediction is certain, is given as zero.
    ///
    /// # Errors
    /// [`PredictError::Mismatch`], [`NotSquare`](PredictError::NotSquare), [`Empty`](PredictError::Empty) or
    /// [`NonFinite`](PredictError::NonFinite) for kernels that do not fit; [`Overflow`](PredictError::Overflow).
    pub fn ensemble_covariance(
        &self,
        cross: ArrayView2<'_, f64>,
        nngp: &Nngp<'_>,
    ) -> Result<Array2<f64>, PredictError> {
        self.check_ensemble(&cross, nngp.train, nngp.cross)?;
        check_test(&nngp.test, cross.nrows())?;
        let ensemble = self.ensemble(cross, nngp.train)?;
        // A K(X,X) Aᵀ and K(x,X) Aᵀ; the latter's transpose is the third term.
        let initial = self.machine().product(ensemble.gain.t(), ensemble.started.view())?;
        let mixed = self.machine().product(nngp.cross, ensemble.gain.view())?;
        let mut covariance = nngp.test.to_owned();
        Zip::from(&mut covariance)
            .and(&initial)
            .and(initial.t())
            .and(&mixed)
            .and(mixed.t())
            .for_each(|c, &i, &i_t, &m, &m_t| *c += 0.5 * (i + i_t) - (m + m_t));
        validate::representable("ensemble covariance", covariance.iter())?;
        Ok(without_negative_variances(covariance))
    }

    /// The diagonal (n_test) of [`Fit::ensemble_covariance`], without anything of n_test² numbers. A variance that
    /// rounding takes below zero is given as zero.
    ///
    /// # Errors
    /// As [`Fit::ensemble_covariance`].
    pub fn ensemble_variance(
        &self,
        cross: ArrayView2<'_, f64>,
        nngp: &Nngp<'_, ArrayView1<'_, f64>>,
    ) -> Result<Array1<f64>, PredictError> {
        self.check_ensemble(&cross, nngp.train, nngp.cross)?;
        check_variances(&nngp.test, cross.nrows())?;
        let ensemble = self.ensemble(cross, nngp.train)?;
        let mut variance = nngp.test.to_owned();
        for (i, total) in variance.iter_mut().enumerate() {
            let (gain, started) = (ensemble.gain.column(i), ensemble.started.column(i));
            *total += gain.dot(&started) - 2.0 * gain.dot(&nngp.cross.row(i));
        }
        validate::representable("ensemble variance", variance.iter())?;
        Ok(variance.mapv(|v| v.max(0.0)))
    }

    fn ensemble(
        &self,
        cross: ArrayView2<'_, f64>,
        train: ArrayView2<'_, f64>,
    ) -> Result<Ensemble, PredictError> {
        let gain = self.machine().train(cross.t(), self.outputs())?;
        let started = self.machine().product(train, gain.view())?;
        Ok(Ensemble { gain, started })
    }

    fn check_ensemble(
        &self,
        cross: &ArrayView2<'_, f64>,
        nngp_train: ArrayView2<'_, f64>,
        nngp_cross: ArrayView2<'_, f64>,
    ) -> Result<(), PredictError> {
        self.check_cross(CROSS, cross)?;
        self.check_cross(NNGP_CROSS, &nngp_cross)?;
        validate::length(NNGP_CROSS, "rows", nngp_cross.nrows(), cross.nrows(), "test samples")?;
        validate::symmetric(NNGP_TRAIN, &nngp_train)?;
        validate::length(NNGP_TRAIN, "rows", nngp_train.nrows(), self.machine().n(), "training samples")
    }
}

/// A covariance whose diagonal rounding took below zero, with zero there.
fn without_negative_variances(mut covariance: Array2<f64>) -> Array2<f64> {
    covariance.diag_mut().mapv_inplace(|variance| variance.max(0.0));
    covariance
}

/// What the ensemble's covariance and its diagonal share.
struct Ensemble {
    /// Aᵀ (n, n_test).
    gain: Array2<f64>,
    /// K(X,X)Aᵀ (n, n_test).
    started: Array2<f64>,
}

fn check_test(test: &ArrayView2<'_, f64>, samples: usize) -> Result<(), PredictError> {
    validate::square(TEST, test)?;
    validate::length(TEST, "rows", test.nrows(), samples, "test samples")
}

fn check_variances(test: &ArrayView1<'_, f64>, samples: usize) -> Result<(), PredictError> {
    validate::length(VARIANCES, "entries", test.len(), samples, "test samples")?;
    validate::finite_vector(VARIANCES, test)
}
