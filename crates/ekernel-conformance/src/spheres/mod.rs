//! The suite on signals on the sphere and on molecules.

mod cases;
pub mod falsifiers;
mod published;
mod suite;

pub use cases::{NETWORKS, awkward_signals, molecules, network};
pub use published::published;
pub use suite::*;
