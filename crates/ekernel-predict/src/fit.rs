//! A trained machine: means at test inputs.

use ndarray::{Array2, ArrayView2};

use crate::{KernelMachine, PredictError, validate};

pub(crate) const CROSS: &str = "kernel of the test set (rows) with the training set (columns)";

/// A [`KernelMachine`] trained on targets Y (n, m) from initial outputs of zero: holds the weights W = φ(Θ̃)Y.
///
/// The covariances are in `covariance.rs`: [`Fit::posterior_covariance`], [`Fit::ensemble_covariance`] and the
/// variances alone.
#[derive(Clone, Debug)]
pub struct Fit<'m> {
    machine: &'m KernelMachine,
    weights: Array2<f64>,
}

impl KernelMachine {
    /// Trains on targets Y (n, m), from initial outputs of zero.
    ///
    /// # Errors
    /// [`PredictError::Mismatch`], [`Empty`](PredictError::Empty) or [`NonFinite`](PredictError::NonFinite) for targets
    /// that do not fit; [`Overflow`](PredictError::Overflow) if the weights leave the range of f64.
    pub fn fit(&self, targets: ArrayView2<'_, f64>) -> Result<Fit<'_>, PredictError> {
        self.check_outputs("targets", &targets, targets.ncols())?;
        let weights = self.train(targets, targets.ncols())?;
        Fit::new(self, weights)
    }

    /// Trains on targets Y (n, m) from the initial outputs f₀(X) (n, m) of a particular network.
    ///
    /// # Errors
    /// As [`KernelMachine::fit`], for either array.
    pub fn fit_from(
        &self,
        targets: ArrayView2<'_, f64>,
        initial: ArrayView2<'_, f64>,
    ) -> Result<FitFrom<'_>, PredictError> {
        self.check_outputs("targets", &targets, targets.ncols())?;
        self.check_outputs("initial outputs of the training set", &initial, targets.ncols())?;
        let weights = self.train((&targets - &initial).view(), targets.ncols())?;
        Ok(FitFrom::new(Fit::new(self, weights)?))
    }

    fn check_outputs(
        &self,
        what: &'static str,
        view: &ArrayView2<'_, f64>,
        outputs: usize,
    ) -> Result<(), PredictError> {
        validate::array(what, view, (self.n(), outputs), ("training samples", "targets' columns"))
    }
}

impl<'m> Fit<'m> {
    fn new(machine: &'m KernelMachine, weights: Array2<f64>) -> Result<Fit<'m>, PredictError> {
        validate::representable("weights of the training samples", weights.iter())?;
        Ok(Fit { machine, weights })
    }

    /// The machine it was trained on.
    pub fn machine(&self) -> &'m KernelMachine {
        self.machine
    }

    /// W (n, m), the weight of each training sample: Θ̃⁻¹(1 - e^{-ηΘ̃t/(nm)})Y.
    pub fn weights(&self) -> ArrayView2<'_, f64> {
        self.weights.view()
    }

    /// Outputs m.
    pub fn outputs(&self) -> usize {
        self.weights.ncols()
    }

    /// The mean prediction μ_t(x) = Θ(x,X)W, (n_test, m), from the kernel Θ(x,X) (n_test, n) of the same kind as the
    /// training kernel.
    ///
    /// With the NTK that is the mean of an ensemble of networks trained for time t, with the NNGP the posterior mean
    /// (at a finite time the mean when only the last layer is trained).
    ///
    /// # Errors
    /// [`PredictError::Mismatch`], [`Empty`](PredictError::Empty) or [`NonFinite`](PredictError::NonFinite) for a kernel
    /// that does not fit; [`Overflow`](PredictError::Overflow) if a prediction leaves the range of f64.
    pub fn mean(&self, cross: ArrayView2<'_, f64>) -> Result<Array2<f64>, PredictError> {
        self.check_cross(CROSS, &cross)?;
        let mean = self.machine.product(cross, self.weights.view())?;
        validate::representable("mean prediction", mean.iter())?;
        Ok(mean)
    }

    pub(crate) fn check_cross(
        &self,
        what: &'static str,
        cross: &ArrayView2<'_, f64>,
    ) -> Result<(), PredictError> {
        validate::array(what, cross, (cross.nrows(), self.machine.n()), ("test samples", "training samples"))
    }
}

/// A [`KernelMachine`] trained on targets Y (n, m) from the initial outputs f₀ of a particular network.
///
/// Unlike [`Fit`] it needs f₀ at the test inputs too: gradient descent moves the outputs, and starts where they are.
#[derive(Clone, Debug)]
pub struct FitFrom<'m> {
    moved: Fit<'m>,
}

impl<'m> FitFrom<'m> {
    fn new(moved: Fit<'m>) -> FitFrom<'m> {
        FitFrom { moved }
    }

    /// μ_t(x) = f₀(x) + Θ(x,X) Θ̃⁻¹(1 - e^{-ηΘ̃t/(nm)})(Y - f₀(X)), (n_test, m), from Θ(x,X) (n_test, n) and f₀(x)
    /// (n_test, m). For the training set itself give Θ(X,X) and f₀(X).
    ///
    /// # Errors
    /// As [`Fit::mean`], for either array.
    pub fn mean(
        &self,
        cross: ArrayView2<'_, f64>,
        initial: ArrayView2<'_, f64>,
    ) -> Result<Array2<f64>, PredictError> {
        self.moved.check_cross(CROSS, &cross)?;
        let shape = (cross.nrows(), self.moved.outputs());
        validate::array(
            "initial outputs of the test set",
            &initial,
            shape,
            ("test samples", "targets' columns"),
        )?;
        let mut mean = self.moved.mean(cross)?;
        mean += &initial;
        validate::representable("mean prediction", mean.iter())?;
        Ok(mean)
    }
}
