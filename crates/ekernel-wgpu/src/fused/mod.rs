//! fused: a whole stage in one dispatch, its planes in workgroup memory from the pixels to the sum over each plane.
//!
//! It does chains of stride-1 convolutions and activations of one family, which are most of the work there is:
//! `shaders/fused/chain.wgsl`. How kinked activations (relu, leaky_relu, abs) keep the defect is told in
//! `shaders/fused/kinked.wgsl`, smooth ones are in `shaders/fused/smooth.wgsl`; how planes are laid out and cut in [`planner`].

mod chain;
mod maps;
mod pipeline;
mod planner;
mod readout;
mod runs;

pub(crate) use readout::{Fused, fits};
pub use readout::{FusedShader, fused_shader};
