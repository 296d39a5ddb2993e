//! The commands, one file or folder each.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod converge;
pub(crate) mod demo;
pub(crate) mod devices;
pub(crate) mod gram;
pub(crate) mod layers;
pub(crate) mod plan;
pub(crate) mod predict;
pub(crate) mod solve;
pub(crate) mod status;
pub(crate) mod train;
