//! What the host computes in float64: the variances of every copy of a sample, once; and the few pairs that float32 would
//! spoil, plane by plane.

mod image;
mod maps;
mod pair;
mod planes;
mod positions;
mod precise;
mod samples;

pub(crate) use image::Image;
pub(crate) use maps::Maps;
pub(crate) use pair::{Gather, Pair, scale};
pub(crate) use positions::offset;
pub(crate) use precise::Delicate;
pub(crate) use samples::{Copies, DelicateSamples};
