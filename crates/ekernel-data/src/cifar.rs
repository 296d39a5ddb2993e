//! Binary files of CIFAR-10 and CIFAR-100: records of one or two label bytes and 3072 bytes of pixels, the red plane first,
//! then green, then blue, each 32 x 32 in C order (Krizhevsky 2009, "binary version").

use std::collections::BTreeSet;
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

const NAMES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// One of the two collections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A label before each image.
    Ten,
    /// A coarse label, of 20, and a fine one before each image; the fine one is taken.
    Hundred,
}

impl Form {
    fn labels(self) -> usize {
        match self {
            Form::Ten => 1,
            Form::Hundred => 2,
        }
    }

    fn record(self) -> usize {
        self.labels() + PIXELS
    }

    fn classes(self) -> usize {
        match self {
            Form::Ten => 10,
            Form::Hundred => 100,
        }
    }
}

/// The images and labels of one or more batch files of one form, in order.
pub(crate) fn read_files(paths: &[PathBuf]) -> Result<Dataset, DataError> {
    let mut batches = Vec::new();
    let mut labels = Vec::new();
    for path in paths {
        let (form, bytes) = read_batch(path)?;
        if batches.first().is_some_and(|(first, _)| *first != form) {
            let reason = "it is of another form than the batches before it".to_owned();
            return Err(DataError::Damaged { place: Place::file(path), format: "a CIFAR-10 file", reason });
        }
        memory::ensure_fits(&Place::file(path), (labels.len() * PIXELS + bytes.len()) as u128 * 8)?;
        for (index, record) in bytes.chunks_exact(form.record()).enumerate() {
            let label = record[form.labels() - 1];
            if usize::from(label) >= form.classes() {
                let reason = format!("the label of image {index} is {label}, of {} classes", form.classes());
                return Err(DataError::Damaged { place: Place::file(path), format: "a CIFAR file", reason });
            }
            labels.push(usize::from(label));
        }
        batches.push((form, bytes));
    }
    let first = paths.first().expect("whoever reads batches names at least one");
    let (form, place) = (batches[0].0, Place::file(first));
    let mut images = memory::zeros(&place, (labels.len(), SIDE, SIDE, 3))?;
    let records = batches
        .iter()
        .flat_map(|(form, bytes)| bytes.chunks_exact(form.record()).map(|record| &record[form.labels()..]));
    for (mut image, pixels) in images.outer_iter_mut().zip(records) {
        let planes = ArrayView4::from_shape((1, 3, SIDE, SIDE), pixels).map_err(|error| {
            DataError::Damaged { place: place.clone(), format: "a CIFAR file", reason: error.to_string() }
        })?;
        let last = planes.permuted_axes([0, 2, 3, 1]);
        image.zip_mut_with(&last.index_axis_move(ndarray::Axis(0), 0), |pixel, &byte| *pixel = unit(byte));
    }
    let names = match form {
        Form::Ten => Some(NAMES.map(str::to_owned).to_vec()),
        Form::Hundred => fine_names(first),
    };
    let targets = Targets::Classes { labels, n_classes: form.classes(), names, numbered: true };
    Dataset::checked(checked(Samples::Images(images), &place)?, place.clone(), Some((targets, place)))
}

/// One part of a folder with the six files of CIFAR-10, under their usual names.
pub(crate) fn read_folder(folder: &Path, part: &str) -> Result<Dataset, DataError> {
    let names: Vec<String> = match part {
        "train" => (1..=5).map(|batch| format!("data_batch_{batch}.bin")).collect(),
        "test" => vec!["test_batch.bin".to_owned()],
        _ => return Err(no_such_part(folder, part)),
    };
    let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    read_files(&paths)
}

/// One part of a folder with the files of CIFAR-100, under their usual names.
pub(crate) fn read_folder_100(folder: &Path, part: &str) -> Result<Dataset, DataError> {
    match part {
        "train" | "test" => read_files(&[folder.join(format!("{part}.bin"))]),
        _ => Err(no_such_part(folder, part)),
    }
}

