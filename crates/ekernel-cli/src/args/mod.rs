//! Words of the command line that several commands share.

mod architecture_file;
mod center;
mod compute;
mod count;
mod kind;
mod property;
mod quadrature;
mod reading;
mod resume;
mod sampled;
mod scale;
mod shard;
mod talk;
mod targets;
mod time;

pub(crate) use architecture_file::ArchitectureFile;
pub(crate) use center::CenterName;
pub(crate) use compute::{BackendName, Blocks, Compute, Gpu, Precision};
pub(crate) use count::count;
pub(crate) use kind::{KindName, kinds};
pub(crate) use property::Property;
pub(crate) use quadrature::{quadrature, quadrature_name};
pub(crate) use reading::Reading;
pub(crate) use resume::Resume;
pub(crate) use sampled::Sampled;
pub(crate) use scale::ScaleName;
pub(crate) use shard::ShardChoice;
pub(crate) use talk::Talk;
pub(crate) use targets::TargetsName;
pub(crate) use time::time;
