//! Solving (K + λ) W = Y for a kernel that is too large to factor.
//!
//! [`solve`] runs conjugate gradients for all columns of Y at once. It sees the kernel K (n, n) through
//! [`SymmetricKernel`]: some rows of it, its diagonal, and its product with vectors, in float64 whatever it
//! is stored in. A [`StoredKernel`] reads it from a Zarr store chunk by chunk, and never holds it whole.
//!
//! The preconditioner is a randomly pivoted partial Cholesky factor ([`Preconditioner`]): a rank-r
//! approximation of K whose cost is a few products of K. What the solver reached is the residual of the
//! system itself, computed anew at the end.

mod conjugate;
mod dense;
mod error;
mod kernel;
mod precondition;
mod state;
mod stored;

pub use conjugate::{Settings, Solution, solve};
pub use dense::DenseKernel;
pub use error::SolveError;
pub use kernel::SymmetricKernel;
pub use precondition::Preconditioner;
pub use state::State;
pub use stored::{StoredKernel, predict};
