//! A factored training kernel, ready for any targets and any test sets.

use ndarray::{Array2, ArrayView2};

use crate::{
    PredictError, Ridge, Spectrum, TrainingTime, Workers, cholesky::Cholesky, spectrum::Flow, time::filter,
    validate,
};

/// A kernel machine: the training kernel Θ̃ = Θ(X,X) + λ_abs·1, factored once for one training time.
///
/// Infinite time takes a blocked Cholesky factorisation, finite time the eigenbasis. Either holds n² numbers beside the
/// kernel it was made from. For several ridges or times of one kernel make a [`Spectrum`] first and take
/// [`Spectrum::machine`].
///
/// # Learning curves
/// The machine of the first k samples is that of the leading block, which needs no copy:
/// ```
/// use ekernel_predict::{KernelMachine, Par, Ridge, TrainingTime};
/// use ndarray::{Array2, array, s};
///
/// let kernel = array![[2.0, 0.5, 0.1], [0.5, 2.0, 0.3], [0.1, 0.3, 2.0]];
/// let (cross, targets) = (array![[0.4, 0.2, 1.0]], array![[1.0], [-1.0], [0.5]]);
/// for k in 1..=3 {
///     let machine = KernelMachine::new(kernel.slice(s![..k, ..k]), Ridge::Relative(1e-4), TrainingTime::INFINITE, Par::Seq)?;
///     let mean: Array2<f64> = machine.fit(targets.slice(s![..k, ..]))?.mean(cross.slice(s![.., ..k]))?;
///     assert_eq!(mean.dim(), (1, 1));
/// }
/// # Ok::<(), ekernel_predict::PredictError>(())
/// ```
/// Each block is factored anew: the leading block of one factor would do for an absolute ridge only, since the mean
/// diagonal changes with k, and a whole curve costs less than the last two or three of its points on their own.
#[derive(Clone, Debug)]
pub struct KernelMachine {
    factor: Factor,
    n: usize,
    ridge: f64,
    time: TrainingTime,
    workers: Workers,
}

#[derive(Clone, Debug)]
enum Factor {
    Cholesky(Cholesky),
    Flow(Flow),
}

impl KernelMachine {
    /// Factors the kernel (n, n) of the training set with itself, NTK or NNGP, on the threads of `workers`: `Par::Seq`,
    /// `Par::rayon(k)`, or [`Workers`] with a token that stops long work.
    ///
    /// The kernel must be symmetric to 1e-6 of its largest entry; the upper triangle is used (the lower one for
    /// a finite time where memory runs along the columns).
    ///
    /// # Errors
    /// [`PredictError::Empty`], [`NotSquare`](PredictError::NotSquare), [`NonFinite`](PredictError::NonFinite) or
    /// [`Asymmetric`](PredictError::Asymmetric) for what is not a kernel of a set with itself; those of
    /// [`Ridge::on_diagonal`]; at infinite time [`NotPositiveDefinite`](PredictError::NotPositiveDefinite) with the
    /// pivot, its value and the ridge that would do; at finite time those of [`Spectrum::new`] and
    /// [`Spectrum::machine`]; [`Cancelled`](PredictError::Cancelled).
    pub fn new(
        kernel: ArrayView2<'_, f64>,
        ridge: Ridge,
        time: TrainingTime,
        workers: impl Into<Workers>,
    ) -> Result<KernelMachine, PredictError> {
        if !time.is_infinite() {
            return Spectrum::new(kernel, workers)?.machine(ridge, time);
        }
        validate::symmetric("training kernel", &kernel)?;
        let workers = workers.into();
        let (factor, ridge) = Cholesky::new(kernel, ridge, &workers)?;
        Ok(KernelMachine { factor: Factor::Cholesky(factor), n: kernel.nrows(), ridge, time, workers })
    }

    /// Training samples n.
    pub fn n(&self) -> usize {
        self.n
    }

    /// λ_abs, the amount added to every diagonal entry.
    pub fn ridge(&self) -> f64 {
        self.ridge
    }

    /// Training time.
    pub fn time(&self) -> TrainingTime {
        self.time
    }

    /// φ_τ(Θ̃)B with τ = ηt/(n·m): Θ̃⁻¹(1 - e^{-ηΘ̃t/(nm)})B, and Θ̃⁻¹B at infinite time.
    pub(crate) fn train(
        &self,
        rhs: ArrayView2<'_, f64>,
        outputs: usize,
    ) -> Result<Array2<f64>, PredictError> {
        match &self.factor {
            Factor::Cholesky(cholesky) => cholesky.solve(rhs, &self.workers),
            Factor::Flow(flow) => {
                let tau = self.tau(outputs);
                flow.apply(rhs, |s| filter(s, tau))
            }
        }
    }

    /// V with VᵀV = Bᵀ φ_{2τ}(Θ̃) B, the variance that training removes.
    pub(crate) fn removed(
        &self,
        rhs: ArrayView2<'_, f64>,
        outputs: usize,
    ) -> Result<Array2<f64>, PredictError> {
        match &self.factor {
            Factor::Cholesky(cholesky) => cholesky.half_solve(rhs, &self.workers),
            Factor::Flow(flow) => {
                let tau = 2.0 * self.tau(outputs);
                flow.weighted(rhs, |s| filter(s, tau).sqrt())
            }
        }
    }

    /// V with VᵀV = Bᵀ Θ̃⁻¹ B, whatever the training time.
    pub(crate) fn whitened(&self, rhs: ArrayView2<'_, f64>) -> Result<Array2<f64>, PredictError> {
        match &self.factor {
            Factor::Cholesky(cholesky) => cholesky.half_solve(rhs, &self.workers),
            Factor::Flow(flow) => flow.weighted(rhs, |s| s.sqrt().recip()),
        }
    }

    /// log|Θ̃|; -∞ where an eigenvalue is rounding.
    pub(crate) fn log_determinant(&self) -> f64 {
        match &self.factor {
            Factor::Cholesky(cholesky) => cholesky.log_determinant(),
            Factor::Flow(flow) => flow.eigenvalues().iter().map(|s| s.ln()).sum(),
        }
    }

    /// A·B on this machine's threads.
    pub(crate) fn product(
        &self,
        a: ArrayView2<'_, f64>,
        b: ArrayView2<'_, f64>,
    ) -> Result<Array2<f64>, PredictError> {
        self.workers.product(a, b)
    }

    fn tau(&self, outputs: usize) -> f64 {
        self.time.eta_t() / (self.n as f64 * outputs as f64)
    }
}

impl Spectrum {
    /// The machine of this ridge after this training time. Costs O(n): the basis is shared, not copied.
    ///
    /// Eigenvalues s + λ_abs within rounding of zero (r = n·ε times the largest) count as zero: gradient flow learns such
    /// a direction linearly in t, and what rounding adds to a prediction is of relative size r·ηt/n.
    ///
    /// # Errors
    /// Those of [`Ridge::on_diagonal`]; [`PredictError::Indefinite`] when an eigenvalue is negative beyond rounding, or
    /// when one is within rounding of zero and r·ηt/n exceeds 1e-6, as it does at infinite time.
    pub fn machine(&self, ridge: Ridge, time: TrainingTime) -> Result<KernelMachine, PredictError> {
        let (shifted, absolute) = self.shifted(ridge, time)?;
        let flow = self.flow(shifted);
        let (n, workers) = (flow.n(), flow.workers().clone());
        Ok(KernelMachine { factor: Factor::Flow(flow), n, ridge: absolute, time, workers })
    }
}
