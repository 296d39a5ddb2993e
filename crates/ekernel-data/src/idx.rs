//! MNIST's idx files: images (n, h, w) and labels (n,) of unsigned bytes, plain or gzipped.
//!
//! A file begins with two zero bytes, the element type (8 = unsigned byte), the number of dimensions, then each
//! dimension as a big-endian u32, then the elements in C order (LeCun, Cortes, Burges: the MNIST database).

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use ekernel_core::Samples;
use flate2::read::MultiGzDecoder;
use ndarray::{ArrayD, IxDyn};

use crate::dataset::Dataset;
use crate::error::{DataError, WEB_PAGE};
use crate::memory;
use crate::mnist_files;
use crate::npy::NpyArray;
use crate::place::Place;
use crate::samples;
use crate::targets::Targets;

/// The element types that are read.
const BYTES: u8 = 8;
const INTEGERS: u8 = 12;

/// Images, and the labels of `labels` or of the file beside that is named alike.
pub(crate) fn read_pair(images: &Path, labels: Option<&Path>) -> Result<Dataset, DataError> {
    let samples = read_images(images)?;
    let beside = labels.map(Path::to_owned).or_else(|| mnist_files::labels_beside(images));
    let targets = match &beside {
        None => None,
        Some(path) => Some((read_labels(path)?, Place::file(path))),
    };
    Dataset::checked(samples, Place::file(images), targets)
}

/// One part of a folder with the files of MNIST or a relative of it.
pub(crate) fn read_folder(folder: &Path, part: &str) -> Result<Dataset, DataError> {
    let wrong = |remedy| DataError::KeyNotUsed {
        path: folder.to_owned(),
        key: part.to_owned(),
        format: "a folder of MNIST files",
        remedy,
    };
    if !matches!(part, "train" | "test") {
        return Err(wrong("write FOLDER:train or FOLDER:test"));
    }
    match mnist_files::pairs(folder, part).as_slice() {
        [(images, labels)] => read_pair(images, labels.as_deref()),
        [] => Err(wrong("it holds no images of that set")),
        _ => Err(wrong("it holds several such sets: write the files, IMAGES,LABELS")),
    }
}

fn read_images(path: &Path) -> Result<Samples, DataError> {
    let (_, shape, bytes) = read(path, &[[BYTES, 3]], "an idx file of images", "[00, 00, 08, 03]")?;
    samples::from_array(array(path, &shape, bytes)?, &Place::file(path))
}

/// The labels of an idx file; of QMNIST's, which hold eight numbers for each image, the first.
pub(crate) fn read_labels(path: &Path) -> Result<Targets, DataError> {
    let accepted = [[BYTES, 1], [INTEGERS, 2]];
    let (kind, shape, bytes) = read(path, &accepted, "an idx file of labels", "[00, 00, 08, 01]")?;
    if kind == BYTES {
        return Targets::from_array(array(path, &shape, bytes)?, &Place::file(path));
    }
    let row = 4 * shape[1].max(1);
    let first = |row: &[u8]| i64::from(i32::from_be_bytes([row[0], row[1], row[2], row[3]]));
    let labels: Vec<i64> = bytes.chunks_exact(row).map(first).collect();
    Targets::from_array(
        NpyArray::Integers(ArrayD::from_shape_vec(IxDyn(&[labels.len()]), labels).map_err(|error| {
            DataError::Damaged { place: Place::file(path), format: "an idx file", reason: error.to_string() }
        })?),
        &Place::file(path),
    )
}

fn array(path: &Path, shape: &[usize], bytes: Vec<u8>) -> Result<NpyArray, DataError> {
    let values = ArrayD::from_shape_vec(IxDyn(shape), bytes).map_err(|error| DataError::Damaged {
        place: Place::file(path),
        format: "an idx file",
        reason: error.to_string(),
    })?;
    Ok(NpyArray::Bytes(values))
}

/// Type, shape and elements of a file of one of these types and numbers of dimensions.
fn read(
    path: &Path,
    accepted: &[[u8; 2]],
    format: &'static str,
    expected: &'static str,
) -> Result<(u8, Vec<usize>, Vec<u8>), DataError> {
    let place = Place::file(path);
    let file = File::open(path).map_err(|source| DataError::io(path, "open", source))?;
    let mut reader = BufReader::new(file);
    let gzipped =
        peek(&mut reader).map_err(|source| DataError::io(path, "read", source))?.starts_with(&[0x1f, 0x8b]);
    let mut reader: Box<dyn Read> =
        if gzipped { Box::new(MultiGzDecoder::new(reader)) } else { Box::new(reader) };
    let mut take = |limit: u64| -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        reader.by_ref().take(limit).read_to_end(&mut bytes).map_err(|source| DataError::Damaged {
            place: place.clone(),
            format,
            reason: source.to_string(),
        })?;
        Ok(bytes)
    };
    let magic = take(4)?;
    if magic.starts_with(b"<") {
        return Err(DataError::Damaged { place, format, reason: WEB_PAGE.to_owned() });
    }
    let known = accepted.iter().find(|[kind, rank]| magic == [0, 0, *kind, *rank]);
    if magic.len() == 4 && known.is_none() {
        let found = format!("{magic:02x?}");
        return Err(DataError::WrongMagic { place, format, found, expected });
    }
    let [kind, rank] = *known.unwrap_or(&accepted[0]);
    let header_length = 4 + 4 * usize::from(rank);
    let header = [magic, take(4 * u64::from(rank))?].concat();
    let length = |expected: u64, found: usize| DataError::Length {
        place: place.clone(),
        format,
        expected,
        found: found as u64,
    };
    if header.len() < header_length {
        return Err(length(header_length as u64, header.len()));
    }
    let shape: Vec<usize> = header[4..]
        .chunks_exact(4)
        .map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
        .collect();
    let bytes_each = if kind == INTEGERS { 4 } else { 1 };
    let count = shape.iter().map(|&extent| extent as u128).product::<u128>() * bytes_each;
    memory::ensure_fits(&place, count * 9)?;
    let count = u64::try_from(count).unwrap_or(u64::MAX - 1);
    let bytes = take(count + 1)?;
    if bytes.len() as u64 != count {
        return Err(length(count.saturating_add(header_length as u64), bytes.len() + header_length));
    }
    Ok((kind, shape, bytes))
}

