//! What a kernel value depends on.

mod compare;
mod digest;

pub(crate) use compare::Unidentified;
pub use compare::{Difference, Identity};
