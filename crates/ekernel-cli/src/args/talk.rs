//! How a command talks.

use clap::Args;

/// How a command talks.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct Talk {
    /// Nothing on standard error but errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// The result as JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
}
