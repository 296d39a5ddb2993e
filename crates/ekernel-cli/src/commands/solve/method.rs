//! How a system is solved.

use clap::ValueEnum;

/// How a system is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Method {
    Cg,
    Cholesky,
}
