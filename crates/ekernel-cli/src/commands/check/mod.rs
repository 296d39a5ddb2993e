//! `ekernel check`: backends, or sampled networks, against the literal reference.

mod command;
mod literal;
mod sampled;

pub(crate) use command::{Check, run};
