//! CIFAR-10's binary files: records of one label byte and 3072 bytes of pixels, the red plane first, then green,
//! then blue, each 32 x 32 in C order (Krizhevsky 2009, "binary version").

use std::path::{Path, PathBuf};

use ekernel_core::Samples;
use ndarray::ArrayView4;

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::memory;
use crate::place::Place;
use crate::samples::{checked, unit};
use crate::targets::Targets;

const SIDE: usize = 32;
const PIXELS: usize = 3 * SIDE * SIDE;
const RECORD: usize = 1 + PIXELS;

/// Record length of CIFAR-100, which has two labels.
const RECORD_100: usize = 2 + PIXELS;

const NAMES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// The images and labels of one or more batch files, in order.
pub(crate) fn read_files(paths: &[PathBuf]) -> Result<Dataset, DataError> {
    let mut pixels = Vec::new();
    let mut labels = Vec::new();
    for path in paths {
        let bytes = read_batch(path)?;
        memory::ensure_fits(&Place::file(path), (labels.len() * PIXELS + bytes.len()) as u128 * 8)?;
        for (index, record) in bytes.chunks_exact(RECORD).enumerate() {
            let label = record[0];
            if usize::from(label) >= NAMES.len() {
                return Err(DataError::LabelTooLarge {
                    place: Place::file(path),
                    sample: index,
                    value: label.into(),
                    limit: NAMES.len() as u64,
                });
            }
            labels.push(usize::from(label));
        }
        pixels.push(bytes);
    }
    let place = Place::file(paths.first().expect("whoever reads batches names at least one"));
    let mut images = memory::zeros(&place, (labels.len(), SIDE, SIDE, 3))?;
    let records = pixels.iter().flat_map(|bytes| bytes.chunks_exact(RECORD));
    for (mut image, record) in images.outer_iter_mut().zip(records) {
        let planes = ArrayView4::from_shape((1, 3, SIDE, SIDE), &record[1..]).map_err(|error| {
            DataError::Damaged { place: place.clone(), format: "a CIFAR-10 file", reason: error.to_string() }
        })?;
        let last = planes.permuted_axes([0, 2, 3, 1]);
        image.zip_mut_with(&last.index_axis_move(ndarray::Axis(0), 0), |pixel, &byte| *pixel = unit(byte));
    }
    let names = Some(NAMES.map(str::to_owned).to_vec());
    let targets = Targets::Classes { labels, n_classes: NAMES.len(), names };
    Dataset::checked(checked(Samples::Images(images), &place)?, place.clone(), Some((targets, place)))
}

/// One part of a folder with the six files, under their usual names.
pub(crate) fn read_folder(folder: &Path, part: &str) -> Result<Dataset, DataError> {
    let names: Vec<String> = match part {
        "train" => (1..=5).map(|batch| format!("data_batch_{batch}.bin")).collect(),
        "test" => vec!["test_batch.bin".to_owned()],
        _ => {
            return Err(DataError::KeyNotUsed {
                path: folder.to_owned(),
                key: part.to_owned(),
                format: "a folder of CIFAR-10 files",
                remedy: "write FOLDER:train or FOLDER:test",
            });
        }
    };
    let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    read_files(&paths)
}

fn read_batch(path: &Path) -> Result<Vec<u8>, DataError> {
    let bytes = std::fs::read(path).map_err(|source| DataError::io(path, "read", source))?;
    if !bytes.is_empty() && bytes.len() % RECORD == 0 {
        return Ok(bytes);
    }
    let place = Place::file(path);
    if !bytes.is_empty() && bytes.len() % RECORD_100 == 0 {
        let reason = format!("{} bytes are records of {RECORD_100}, the form of CIFAR-100", bytes.len());
        return Err(DataError::Damaged { place, format: "a CIFAR-10 file", reason });
    }
    let expected = (bytes.len().div_ceil(RECORD).max(1) * RECORD) as u64;
    Err(DataError::Length {
        place,
        format: "CIFAR-10 (records of 3073 bytes)",
        expected,
        found: bytes.len() as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The byte of a pixel, which tells where it stands.
    fn byte(plane: usize, row: usize, column: usize) -> u8 {
        ((plane * 83 + row * 5 + column) % 256) as u8
    }

    /// Records of a label and the planes.
    fn batch(labels: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for &label in labels {
            bytes.push(label);
            for plane in 0..3 {
                bytes.extend((0..SIDE).flat_map(|row| (0..SIDE).map(move |column| byte(plane, row, column))));
            }
        }
        bytes
    }

    #[test]
    fn planes_become_channels() {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=5u8 {
            let path = folder.path().join(format!("data_batch_{number}.bin"));
            std::fs::write(path, batch(&[number, 9])).unwrap();
        }
        let data = read_folder(folder.path(), "train").unwrap();
        let Samples::Images(images) = &data.samples else { panic!("images expected") };
        assert_eq!(images.dim(), (10, 32, 32, 3));
        for ((_, row, column, channel), &pixel) in images.indexed_iter() {
            assert_eq!(pixel, unit(byte(channel, row, column)));
        }
        let Some(Targets::Classes { labels, n_classes: 10, names: Some(names) }) = data.targets else {
            panic!("ten named classes expected")
        };
        assert_eq!(labels, [1, 9, 2, 9, 3, 9, 4, 9, 5, 9]);
        assert_eq!(names[9], "truck");
    }

    #[test]
    fn faults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test_batch.bin");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read_folder(folder.path(), "test").map(|data| data.samples.len())
        };
        assert_eq!(read(&batch(&[0, 1, 2])).unwrap(), 3);
        for length in [0, 1, RECORD - 1, RECORD + 2] {
            let error = read(&batch(&[0, 1])[..length]).unwrap_err();
            let expected = if length > RECORD { 2 * RECORD } else { RECORD } as u64;
            assert!(
                matches!(error, DataError::Length { expected: e, found, .. } if e == expected && found == length as u64),
                "{length}: {error}"
            );
        }
        assert!(read(&vec![0; RECORD_100 * 2]).unwrap_err().to_string().contains("CIFAR-100"));
        assert!(matches!(
            read(&batch(&[3, 10])).unwrap_err(),
            DataError::LabelTooLarge { sample: 1, value: 10, limit: 10, .. }
        ));
        assert!(matches!(read_folder(folder.path(), "train"), Err(DataError::NotFound { .. })));
    }
}
