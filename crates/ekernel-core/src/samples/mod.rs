//! The inputs of a kernel: a batch of samples of one kind, validated once.

mod batch;
mod error;
mod molecule;

pub use batch::Samples;
pub use error::SamplesError;
pub use molecule::Molecule;
