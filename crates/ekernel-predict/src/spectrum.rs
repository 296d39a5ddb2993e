//! The eigenbasis of the training kernel, in which gradient flow is diagonal.

use std::sync::Arc;

use faer::{
    Accum, Mat, Par,
    diag::Diag,
    dyn_stack::{MemBuffer, MemStack},
    linalg::{
        evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch},
        matmul::matmul,
    },
};
use faer_ext::IntoFaer;
use ndarray::{Array2, ArrayView2};

use crate::{
    PredictError, Ridge, TrainingTime,
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
    par: Par,
}

impl Spectrum {
    /// Decomposes the kernel (n, n) of the training set with itself, on the threads that `par` allows.
    ///
    /// # Errors
    /// [`PredictError::Empty`], [`NotSquare`](PredictError::NotSquare), [`NonFinite`](PredictError::NonFinite) or
    /// [`Asymmetric`](PredictError::Asymmetric) for what is not a kernel of a set with itself;
    /// [`NoConvergence`](PredictError::NoConvergence) and [`Overflow`](PredictError::Overflow) if numbers of this size
    /// defeat the decomposition.
    pub fn new(kernel: ArrayView2<'_, f64>, par: Par) -> Result<Spectrum, PredictError> {
        validate::symmetric("training kernel", &kernel)?;
        let n = kernel.nrows();
        let mut basis = Mat::<f64>::zeros(n, n);
        let eigenvalues = decompose(kernel, Some(&mut basis), par)?;
        Ok(Spectrum { basis: Arc::new(basis), eigenvalues, mean_diagonal: mean_diagonal(kernel), par })
    }

    /// Eigenvalues s of the kernel without ridge, in rising order.
    pub fn eigenvalues(&self) -> &[f64] {
        &self.eigenvalues
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
        Flow { basis: Arc::clone(&self.basis), shifted, par: self.par }
    }

    /// QᵀB.
    pub(crate) fn in_basis(&self, rhs: ArrayView2<'_, f64>) -> Array2<f64> {
        project(&self.basis, rhs, self.par)
    }
}

/// The eigenbasis with the eigenvalues of Θ̃, ridge included, none negative.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    basis: Arc<Mat<f64>>,
    shifted: Vec<f64>,
    par: Par,
}

impl Flow {
    pub(crate) fn n(&self) -> usize {
        self.shifted.len()
    }

    pub(crate) fn par(&self) -> Par {
        self.par
    }

    /// g(Θ̃)B = Q diag(g(s̃)) QᵀB.
    pub(crate) fn apply(&self, rhs: ArrayView2<'_, f64>, gain: impl Fn(f64) -> f64) -> Array2<f64> {
        let inner = self.weighted(rhs, gain);
        let mut outer = Array2::zeros(rhs.raw_dim());
        let target = outer.view_mut().into_faer();
        matmul(target, Accum::Replace, self.basis.as_ref(), inner.view().into_faer(), 1.0, self.par);
        outer
    }

    /// diag(g(s̃)) QᵀB; with the root of a gain, columns whose inner products are Bᵀg(Θ̃)²B.
    pub(crate) fn weighted(&self, rhs: ArrayView2<'_, f64>, gain: impl Fn(f64) -> f64) -> Array2<f64> {
        let mut inner = project(&self.basis, rhs, self.par);
        for (mut row, &s) in inner.rows_mut().into_iter().zip(&self.shifted) {
            row *= gain(s);
        }
        inner
    }
}

/// Eigenvalues alone of a checked symmetric kernel.
pub(crate) fn eigenvalues(kernel: ArrayView2<'_, f64>, par: Par) -> Result<Vec<f64>, PredictError> {
    decompose(kernel, None, par)
}

/// QᵀB.
fn project(basis: &Mat<f64>, rhs: ArrayView2<'_, f64>, par: Par) -> Array2<f64> {
    let mut inner = Array2::zeros(rhs.raw_dim());
    matmul(inner.view_mut().into_faer(), Accum::Replace, basis.transpose(), rhs.into_faer(), 1.0, par);
    inner
}

fn decompose(
    kernel: ArrayView2<'_, f64>,
    basis: Option<&mut Mat<f64>>,
    par: Par,
) -> Result<Vec<f64>, PredictError> {
    let n = kernel.nrows();
    let vectors = if basis.is_some() { ComputeEigenvectors::Yes } else { ComputeEigenvectors::No };
    let mut buffer = MemBuffer::new(self_adjoint_evd_scratch::<f64>(n, vectors, par, Default::default()));
    let mut values = Diag::<f64>::zeros(n);
    self_adjoint_evd(
        // The transpose of a symmetric row-major kernel is the same matrix, column-major.
        kernel.reversed_axes().into_faer(),
        values.as_mut(),
        basis.map(|basis| basis.as_mut()),
        par,
        MemStack::new(&mut buffer),
        Default::default(),
    )
    .map_err(|_| PredictError::NoConvergence { n })?;
    let values: Vec<f64> = values.column_vector().iter().copied().collect();
    validate::representable("eigenvalues of the training kernel", values.iter())?;
    Ok(values)
}
