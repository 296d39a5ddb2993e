//! The GPU backend: plans of `ekernel-core` as WGSL compute dispatches, on any adapter that wgpu reaches.
//!
//! A [`Device`] is opened by an [`AdapterChoice`] or made from an embedding program's own [`wgpu::Device`]; a
//! [`WgpuBackend`] executes one plan on it, of images or of signals on the sphere and molecules. Planes and functions on SO(3)
//! are float32 in the defect form of `docs/numerics.md`; per-sample variances, sums over planes and rings and the head are float64 on
//! the host, and so are the few pairs that float32 would spoil.

mod adapters;
mod backend;
mod bindings;
mod device;
mod error;
mod fused;
mod layered;
mod lower;
mod options;
mod peak;
mod pending;
mod planes;
mod recorder;
mod resident;
mod rotations;
mod run;
mod self_test;
mod strategy;
mod tensors;
#[cfg(test)]
mod wgsl_layout;

pub use adapters::{Adapter, AdapterChoice};
pub use backend::WgpuBackend;
pub use device::Device;
pub use error::GpuError;
pub use fused::{FusedShader, fused_shader};
pub use options::{StrategyChoice, Tuning, WgpuOptions};
pub use pending::Pending;
pub use strategy::StageStrategy;
pub use wgpu;
