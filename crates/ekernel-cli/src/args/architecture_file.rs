//! One architecture, by its file.

use std::path::{Path, PathBuf};

use clap::Args;

/// One architecture, named with or without its option.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct ArchitectureFile {
    /// The architecture file
    #[arg(value_name = "A.toml")]
    positional: Option<PathBuf>,
    /// The same
    #[arg(long = "arch", value_name = "A.toml")]
    option: Option<PathBuf>,
}

impl ArchitectureFile {
    /// The file.
    pub(crate) fn path(&self) -> &Path {
        // The group has exactly one of them.
        self.positional.as_deref().or(self.option.as_deref()).unwrap_or(Path::new(""))
    }
}
