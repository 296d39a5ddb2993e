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

/// The Jaro-Winkler similarity from which names are alike.
const ALIKE: f64 = 0.8;

/// `names` with those like `wanted` first, the most alike foremost, and the others in alphabetical order.
pub(crate) fn nearest_first(wanted: &str, mut names: Vec<String>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let likeness = |name: &str| {
        let likeness = strsim::jaro_winkler(&wanted, &name.to_lowercase());
        if likeness >= ALIKE { likeness } else { 0.0 }
    };
    names.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)).then_with(|| a.cmp(b)));
    names
}

/// The name in the folder of `path` most like its last part, if one is like it at all.
pub(crate) fn nearest_file(path: &Path) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_names_come_before_the_alphabet() {
        let names = ["y_test", "b", "x_train", "a", "x_test"].map(str::to_owned).to_vec();
        let near = nearest_first("X_test", names.clone());
        assert_eq!(near, ["x_test", "y_test", "a", "b", "x_train"]);
        assert_eq!(nearest_first("nokey", names), ["a", "b", "x_test", "x_train", "y_test"]);
    }
}
