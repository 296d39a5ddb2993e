//! Architecture files on disk.

use std::path::{Path, PathBuf};

use ekernel_core::{ArchError, Input, Network};

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
        let network: Network = text.parse().map_err(|error| located(path, error))?;
        ensure_sane(path, network.input())?;
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

/// Refuses images that no machine computes: a pair has about 4 HW planes of HW entries.
fn ensure_sane(path: &Path, input: &Input) -> anyhow::Result<()> {
    const SIDE: usize = 4096;
    let Input::Image { height, width, channels } = *input else { return Ok(()) };
    if height.max(width) <= SIDE {
        return Ok(());
    }
    let entries = 4.0 * (height as f64 * width as f64).powi(2);
    Err(mistake(format!(
        "{}: images of {height} × {width} take {:.1e} GiB each, and a pair of them {entries:.1e} kernel entries; resize them, \
         at most to {SIDE} × {SIDE}",
        path.display(),
        8.0 * height as f64 * width as f64 * channels as f64 / (1u64 << 30) as f64
    )))
}
