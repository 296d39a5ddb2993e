//! Where data lies, and which of the names that exist is nearest to one that does not.

use std::fmt;
use std::path::{Path, PathBuf};

/// A file, or one array in it: what an error points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file or folder.
    pub path: PathBuf,
    /// The array in it, for containers that name their arrays.
    pub key: Option<String>,
}

impl Place {
    /// A whole file or folder.
    pub fn file(path: impl Into<PathBuf>) -> Place {
        Place { path: path.into(), key: None }
    }

    /// One array of a file.
    pub fn entry(path: impl Into<PathBuf>, key: impl Into<String>) -> Place {
        Place { path: path.into(), key: Some(key.into()) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        match &self.key {
            Some(key) => write!(f, ":{key}"),
            None => Ok(()),
        }
    }
}

/// `names` with the one most like `wanted` first (Jaro-Winkler similarity; equals keep their order).
pub(crate) fn nearest_first(wanted: &str, mut names: Vec<String>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    names.sort_by(|a, b| {
        let likeness = |name: &str| strsim::jaro_winkler(&wanted, &name.to_lowercase());
        likeness(b).total_cmp(&likeness(a))
    });
    names
}

/// The name in the folder of `path` most like its last part, if one is like it at all.
pub(crate) fn nearest_file(path: &Path) -> Option<String> {
    const ALIKE: f64 = 0.8;
    let wanted = path.file_name()?.to_string_lossy().to_lowercase();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, left), (b, right)| a.total_cmp(b).then_with(|| right.cmp(left)))
        .map(|(_, name)| name)
}
