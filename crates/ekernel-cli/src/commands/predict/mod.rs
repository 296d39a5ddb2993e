//! `ekernel predict`: train on one set, predict another.

mod checks;
mod command;
mod kernels;
mod options;
mod times;

pub(crate) use command::run;
pub(crate) use options::Predict;
