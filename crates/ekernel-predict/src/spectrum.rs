//! The eigenbasis of the training kernel, in which gradient flow is diagonal.

use std::sync::Arc;

use faer::{
    Mat, MatRef, Par,
    diag::Diag,
    dyn_stack::{MemBuffer, MemStack},
    linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch},
};
use faer_ext::{IntoFaer, IntoNdarray};
use ndarray::{Array2, ArrayView2};

use crate::{
    PredictError, Ridge, TrainingTime, Workers,
    diagonal::{Spread, mean_diagonal},
    validate,
};

/// Largest error, relative to a prediction, that directions of eigenvalue zero may bring in.
const RESOLVED: f64 = 1e-6;

/// The eigendecomposition Θ(X,X) = Q diag(s) Qᵀ of a training kernel without ridge.
///
/// Adding a ridge shifts every eigenvalue and leaves Q as it is, so that one decomposition (about 4n³ to 9n³ operations
/// to Cholesky's n³/3) serves every ridge and every time: see [`Spectrum::machine`].
#[derive(Clone, Debug)]
pub struct Spectrum {
    basis: Arc<Mat<f64>>,
    eigenvalues: Vec<f64>,
    mean_diagonal: f64,
    workers: Workers,
}

impl Spectrum {
    /// Decomposes the kernel (n, n) of the training set with itself, on the threads of `workers`: a [`Par`], or
    /// [`Workers`] with a token.
    ///
    /// # Errors
    /// [`PredictError::Empty`], [`NotSquare`](PredictError::NotSquare), [`NonFinite`](PredictError::NonFinite) or
    /// [`Asymmetric`](PredictError::Asymmetric) for what is not a kernel of a set with itself;
    /// [`NoConvergence`](PredictError::NoConvergence) and [`Overflow`](PredictError::Overflow) if numbers of this size
    /// defeat the decomposition; [`Cancelled`](PredictError::Cancelled).
    pub fn new(kernel: ArrayView2<'_, f64>, workers: impl Into<Workers>) -> Result<Spectrum, PredictError> {
        validate::symmetric("training kernel", &kernel)?;
        let workers = workers.into();
        let (eigenvalues, basis) = decompose(kernel, ComputeEigenvectors::Yes, &workers)?;
        Ok(Spectrum { basis: Arc::new(basis), eigenvalues, mean_diagonal: mean_diagonal(kernel), workers })
    }

    /// Eigenvalues s of the kernel without ridge, in rising order.
    pub fn eigenvalues(&self) -> &[f64] {
        &self.eigenvalues
    }

    /// tr Θ/n.
    pub(crate) fn mean_diagonal(&self) -> f64 {
        self.mean_diagonal
    }

    /// The eigenvalues s + λ_abs of Θ̃, with those within rounding of zero set to it, and λ_abs.
    pub(crate) fn shifted(&self, ridge: Ridge, time: TrainingTime) -> Result<(Vec<f64>, f64), PredictError> {
        let absolute = ridge.on_diagonal(self.mean_diagonal)?;
        let spread = Spread::new(&self.eigenvalues, self.mean_diagonal);
        let (smallest, largest) = (spread.smallest + absolute, spread.largest + absolute);
        let rounding = spread.rounding();
        // Weight gathered by rounding in a direction of eigenvalue zero; NaN for the zero kernel at infinite time.
        let noise = rounding * (time.eta_t() / self.eigenvalues.len() as f64);
        let resolved = smallest > rounding || noise <= RESOLVED;
        if smallest < -rounding || !resolved {
            let enough = ridge.that_would_do(&spread);
            return Err(PredictError::Indefinite { smallest, largest, eta_t: time.eta_t(), ridge, enough });
        }
        let shift = |s: &f64| if s + absolute <= rounding { 0.0 } else { s + absolute };
        Ok((self.eigenvalues.iter().map(shift).collect(), absolute))
    }

    /// The flow of these eigenvalues of Θ̃.
    pub(crate) fn flow(&self, shifted: Vec<f64>) -> Flow {
        Flow { basis: Arc::clone(&self.basis), shifted, workers: self.workers.clone() }
    }

    /// QᵀB.
    pub(crate) fn in_basis(&self, rhs: ArrayView2<'_, f64>) -> Result<Array2<f64>, PredictError> {
        project(&self.basis, rhs, &self.workers)
    }
}

