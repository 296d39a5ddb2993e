//! Binary files of STL-10 (Coates, Ng and Lee 2011): `train_X.bin` holds 96 × 96 images, of each the red, green and blue plane,
//! each column by column; `train_y.bin` holds a byte for each image, classes from 1.

use std::collections::BTreeSet;
use std::path::Path;

use ekernel_core::Samples;
use ndarray::ArrayView3;

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::memory;
use crate::place::Place;
use crate::samples::{checked, unit};
use crate::targets::Targets;

const SIDE: usize = 96;
const PIXELS: usize = 3 * SIDE * SIDE;
const CLASSES: usize = 10;

/// Whether a file is called like the images of a part.
pub(crate) fn is_images(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("_X.bin"))
}

/// Whether a folder holds such a file.
pub(crate) fn is_in(folder: &Path) -> bool {
    ["train", "test", "unlabeled"].iter().any(|part| folder.join(format!("{part}_X.bin")).is_file())
}

/// One part of a folder with the files of STL-10, under their usual names.
pub(crate) fn read_folder(folder: &Path, part: &str) -> Result<Dataset, DataError> {
    if !["train", "test", "unlabeled"].contains(&part) {
        return Err(DataError::KeyNotUsed {
            path: folder.to_owned(),
            key: part.to_owned(),
            format: "a folder of STL-10 files",
            remedy: "write FOLDER:train, FOLDER:test or FOLDER:unlabeled",
        });
    }
    read(&folder.join(format!("{part}_X.bin")))
}

/// The images of a file, and their labels where those lie beside it.
pub(crate) fn read(path: &Path) -> Result<Dataset, DataError> {
    let place = Place::file(path);
    let bytes = std::fs::read(path).map_err(|source| DataError::io(path, "read", source))?;
    if bytes.is_empty() || bytes.len() % PIXELS != 0 {
        return Err(DataError::Length {
            place,
            format: "STL-10 (images of 27648 bytes)",
            expected: (bytes.len().div_ceil(PIXELS).max(1) * PIXELS) as u64,
            found: bytes.len() as u64,
        });
    }
    let count = bytes.len() / PIXELS;
    memory::ensure_fits(&place, bytes.len() as u128 * 8)?;
    let mut images = memory::zeros(&place, (count, SIDE, SIDE, 3))?;
    for (mut image, pixels) in images.outer_iter_mut().zip(bytes.chunks_exact(PIXELS)) {
        let planes =
            ArrayView3::from_shape((3, SIDE, SIDE), pixels).expect("there are PIXELS bytes in a chunk");
        // [plane][column][row] to [row][column][plane].
        image.zip_mut_with(&planes.permuted_axes([2, 1, 0]), |pixel, &byte| *pixel = unit(byte));
    }
    let targets = labels(path)?;
    Dataset::checked(checked(Samples::Images(images), &place)?, place, targets)
}

fn labels(images: &Path) -> Result<Option<(Targets, Place)>, DataError> {
    let name = images.file_name().map(|name| name.to_string_lossy().replace("_X.bin", "_y.bin"));
    let path = images.with_file_name(name.unwrap_or_default());
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = std::fs::read(&path).map_err(|source| DataError::io(&path, "read", source))?;
    if let Some(image) = bytes.iter().position(|label| !(1..=CLASSES).contains(&usize::from(*label))) {
        let reason = format!("the label of image {image} is {}; classes are 1 to {CLASSES}", bytes[image]);
        return Err(DataError::Damaged { place: Place::file(path), format: "labels of STL-10", reason });
    }
    let labels = bytes.into_iter().map(|label| usize::from(label) - 1).collect();
    let names = class_names(images);
    Ok(Some((Targets::Classes { labels, n_classes: CLASSES, names, numbered: true }, Place::file(path))))
}

/// The names of the classes, where their file lies beside the images.
fn class_names(images: &Path) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(images.with_file_name("class_names.txt")).ok()?;
    let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    let distinct: BTreeSet<&String> = names.iter().collect();
    (distinct.len() == CLASSES && names.len() == CLASSES).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn byte(plane: usize, row: usize, column: usize) -> u8 {
        ((plane * 83 + row * 5 + column * 2) % 256) as u8
    }

    fn image() -> Vec<u8> {
        let at = |i: usize| byte(i / (SIDE * SIDE), i % SIDE, i / SIDE % SIDE);
        (0..PIXELS).map(at).collect()
    }

    #[test]
    fn columns_become_rows_and_classes_count_from_0() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("train_X.bin"), image().repeat(2)).unwrap();
        std::fs::write(at("train_y.bin"), [10, 1]).unwrap();
        std::fs::write(at("unlabeled_X.bin"), image()).unwrap();
        let data = read_folder(folder.path(), "train").unwrap();
        let Samples::Images(images) = &data.samples else { panic!("images expected") };
        assert_eq!(images.dim(), (2, 96, 96, 3));
        for ((_, row, column, plane), &pixel) in images.indexed_iter() {
            assert_eq!(pixel, unit(byte(plane, row, column)));
        }
        let Some(Targets::Classes { labels, n_classes: 10, names: None, .. }) = data.targets else {
            panic!("ten classes without names expected")
        };
        assert_eq!(labels, [9, 0]);
        let names = ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"];
        std::fs::write(at("class_names.txt"), names.join("\r\n") + "\n").unwrap();
        let Some(Targets::Classes { names: Some(found), .. }) = read(&at("train_X.bin")).unwrap().targets
        else {
            panic!("names expected")
        };
        assert_eq!(found, names);
        assert_eq!(read_folder(folder.path(), "unlabeled").unwrap().targets, None);
    }

    #[test]
    fn faults_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |part: &str| read_folder(folder.path(), part).unwrap_err().to_string();
        assert!(refused("valid").contains("FOLDER:unlabeled"));
        assert!(refused("train").contains("does not exist"));
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("train_X.bin"), image()).unwrap();
        for (labels, part) in [(&[0][..], "the label of image 0 is 0"), (&[1, 1], "1 sample but")] {
            std::fs::write(at("train_y.bin"), labels).unwrap();
            assert!(refused("train").contains(part), "{}", refused("train"));
        }
        std::fs::write(at("train_X.bin"), &image()[1..]).unwrap();
        assert!(refused("train").contains("truncated") && refused("train").contains("STL-10"));
    }
}
