//! The amplitude of a Gaussian process.

use clap::ValueEnum;
use ekernel_experiment::Amplitude;

/// The amplitude of kernel and ridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScaleName {
    /// The kernel as computed
    Computed,
    /// The one under which the training targets are most likely; without --ridge also the most likely noise
    Fit,
}

impl From<ScaleName> for Amplitude {
    fn from(name: ScaleName) -> Amplitude {
        match name {
            ScaleName::Computed => Amplitude::AsComputed,
            ScaleName::Fit => Amplitude::Fit,
        }
    }
}
