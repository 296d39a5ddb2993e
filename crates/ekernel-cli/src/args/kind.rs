//! The kernels.

use clap::ValueEnum;
use ekernel_experiment::Kind;

/// One of the two kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindName {
    Nngp,
    Ntk,
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Kind {
        match name {
            KindName::Nngp => Kind::Nngp,
            KindName::Ntk => Kind::Ntk,
        }
    }
}

/// The kernels of these names.
pub(crate) fn kinds(names: &[KindName]) -> Vec<Kind> {
    names.iter().copied().map(Kind::from).collect()
}
