//! `ekernel converge`: sampled kernels of growing width against the exact ones.

mod command;
mod kept;
mod measured;
mod pieces;
mod report;
mod sampling;

pub(crate) use command::{Converge, run};
