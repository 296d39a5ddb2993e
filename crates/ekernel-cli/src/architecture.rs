//! Architecture files on disk.

use std::path::{Path, PathBuf};

use ekernel_core::{ArchError, Network};

use crate::failure::mistake;

/// A network, and what to call it.
pub(crate) struct Architecture {
    /// The file's name without extension.
    pub(crate) name: String,
    /// The file.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) network: Network,
}

impl Architecture {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Architecture> {
        let text = std::fs::read_to_string(path).map_err(|problem| {
            mistake(format!("cannot read the architecture file {}: {problem}", path.display()))
        })?;
        let network = text.parse().map_err(|error| located(path, error))?;
        let name =
            path.file_stem().map_or_else(|| path.display().to_string(), |stem| stem.to_string_lossy().into());
        Ok(Architecture { name, path: path.to_owned(), network })
    }

    /// Reads several; files of one name in different folders keep their whole path as name.
    pub(crate) fn read_all(paths: &[PathBuf]) -> anyhow::Result<Vec<Architecture>> {
        let mut all =
            paths.iter().map(|path| Architecture::read(path)).collect::<anyhow::Result<Vec<_>>>()?;
        let names: Vec<String> = all.iter().map(|architecture| architecture.name.clone()).collect();
        for (i, architecture) in all.iter_mut().enumerate() {
            if paths[..i].contains(&paths[i]) {
                return Err(mistake(format!("--arch {}: the file is given twice", paths[i].display())));
            }
            if names.iter().filter(|name| **name == architecture.name).count() > 1 {
                architecture.name =
                    architecture.path.with_extension("").display().to_string().replace(['/', '\\'], "_");
            }
        }
        Ok(all)
    }
}

/// The error of an architecture with its file.
pub(crate) fn located(path: &Path, error: ArchError) -> anyhow::Error {
    anyhow::Error::new(error).context(path.display().to_string())
}
