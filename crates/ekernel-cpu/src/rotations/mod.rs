//! Kernels of signals on the sphere, as functions k(U) on SO(3) of a register of pairs.
//!
//! ```text
//! signals ─ harmonics ─ lifted, per lift: a_lm/√q in T        once per signal (ekernel-signals, signal)
//!    │ contract      D^l_mn of the defect d(U) = 1 − k/√(qq')  a product of matrices per degree, W pairs side by side
//!    │ transform     d on a ring as sums along γ               ekernel-harmonic, ring by ring
//!    │ circle        d at four points of a line                in registers
//!    │ variable      x = 1 − 2θ/π, cos θ = 1 − d
//!    ▼ moments       Σ_U vol(U) T_n(x(U))                      no memory but the sums
//! K = Σ_n a_n M_n, Θ = Σ_n b_n M_n                             the layers: series fitted in float64
//! ```
//!
//! All variances are constants, so the layers between the lift and the pool are one function of cos θ, whatever they are
//! (pointwise, fit), and the readout is linear in it: the moments of the angle serve NNGP and NTK of any depth at once.
//! The defect keeps its digits where signals are parallel or nearly constant: its mean is a sum of squares in float64.
//! Truncations, sums of several lifts, kinked layers with biases (layers) and other functions without a series go point by
//! point (passes).

mod circle;
mod contract;
mod curve;
mod engine;
mod fields;
mod fit;
mod layers;
mod moments;
mod pack;
mod passes;
mod pointwise;
mod prepared;
mod rooms;
mod signal;
mod stage;
mod variable;

pub use engine::Variances;
pub(crate) use engine::WIDE;
pub(crate) use prepared::{Rotations, operations};
