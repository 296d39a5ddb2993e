//! What a kernel value depends on.

mod compare;
mod difference;
mod digest;

pub use compare::Identity;
pub(crate) use compare::Unidentified;
pub use difference::Difference;
pub use digest::describe_samples;
