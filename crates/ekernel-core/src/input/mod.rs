//! The input of a network.

mod molecule;
mod space;

pub use molecule::{AtomDescriptor, AtomPairing};
pub use space::Input;
