//! Where finished tiles are kept.

use std::path::PathBuf;

use clap::Args;

/// Where finished tiles are kept.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Results")]
pub(crate) struct Resume {
    /// Keep finished tiles in this folder, and continue from those that are there
    #[arg(long = "resume", value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}
