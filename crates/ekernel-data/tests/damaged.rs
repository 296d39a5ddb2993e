//! Damaged copies of good files: an error or the same data, and never a panic.

use std::path::{Path, PathBuf};

use ekernel_data::{DataError, NpzFile, ReadOptions, Source, read_dataset, read_molecules};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Writes a new file: one that is written over is flushed to the disk by some file systems, thousands of times here.
fn write(path: &Path, bytes: &[u8]) {
    let _absent = std::fs::remove_file(path);
    std::fs::write(path, bytes).unwrap();
}

/// Everything in an .npz file.
fn read_npz(path: &Path) -> Result<String, DataError> {
    let mut file = NpzFile::open(path)?;
    let mut text = String::new();
    for key in file.keys() {
        // Some arrays of the fixture are there to be refused; a damaged one must not turn into another.
        match file.read(&key) {
            Ok(array) => text.push_str(&format!("{key} {array:?}\n")),
            Err(DataError::Dtype { .. } | DataError::Pickled { .. } | DataError::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(text)
}

/// The lines of `found` that `good` lacks.
fn invented<'a>(found: &'a str, good: &str) -> Vec<&'a str> {
    found.lines().filter(|line| !good.lines().any(|known| known == *line)).collect()
}

#[test]
fn truncated_npz_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    for (name, step) in [("stored.npz", 1), ("compressed.npz", 97), ("qm9.npz", 97)] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        for length in (0..bytes.len()).step_by(step) {
            write(&path, &bytes[..length]);
            let error =
                NpzFile::open(&path).err().unwrap_or_else(|| panic!("{name} opened at {length} bytes"));
            assert!(matches!(error, DataError::Damaged { .. }), "{name} at {length}: {error}");
            let remedy = if length < 4 { "numpy.savez" } else { "copy the file again" };
            let message = error.to_string();
            let library = message.find("Zip").unwrap_or(message.len());
            assert!(message.find(remedy).is_some_and(|at| at < library), "{name} at {length}: {message}");
        }
    }
}

#[test]
fn flipped_bits_do_not_change_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    let mut refused = 0;
    let mut read = 0;
    for (name, step) in [("stored.npz", 5), ("compressed.npz", 61)] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let good = read_npz(&fixture(name)).unwrap();
        for position in (0..bytes.len() * 8).step_by(step) {
            let mut damaged = bytes.clone();
            damaged[position / 8] ^= 1 << (position % 8);
            write(&path, &damaged);
            match read_npz(&path) {
                Err(_) => refused += 1,
                Ok(found) => {
                    read += 1;
                    // A damaged name is a new key, for which the checksums cannot speak.
                    let data = |text: &str| -> String {
                        text.lines()
                            .map(|line| line.split_once(' ').unwrap_or_default().1)
                            .collect::<Vec<_>>()
                            .join("\n")
                    };
                    let invented = invented(&data(&found), &data(&good)).join("\n");
                    assert_eq!(invented, "", "{name}, bit {position}");
                }
            }
        }
    }
    assert!(refused > 100 && read > 100, "{refused} refused, {read} read");
}

/// Reads a file with the reader of its kind; what comes out is of no interest.
fn read_any(path: &Path, molecules: bool) -> bool {
    let source = Source::file(path);
    let image_size = path.is_dir().then_some((3, 3));
    let options = ReadOptions { image_size, ..ReadOptions::default() };
    if molecules { read_molecules(&source).is_ok() } else { read_dataset(&source, &options).is_ok() }
}

#[test]
fn other_damaged_files_do_not_panic() {
    let folder = tempfile::tempdir().unwrap();
    for (name, molecules) in [
        ("float64.npy", false),
        ("fortran.npy", false),
        ("images/a_tumour/1.png", false),
        ("images/a_tumour/2.tif", false),
        ("images/b_stroma/2.jpg", false),
        ("qm9.csv", true),
        ("qm9.npz", true),
        ("qm9_xyz/dsgdb9nsd_000001.xyz", true),
    ] {
        let whole = fixture(name);
        let bytes = std::fs::read(&whole).unwrap();
        // Images are read through their folder.
        let is_image = name.starts_with("images");
        let place = folder.path().join(name.replace('/', "_"));
        let target = if is_image {
            std::fs::create_dir_all(&place).unwrap();
            place.join(whole.file_name().unwrap())
        } else {
            place.clone()
        };
        let read = |bytes: &[u8]| {
            write(&target, bytes);
            read_any(&place, molecules)
        };
        assert!(read(&bytes), "{name} is not readable to begin with");
        let step = 1 + bytes.len() / 200;
        for length in (0..bytes.len()).step_by(step) {
            read(&bytes[..length]);
        }
        for position in (0..bytes.len()).step_by(step) {
            for mask in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[position] ^= mask;
                read(&damaged);
            }
        }
    }
}
