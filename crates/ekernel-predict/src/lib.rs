//! Exact predictors of kernel machines, given arrays.
//!
//! An infinitely wide network trained by gradient descent on the loss ½·mean over samples and outputs is a kernel
//! machine: its mean prediction, and its spread over random starts, follow from kernels between training and test set
//! without training anything. This crate computes them in float64. It knows nothing of networks: the kernels can come
//! from anywhere.
//!
//! # Formulas
//! n training samples X, m outputs, targets Y (n, m), training time ηt, and Θ̃ = Θ(X,X) + λ·(tr Θ/n)·1
//! ([`Ridge::Relative`]) or Θ(X,X) + λ·1 ([`Ridge::Absolute`]). K stands for the NNGP kernel, K̃ for it with a ridge.
//!
//! | quantity | formula | here |
//! | --- | --- | --- |
//! | mean, ηt = ∞ | Θ(x,X) Θ̃⁻¹ Y | [`KernelMachine::new`], [`KernelMachine::fit`], [`Fit::mean`] |
//! | mean, finite ηt | Θ(x,X) Θ̃⁻¹ (1 - e^{-ηΘ̃t/(nm)}) Y | the same, with a finite [`TrainingTime`] |
//! | mean from initial outputs f₀ | f₀(x) + Θ(x,X) Θ̃⁻¹ (1 - e^{-ηΘ̃t/(nm)}) (Y - f₀(X)) | [`KernelMachine::fit_from`], [`FitFrom::mean`] |
//! | NNGP posterior covariance | K_xx - K(x,X) K̃⁻¹ (1 - e^{-2ηK̃t/(nm)}) K(X,x') | [`Fit::posterior_covariance`] |
//! | its diagonal | | [`Fit::posterior_variance`] |
//! | covariance of an NTK ensemble | K_xx + A K(X,X) Aᵀ - A K(X,x') - K(x,X) Aᵀ, A = Θ(x,X) Θ̃⁻¹ (1 - e^{-ηΘ̃t/(nm)}) | [`Fit::ensemble_covariance`] |
//! | its diagonal | | [`Fit::ensemble_variance`] |
//! | marginal likelihood | -½ tr(YᵀK̃⁻¹Y)/a - (m/2) log\|K̃\| - (nm/2) log(2πa) | [`KernelMachine::evidence`], [`most_likely_ridge`] |
//!
//! Source: Jacot, Gabriel, Hongler, "Neural Tangent Kernel" (2018); Lee et al., "Wide Neural Networks of Any Depth
//! Evolve as Linear Models Under Gradient Descent" (2019). Checked against neural-tangents 0.6.5 to 7e-15 of the
//! largest entry of each array.
//!
//! # Conventions
//! - Rows are samples. A kernel between two sets is (rows of the first, rows of the second): `cross` is always
//!   Θ(x,X), (n_test, n), test samples in the rows.
//! - Training a machine needs the kernel of the training set with itself *without* ridge; the ridge is added here.
//!   K(X,X) in the covariance of an ensemble has none.
//! - A covariance is between test samples and the same for each of the m outputs.
//! - The kernel of a network without bias has no intercept: take the mean off regression targets ([`TargetMean`], or [`Center::None`]);
//!   classes are one-hot minus 1/classes ([`one_hot_centered`]).
//! - Threads are an argument: a [`Par`], or [`Workers`] with a token that stops long work. Results have the same bits for
//!   every number of threads.
//!
//! # Example
//! ```
//! use ekernel_predict::{KernelMachine, Par, Ridge, TrainingTime, accuracy, argmax, one_hot_centered};
//! use ndarray::{Array2, array};
//!
//! let kernel = |a: &Array2<f64>, b: &Array2<f64>| a.dot(&b.t()).mapv(f64::exp);
//! let (train, labels) = (array![[1.0, 0.1], [0.9, -0.2], [-1.0, 0.3], [-0.8, 0.0]], [1, 1, 0, 0]);
//! let (test, truth) = (array![[0.7, 0.4], [-0.6, 0.2]], [1, 0]);
//!
//! let machine = KernelMachine::new(kernel(&train, &train).view(), Ridge::Relative(1e-4), TrainingTime::INFINITE, Par::Seq)?;
//! let fit = machine.fit(one_hot_centered(&labels, 2)?.view())?;
//! let classes = argmax(fit.mean(kernel(&test, &train).view())?.view())?;
//! assert_eq!(accuracy(&classes, &truth)?, 1.0);
//! # Ok::<(), ekernel_predict::PredictError>(())
//! ```
//!
//! # Cost
//! Infinite time takes a blocked Cholesky factorisation, n³/3 operations, a finite time an eigendecomposition, many
//! times that; either holds n² numbers beside the kernel. Measured on a two-core Intel Xeon with AVX-512 that was not
//! otherwise idle, in wall time:
//!
//! | n | what | threads | time | command |
//! | --- | --- | --- | --- | --- |
//! | 10 000 | check, copy and factor | 2 | 5.1 s (65 Gflop/s) | `cargo run --release -p ekernel-predict --example solve -- 10000 2` |
//! | 10 000 | check, copy and factor | 1 | 7.1 s (47 Gflop/s) | the first with `10000 1` |
//! | 10 000 | solve for 10 outputs; mean, variance of 1000 test samples | 2 | 0.12 s; 0.02 s, 1.1 s | the first |
//! | 4000 | refuse a repeated sample: factor, all eigenvalues | 2 | 6.6 s | the first with `4000 2 repeated` |
//! | 1000 | factor and fit by Cholesky; in the eigenbasis | 1 | 12 ms; 187 ms | `cargo bench -p ekernel-predict --bench solve` |
//! | 20, 40 … 600 | a whole learning curve, each block factored anew | 1 | 32 ms | the same |
//! | 600 | a ridge search: 10 ridges, 5 folds | 1 | 0.24 s | the same |
//!
//! Up to n = 1000 a second thread gains nothing, and on a busy machine it loses. At infinite time only a refusal needs
//! the eigenvalues, to say which ridge would do; the time that takes grows like n³.

mod cholesky;
mod classes;
mod covariance;
mod diagonal;
mod error;
mod evidence;
mod fit;
mod folds;
mod labels;
mod linear;
mod machine;
mod regression;
mod ridge;
mod ridge_search;
mod spectrum;
mod time;
mod validate;
mod workers;

pub use classes::{accuracy, argmax, confusion, one_hot_centered};
pub use covariance::Nngp;
pub use error::PredictError;
pub use evidence::{Evidence, LIKELY_RIDGES, most_likely_ridge};
pub use faer::Par;
pub use fit::{Fit, FitFrom};
pub use folds::Folds;
pub use labels::{LabelScore, label_scores};
pub use linear::Linear;
pub use machine::KernelMachine;
pub use regression::{Center, RegressionScores, TargetMean};
pub use ridge::Ridge;
pub use ridge_search::{FINE_RIDGES, RIDGES, RidgeScore, RidgeSearch, Targets};
pub use spectrum::Spectrum;
pub use time::TrainingTime;
pub use workers::Workers;
