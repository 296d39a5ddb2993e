//! `ekernel solve`: a kernel machine from a Zarr store.

mod command;
mod fit;
mod method;
mod progress_file;

pub(crate) use command::{Solve, run};
