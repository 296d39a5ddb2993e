//! The fast CPU backend: kernel planes in f32 or f64, SIMD chosen at run time.
//!
//! A run of stride-1 convolutions and activations conserves the offset d = t' - t of the two positions of a planar
//! kernel K(t, t'), so one plane P_d(t) = K(t, t+d) passes through the whole run alone. [`chain`] takes
//! such planes of one first image and a register of second images through the run together.
//!
//! Kernels of signals on the sphere are functions on SO(3); `rotations` computes those of a register of pairs together.
mod backend;
pub mod chain;
mod duals;
mod engine;
pub mod float64;
mod fused;
mod image;
mod images;
mod options;
mod planes;
mod registers;
mod rotations;
pub mod simd;

pub use backend::CpuBackend;
pub use fused::{fuses, strategies};
pub use options::{CpuOptions, Precision};
