//! Where the files of MNIST and its relatives lie in a folder, whatever they are called.
//!
//! `train-images-idx3-ubyte`, `train-images.idx3-ubyte`, `qmnist-test-images-idx3-ubyte.gz`,
//! `emnist-letters-train-images-idx3-ubyte`: a file of images holds `images` and `idx3` in its name, and the set it is of. They
//! may lie in `raw` or `MNIST/raw` below the folder, as torchvision leaves them.

use std::fs;
use std::path::{Path, PathBuf};

/// The files of images of one set in a folder, and beside each the labels, if they are there.
pub(crate) type Pair = (PathBuf, Option<PathBuf>);

/// Whether a folder holds files of images of either set.
pub(crate) fn are_in(folder: &Path) -> bool {
    ["train", "test"].iter().any(|part| !pairs(folder, part).is_empty())
}

/// The pairs of one set, `train` or `test`, sorted; plain files before gzipped ones of the same name.
pub(crate) fn pairs(folder: &Path, part: &str) -> Vec<Pair> {
    let folders = [folder.to_owned(), folder.join("raw"), folder.join("MNIST").join("raw")];
    folders
        .iter()
        .map(|folder| pairs_directly_in(folder, part))
        .find(|pairs| !pairs.is_empty())
        .unwrap_or_default()
}

/// The labels beside a file of images that are called like it.
pub(crate) fn labels_beside(images: &Path) -> Option<PathBuf> {
    let name = images.file_name()?.to_str()?;
    let labels = name.replace("images", "labels");
    let names = [labels.replace("idx3", "idx1"), labels.replace("idx3-ubyte", "idx2-int")];
    names
        .into_iter()
        .filter(|labels| labels != name)
        .map(|labels| images.with_file_name(labels))
        .find(|path| path.is_file())
}

fn pairs_directly_in(folder: &Path, part: &str) -> Vec<Pair> {
    let words: &[&str] = if part == "train" { &["train"] } else { &["t10k", "test"] };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    let is_images = |name: &String| {
        let lower = name.to_lowercase();
        !lower.starts_with('.')
            && lower.contains("images")
            && lower.contains("idx3")
            && words.iter().any(|word| lower.contains(word))
    };
    let mut images: Vec<String> = names.into_iter().filter(is_images).collect();
    let plain = images.clone();
    images
        .retain(|name| name.strip_suffix(".gz").is_none_or(|name| !plain.iter().any(|other| other == name)));
    images
        .into_iter()
        .map(|name| folder.join(name))
        .filter(|path| path.is_file())
        .map(|path| {
            let labels = labels_beside(&path);
            (path, labels)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relatives_of_mnist_are_found() {
        for (below, images, labels) in [
            ("", "train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
            ("", "train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
            ("", "qmnist-train-images-idx3-ubyte.gz", "qmnist-train-labels-idx2-int.gz"),
            ("", "emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-train-labels-idx1-ubyte.gz"),
            ("MNIST/raw", "train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let inside = folder.path().join(below);
            std::fs::create_dir_all(&inside).unwrap();
            assert!(!are_in(folder.path()));
            for name in [images, labels] {
                std::fs::write(inside.join(name), b"").unwrap();
            }
            assert!(are_in(folder.path()));
            assert_eq!(pairs(folder.path(), "train"), [(inside.join(images), Some(inside.join(labels)))]);
            assert!(pairs(folder.path(), "test").is_empty());
        }
    }

    #[test]
    fn plain_files_come_before_gzipped_ones() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["t10k-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz"] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        assert_eq!(pairs(folder.path(), "test"), [(folder.path().join("t10k-images-idx3-ubyte"), None)]);
    }
}
