//! Architectures of infinitely wide networks as a DAG, and their exact reduction to a plan.
//!
//! [`Network`] is what a user describes: layers on domains (vectors, grids, group grids, the
//! sphere, SO(3), each atom of a molecule), read from a TOML file or made
//! by a builder, every edge checked. [`Plan::new`] reduces it to a [`Plan`]: the exact reductions that make infinite-width
//! kernels cheap, as plain printable data which the backends execute.
//!
//! For a pair of inputs every layer maps the NNGP K(p, p') and the NTK Θ(p, p') on its domain; the inputs enter as
//! K⁰(x, x') = (1/C) Σ_c f_c(x) f'_c(x'), Θ⁰ = 0.

mod activations;
mod arch;
mod backend;
mod bytes;
mod domain;
pub mod double;
mod error;
mod geometric_mean;
mod group;
mod input;
mod keys;
mod layers;
mod network;
pub mod plan;
mod reduce;
pub mod reference;
mod samples;
mod tile;
mod window;

pub use activations::{Activation, Dual};
pub use backend::{
    Backend, BackendError, CancelToken, Control, Kernels, NotNumerics, Numerics, Pairs, Prepared, Progress,
    ProgressSink,
};
pub use bytes::Bytes;
pub use domain::{Domain, PerAtom};
pub use error::{ArchError, Place};
pub use geometric_mean::geometric_mean;
pub use group::{Group, GroupElement};
pub use input::{AtomDescriptor, AtomPairing, Input};
pub use layers::{
    Conv, Dense, Dropout, GlobalPool, GroupConv, Layer, LayerNorm, Lift, MaxPool, NormAxes, Parameterization,
    Pool, PoolKind, S2Conv, So3Conv, Weights,
};
pub use network::{Network, NetworkBuilder, Node, Source};
pub use plan::{KernelSet, Plan, Quadrature};
pub use samples::{Molecule, Samples, SamplesError};
pub use tile::{Entries, assemble};
pub use window::{Padding, Window};
