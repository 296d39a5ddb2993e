//! Memory that this process may still take.

mod cgroup;
mod files;
mod probe;

pub use files::{Files, ThisMachine};
pub use probe::{Available, Limit, available, of_linux};