fn peek(reader: &mut BufReader<File>) -> std::io::Result<&[u8]> {
    use std::io::BufRead;
    reader.fill_buf()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::PathBuf;

    use super::*;

    /// Two images of 2 x 3 and their labels, as MNIST stores them.
    fn write(folder: &Path) -> (PathBuf, PathBuf) {
        let images = folder.join("train-images-idx3-ubyte");
        let labels = folder.join("train-labels-idx1-ubyte");
        let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend((0..12u8).map(|value| value * 20));
        std::fs::write(&images, bytes).unwrap();
        std::fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 2, 7, 1]).unwrap();
        (images, labels)
    }

    fn gzip(path: &Path) -> PathBuf {
        let name = format!("{}.gz", path.file_name().unwrap().to_str().unwrap());
        let target = path.with_file_name(name);
        let mut encoder = flate2::write::GzEncoder::new(File::create(&target).unwrap(), Default::default());
        encoder.write_all(&std::fs::read(path).unwrap()).unwrap();
        encoder.finish().unwrap();
        target
    }

    #[test]
    fn images_and_the_labels_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let (images, labels) = write(folder.path());
        let plain = read_pair(&images, None).unwrap();
        let Samples::Images(pixels) = &plain.samples else { panic!("images expected") };
        assert_eq!(pixels.dim(), (2, 2, 3, 1));
        assert_eq!(pixels[[1, 0, 2, 0]], 160.0 / 255.0);
        assert_eq!(
            plain.targets,
            Some(Targets::Classes { labels: vec![7, 1], n_classes: 8, names: None, numbered: true })
        );
        assert_eq!(read_pair(&images, Some(&labels)).unwrap(), plain);

        let (zipped, _) = (gzip(&images), gzip(&labels));
        assert_eq!(read_pair(&zipped, None).unwrap(), plain);
        assert_eq!(read_folder(folder.path(), "train").unwrap(), plain);
        std::fs::remove_file(&images).unwrap();
        std::fs::remove_file(&labels).unwrap();
        assert_eq!(read_folder(folder.path(), "train").unwrap(), plain);
    }

    #[test]
    fn faults() {
        let folder = tempfile::tempdir().unwrap();
        let (images, labels) = write(folder.path());
        let swapped = read_pair(&labels, Some(&images)).unwrap_err().to_string();
        assert!(swapped.contains("begins with [00, 00, 08, 01], not [00, 00, 08, 03]"), "{swapped}");

        let bytes = std::fs::read(&images).unwrap();
        for length in 0..bytes.len() {
            std::fs::write(&images, &bytes[..length]).unwrap();
            let error = read_pair(&images, None).unwrap_err();
            assert!(
                matches!(error, DataError::Length { found, .. } if found == length as u64),
                "{length}: {error}"
            );
        }
        let mut longer = bytes.clone();
        longer.push(0);
        std::fs::write(&images, &longer).unwrap();
        assert!(read_pair(&images, None).unwrap_err().to_string().contains("too long"));

        let mut huge = bytes.clone();
        huge[4..16].fill(0xff);
        std::fs::write(&images, &huge).unwrap();
        assert!(matches!(
            read_pair(&images, None),
            Err(DataError::TooLarge { .. } | DataError::Length { .. })
        ));

        std::fs::write(&images, &bytes).unwrap();
        std::fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 1, 7]).unwrap();
        assert!(matches!(
            read_pair(&images, None),
            Err(DataError::Lengths { n_inputs: 2, n_targets: 1, .. })
        ));
        assert!(
            read_folder(folder.path(), "test").unwrap_err().to_string().contains("no images of that set")
        );
        assert!(matches!(read_folder(folder.path(), "val"), Err(DataError::KeyNotUsed { .. })));
    }

    #[test]
    fn a_damaged_gzip_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (images, _) = write(folder.path());
        let zipped = gzip(&images);
        let bytes = std::fs::read(&zipped).unwrap();
        for length in 2..bytes.len() {
            std::fs::write(&zipped, &bytes[..length]).unwrap();
            assert!(read_images(&zipped).is_err(), "{length} bytes were read as a whole file");
        }
    }
}
