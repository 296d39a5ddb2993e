//! Kernels of signals on the sphere, as functions k(U) on SO(3): the dispatches for a chunk of pairs of units, which are signals or
//! the atoms of molecules.
//!
//! ```text
//! signals ─ harmonics ─ lifted, per lift: a_lm/√q in float32   once per unit on the host (ekernel-signals, layout)
//!    │ contract     Σ_c a_lm a'_ln, the means of cos θ and 1 − cos θ
//!    │ orders       Σ_l d^l_mn(β_j) on each ring
//!    │ lines        the sum along α
//!    ▼ mean         at four points at a time: the sum along γ, all ops in registers, ΣK, Σu, ΣΘ of a ring
//! K, Θ = Σ_j w_j …                                             on the host in float64 (stage)
//! ```
//!
//! A truncation is a pass of its own before: `values` in the place of `mean`, then fold, gather and degrees back to
//! coefficients (passes). Both K and the defect u = √(vv') − K are carried, each without the cancellation of the other. In float64
//! on the host: the variances behind truncations, heads, and pairs whose angles a head reads and float32 does not know (precise).
//!
//! One dispatch of coefficients or lines, one shader: `shaders/rotations/`. The shader of the points is put together from the
//! plan.

mod engine;
mod layout;
mod passes;
mod resident;
mod shape;
mod stage;
mod stages;
mod tables;

pub(crate) use engine::Rotations;
pub(crate) use stages::{compile, strategies};
