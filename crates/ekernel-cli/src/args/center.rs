//! What is taken off regression targets.

use clap::ValueEnum;
use ekernel_predict::Center;

/// What is taken off regression targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CenterName {
    /// The mean of the training targets, put back on predictions
    Mean,
    /// Nothing, as neural-tangents does
    None,
}

impl From<CenterName> for Center {
    fn from(name: CenterName) -> Center {
        match name {
            CenterName::Mean => Center::Mean,
            CenterName::None => Center::None,
        }
    }
}