fn no_such_part(folder: &Path, part: &str) -> DataError {
    DataError::KeyNotUsed {
        path: folder.to_owned(),
        key: part.to_owned(),
        format: "a folder of CIFAR files",
        remedy: "write FOLDER:train or FOLDER:test",
    }
}

/// The names of CIFAR-100's fine classes, where their file lies beside the images.
fn fine_names(images: &Path) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(images.with_file_name("fine_label_names.txt")).ok()?;
    let names: Vec<String> = text.lines().map(str::to_owned).filter(|name| !name.is_empty()).collect();
    let distinct: BTreeSet<&String> = names.iter().collect();
    (distinct.len() == Form::Hundred.classes() && names.len() == distinct.len()).then_some(names)
}

fn read_batch(path: &Path) -> Result<(Form, Vec<u8>), DataError> {
    let bytes = std::fs::read(path).map_err(|source| DataError::io(path, "read", source))?;
    let whole = |form: &Form| !bytes.is_empty() && bytes.len() % form.record() == 0;
    if let Some(form) = [Form::Ten, Form::Hundred].into_iter().find(whole) {
        return Ok((form, bytes));
    }
    let record = Form::Ten.record();
    Err(DataError::Length {
        place: Place::file(path),
        format: "CIFAR-10 (records of 3073 bytes) or CIFAR-100 (records of 3074)",
        expected: (bytes.len().div_ceil(record).max(1) * record) as u64,
        found: bytes.len() as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The byte of a pixel, which shows where it stands.
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
        let Some(Targets::Classes { labels, n_classes: 10, names: Some(names), .. }) = data.targets else {
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
        for length in [0, 1, Form::Ten.record() - 1, Form::Ten.record() + 2] {
            let error = read(&batch(&[0, 1])[..length]).unwrap_err();
            let expected =
                if length > Form::Ten.record() { 2 * Form::Ten.record() } else { Form::Ten.record() } as u64;
            assert!(
                matches!(error, DataError::Length { expected: e, found, .. } if e == expected && found == length as u64),
                "{length}: {error}"
            );
        }
        let refused = read(&batch(&[3, 10])).unwrap_err().to_string();
        assert!(refused.contains("the label of image 1 is 10, of 10 classes"), "{refused}");
        assert!(matches!(read_folder(folder.path(), "train"), Err(DataError::NotFound { .. })));
    }

    #[test]
    fn fine_labels_of_a_hundred_classes() {
        let folder = tempfile::tempdir().unwrap();
        let batch: Vec<u8> =
            batch(&[99, 7]).chunks_exact(Form::Ten.record()).flat_map(|r| [&[3], r].concat()).collect();
        std::fs::write(folder.path().join("train.bin"), batch).unwrap();
        let names: Vec<String> = (0..100).map(|class| format!("kind {class}")).collect();
        std::fs::write(folder.path().join("fine_label_names.txt"), names.join("\n") + "\n").unwrap();
        let data = read_folder_100(folder.path(), "train").unwrap();
        let Samples::Images(images) = &data.samples else { panic!("images expected") };
        assert_eq!(images[[1, 4, 5, 2]], unit(byte(2, 4, 5)));
        let classes =
            Targets::Classes { labels: vec![99, 7], n_classes: 100, names: Some(names), numbered: true };
        assert_eq!(data.targets, Some(classes));
        assert!(read_folder_100(folder.path(), "valid").is_err());
    }

    #[test]
    fn batches_of_two_forms_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let batches = ["a.bin", "b.bin"].map(|name| folder.path().join(name));
        std::fs::write(&batches[0], batch(&[1])).unwrap();
        std::fs::write(&batches[1], vec![0; Form::Hundred.record()]).unwrap();
        assert!(read_files(&batches).unwrap_err().to_string().contains("b.bin"));
    }
}
