//! The kernels that machines are trained on, and what it took to compute them.

use ndarray::{Array2, Axis};
use serde::Serialize;

/// The kernels of a problem, of one network.
#[derive(Clone, Debug)]
pub struct ProblemKernels {
    /// The kernel of the pool with itself, (n, n).
    pub train: Array2<f64>,
    /// The kernel of the test set with the pool, (n_test, n).
    pub cross: Array2<f64>,
    /// The NNGP kernels that covariances need; without them no covariance is computed.
    pub nngp: Option<NngpKernels>,
    /// What it took to compute them.
    pub work: Work,
}

/// NNGP kernels of a problem.
#[derive(Clone, Debug)]
pub struct NngpKernels {
    /// Of the pool with itself, (n, n).
    pub train: Array2<f64>,
    /// Of the test set with the pool, (n_test, n).
    pub cross: Array2<f64>,
    /// Of the test set with itself, (n_test, n_test).
    pub test: Array2<f64>,
}

/// What Gram matrices took, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Work {
    /// Pairs computed; those found finished in a folder of tiles are not among them.
    pub pairs: u64,
    /// Wall-clock seconds.
    pub seconds: f64,
}

impl ProblemKernels {
    /// Kernels for means alone, which took no work.
    pub fn new(train: Array2<f64>, cross: Array2<f64>) -> ProblemKernels {
        ProblemKernels { train, cross, nngp: None, work: Work::default() }
    }

    /// The kernels of the samples of the pool at `positions`, in that order.
    ///
    /// # Panics
    /// If a position is not below n.
    #[must_use]
    pub fn select(self, positions: &[usize]) -> ProblemKernels {
        ProblemKernels {
            train: block(&self.train, positions),
            cross: columns(&self.cross, positions),
            nngp: self.nngp.map(|NngpKernels { train, cross, test }| NngpKernels {
                train: block(&train, positions),
                cross: columns(&cross, positions),
                test,
            }),
            work: self.work,
        }
    }
}

/// Columns of a kernel, for the samples that a draw is trained on.
pub(crate) fn columns(kernel: &Array2<f64>, positions: &[usize]) -> Array2<f64> {
    kernel.select(Axis(1), positions)
}

/// Rows and columns of a kernel of the pool with itself.
pub(crate) fn block(kernel: &Array2<f64>, positions: &[usize]) -> Array2<f64> {
    kernel.select(Axis(0), positions).select(Axis(1), positions)
}

impl Work {
    /// Pairs per second.
    pub fn pairs_per_second(self) -> f64 {
        self.pairs as f64 / self.seconds.max(1e-9)
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Work) -> Work {
        Work { pairs: self.pairs + other.pairs, seconds: self.seconds + other.seconds }
    }
}
