use std::{fs, path::Path};

use ekernel::data::{ReadOptions, Source, read_dataset, read_labels, read_molecules};

/// How a file is named for each format, and the names behind the colon.
pub const FORMATS: [(&str, &str); 12] = [
    ("x.npy", ""),
    ("x.npz", ":x,y"),
    ("molecules.npz", ":0-9,U0"),
    ("train-images-idx3-ubyte", ""),
    ("train-labels-idx1-ubyte", ""),
    ("train-images-idx3-ubyte.gz", ""),
    ("data_batch_1.bin", ""),
    ("molecules.xyz", ""),
    ("molecules.csv", ""),
    ("molecules.npz", ""),
    ("table.csv", ":all,y"),
    ("table.csv", ":1..3,y,noise"),
];

/// A file of data: the first byte chooses the format, the rest is the file.
pub fn data(bytes: &[u8]) {
    let Some((&format, file)) = bytes.split_first() else { return };
    let (name, keys) = FORMATS[usize::from(format) % FORMATS.len()];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    fs::write(&path, file).expect("a file in it");
    read(&path, keys);
}

/// Reads the file in every way that may be asked for; a refusal is an answer.
fn read(path: &Path, keys: &str) {
    let Ok(source) = Source::parse(&format!("{}{keys}", path.display())) else { return };
    let _ = read_dataset(&source, &ReadOptions::default());
    let _ = read_labels(&source, &ReadOptions::default());
    if let Ok(molecules) = read_molecules(&source) {
        let _ = molecules.samples();
    }
}
