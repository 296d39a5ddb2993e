//! layered: a plan executed op by op, each op a dispatch over materialised kernel tensors `[lane][offset][position]` of a
//! chunk of pairs (and, where one pair is too large, of a block of offsets). It does every plan.
//!
//! One op, one file, one shader: `box_mean.rs` fills in the parameters of `shaders/layered/box_mean.wgsl`.

mod affine;
mod box_mean;
mod correlate;
mod dropout;
pub(crate) mod dual;
mod evaluate;
mod geometry;
mod layout;
mod local_pool;
mod maps;
mod normalize;
mod params;
mod plane_sum;
mod pooled;
mod readout;
mod rectangle;
mod stages;
mod sum;

pub(crate) use readout::Layered;
