//! The suite on vectors and images.

pub mod falsifiers;
mod fixtures;
mod suite;

pub use fixtures::{Fixture, fixtures};
pub use suite::*;
