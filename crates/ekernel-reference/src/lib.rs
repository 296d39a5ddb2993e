//! The kernels of infinitely wide networks by their literal recursions: the reference that fast backends are checked
//! against.
//!
//! Everything is a full float64 tensor. For a pair (f, f') a layer's kernels are K and Θ over all pairs of positions,
//! [t, t'] on a grid and [r, t, r', t'] on a group grid: all |H|² blocks, the r-th filter turned by r (Misof, Kessel and
//! Gerken 2025, lemmata 9 to 11). The kernels of each sample with itself are carried the same way, and their diagonals are the
//! variances that nonlinearities ask for. The [`Network`](ekernel_core::Network) is read layer by layer; nothing here knows
//! a [`Plan`](ekernel_core::Plan), an orbit or an offset. Slow and obvious on purpose: a pair of n positions takes O(n²)
//! memory and O(n²·|S|) time per layer with a filter of |S| taps.
//!
//! Networks on the sphere have infinitely many positions. Their kernels depend on U = R R'⁻¹ alone and are carried as k(U) and
//! Θ(U) on the points of a rule ([`RotationMode`]), with sums over coefficients and points written out; [`rotation_kernel`]
//! gives K(R, R') by the defining integrals.
//!
//! ```
//! use ekernel_core::{Backend, Control, KernelSet, Network, Pairs, Samples};
//! use ekernel_reference::ReferenceBackend;
//!
//! let network: Network = "
//!     [input]
//!     space = 'image'
//!     shape = [4, 4, 1]
//!     [[layers]]
//!     op = 'lift'
//!     group = 'C4'
//!     filter = [3, 3]
//!     [[layers]]
//!     op = 'relu'
//!     [[layers]]
//!     op = 'group_pool'
//! ".parse()?;
//! let images = Samples::Images(ndarray::Array4::from_shape_fn((2, 4, 4, 1), |(n, r, c, _)| (n + r * c) as f64));
//! let backend = ReferenceBackend::new(&network, KernelSet::Both);
//! let kernels = backend.prepare(Pairs::within(images.clone()), &Control::new())?.tile(0..2, 0..2, &Control::new())?;
//! assert_eq!(kernels.nngp[[0, 1]], kernels.nngp[[1, 0]]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backend;
mod field;
mod layers;
mod memory;
mod pass;
mod rotations;
mod taps;

pub use backend::ReferenceBackend;
pub use field::Field;
pub use pass::{cross_fields, self_fields};
pub use rotations::{RotationMode, literal::rotation_kernel};
