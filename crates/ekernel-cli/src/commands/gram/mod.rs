//! `ekernel gram`: a Gram matrix, stored.

mod command;
mod file;
mod shards;
mod work;

pub(crate) use command::{Gram, run};
