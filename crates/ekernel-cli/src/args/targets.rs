//! What targets are.

use clap::ValueEnum;
use ekernel_data::TargetKind;

/// What targets in arrays are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TargetsName {
    /// Whole numbers, texts, or one-hot rows, of any type
    Classes,
    /// Numbers of any type; several labels for each sample are columns of 0 and 1
    Values,
}

impl From<TargetsName> for TargetKind {
    fn from(name: TargetsName) -> TargetKind {
        match name {
            TargetsName::Classes => TargetKind::Classes,
            TargetsName::Values => TargetKind::Values,
        }
    }
}