/// The eigenbasis with the eigenvalues of Θ̃, ridge included, none negative.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    basis: Arc<Mat<f64>>,
    shifted: Vec<f64>,
    workers: Workers,
}

impl Flow {
    pub(crate) fn n(&self) -> usize {
        self.shifted.len()
    }

    /// The eigenvalues of Θ̃.
    pub(crate) fn eigenvalues(&self) -> &[f64] {
        &self.shifted
    }

    pub(crate) fn workers(&self) -> &Workers {
        &self.workers
    }

    /// g(Θ̃)B = Q diag(g(s̃)) QᵀB.
    pub(crate) fn apply(
        &self,
        rhs: ArrayView2<'_, f64>,
        gain: impl Fn(f64) -> f64,
    ) -> Result<Array2<f64>, PredictError> {
        let inner = self.weighted(rhs, gain)?;
        self.workers.product(self.basis.as_ref().as_ref().into_ndarray(), inner.view())
    }

    /// diag(g(s̃)) QᵀB; with the root of a gain, columns whose inner products are Bᵀg(Θ̃)²B.
    pub(crate) fn weighted(
        &self,
        rhs: ArrayView2<'_, f64>,
        gain: impl Fn(f64) -> f64,
    ) -> Result<Array2<f64>, PredictError> {
        let mut inner = project(&self.basis, rhs, &self.workers)?;
        for (mut row, &s) in inner.rows_mut().into_iter().zip(&self.shifted) {
            row *= gain(s);
        }
        Ok(inner)
    }
}

/// Eigenvalues alone of a checked symmetric kernel.
pub(crate) fn eigenvalues(kernel: ArrayView2<'_, f64>, workers: &Workers) -> Result<Vec<f64>, PredictError> {
    Ok(decompose(kernel, ComputeEigenvectors::No, workers)?.0)
}

/// QᵀB.
fn project(
    basis: &Mat<f64>,
    rhs: ArrayView2<'_, f64>,
    workers: &Workers,
) -> Result<Array2<f64>, PredictError> {
    workers.product(basis.transpose().into_ndarray(), rhs)
}

/// Below this faer decomposes on one thread whatever it is allowed.
const SMALL: usize = 320;

/// Rows of a kernel in each part that a decomposition is divided into; more parts cost more sums.
const ROWS: usize = 256;

/// Eigenvalues, and where they are asked for eigenvectors; without them the matrix has no entries.
///
/// The sums of a decomposition depend on the number of parts that faer divides the matrix into, which therefore is that of
/// the matrix and not of the threads that compute them.
fn decompose(
    kernel: ArrayView2<'_, f64>,
    vectors: ComputeEigenvectors,
    workers: &Workers,
) -> Result<(Vec<f64>, Mat<f64>), PredictError> {
    let n = kernel.nrows();
    // The transpose of a symmetric row-major kernel is the same matrix, column-major.
    let matrix = kernel.reversed_axes().into_faer();
    let decomposed = if n < SMALL {
        workers.check()?;
        evd(matrix, vectors, Par::Seq)
    } else {
        let matrix = matrix.to_owned();
        let parts = Par::rayon(n.div_ceil(ROWS).min(32));
        workers.run(9.0 * (n as f64).powi(3), move || evd(matrix.as_ref(), vectors, parts))?
    };
    let (values, basis) = decomposed.ok_or(PredictError::NoConvergence { n })?;
    validate::representable("eigenvalues of the training kernel", values.iter())?;
    Ok((values, basis))
}

/// Nothing where the iteration does not converge.
fn evd(matrix: MatRef<'_, f64>, vectors: ComputeEigenvectors, par: Par) -> Option<(Vec<f64>, Mat<f64>)> {
    let n = matrix.nrows();
    let mut buffer = MemBuffer::new(self_adjoint_evd_scratch::<f64>(n, vectors, par, Default::default()));
    let stack = MemStack::new(&mut buffer);
    let mut values = Diag::<f64>::zeros(n);
    let mut basis = match vectors {
        ComputeEigenvectors::Yes => Mat::<f64>::zeros(n, n),
        ComputeEigenvectors::No => Mat::new(),
    };
    let wanted = matches!(vectors, ComputeEigenvectors::Yes).then(|| basis.as_mut());
    self_adjoint_evd(matrix, values.as_mut(), wanted, par, stack, Default::default()).ok()?;
    Some((values.column_vector().iter().copied().collect(), basis))
}
