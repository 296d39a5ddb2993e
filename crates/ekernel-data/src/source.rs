//! The words that name data on a command line: `FILE`, `FILE:X`, `FILE:X,Y`, `FILE:X,Y,NOISE`, `X.npy,Y.npy`, `FOLDER`.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::DataError;
use crate::{mnist_files, stl10};

/// Where inputs and targets come from.
///
/// | words | inputs | targets |
/// | --- | --- | --- |
/// | `F.npz` | its only array | none |
/// | `F.npz:X` | array X | none |
/// | `F.npz:X,Y` | array X | array Y |
/// | `F.npz:X[0:2000],Y` | rows 0 to 1999 of X | the same rows of Y |
/// | `F.npz:X,Y,NOISE` | array X | array Y, with a standard deviation of the noise of each in NOISE |
/// | `T.csv` | all columns of a table | none |
/// | `T.csv:ROWS,COLUMN`, `T.csv:ROWS,COLUMN,NOISE` | the other columns of the rows `all` or `0..300` | that column; several are `A+B` |
/// | `X.npy` | the array | none |
/// | `X.npy,Y.npy` | the first file | the second file |
/// | `train-images-idx3-ubyte` (or .gz) | MNIST images | the labels file beside it, if there |
/// | `IMAGES,LABELS` (idx files) | the first file | the second file |
/// | `data_batch_1.bin` | CIFAR-10 or CIFAR-100 images | their labels, of CIFAR-100 the fine ones |
/// | `train_X.bin` | STL-10 images | the labels file beside it, if there |
/// | `FOLDER:train`, `FOLDER:test` | that part of a folder of MNIST, CIFAR or STL-10 files, or that sub-folder of images | their labels |
/// | `FOLDER` | images | the names of its sub-folders |
/// | `F.npz`, `F.csv`, `F.xyz`, `FOLDER` with `:ROWS` or `:ROWS,PROPERTY` | molecules | a property of each |
///
/// What exists under the whole text is taken as it stands, colons and commas included, and so are two files that exist on
/// either side of a comma; then the last colon before
/// which something exists separates the keys, else the last colon that is not the one of a drive letter (`C:\data`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file or folder of the inputs.
    pub path: PathBuf,
    /// The array, part or rows of it.
    pub inputs: Option<String>,
    /// The targets, where they are named.
    pub targets: Option<TargetSource>,
    /// The array or column of the noise of each target, where it is named.
    pub noise: Option<String>,
}

/// Where targets come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetSource {
    /// An array of the same file, or a property.
    Key(String),
    /// A file of their own.
    File(PathBuf),
}

/// The kinds of data that are distinguished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Npz,
    Npy,
    Idx,
    MnistFolder,
    Cifar10,
    Cifar10Folder,
    Cifar100Folder,
    Stl10,
    Stl10Folder,
    ImageFolder,
    Table,
}

/// What images and vectors are read from.
const KNOWN: &str = "images and vectors come from .npz, .npy, .csv tables, MNIST idx files (.gz too), .bin files of CIFAR-10, CIFAR-100 and STL-10, or a \
                     folder with one sub-folder of images per class";

impl Source {
    /// Reads the words.
    ///
    /// # Errors
    /// [`DataError::Source`] if the text, a key or a file name is empty, or if there are more than three names.
    pub fn parse(text: &str) -> Result<Source, DataError> {
        let fault = |reason| DataError::Source { text: text.to_owned(), reason };
        if text.is_empty() {
            return Err(fault("it is empty"));
        }
        if Path::new(text).exists() {
            return Ok(Source { path: text.into(), inputs: None, targets: None, noise: None });
        }
        if let Some((inputs, targets)) = pair_of_files(text) {
            let targets = Some(TargetSource::File(targets.into()));
            return Ok(Source { path: inputs.into(), inputs: None, targets, noise: None });
        }
        if let Some(colon) = key_colon(text) {
            let (path, keys) = (&text[..colon], &text[colon + 1..]);
            if path.is_empty() {
                return Err(fault("there is no file before the colon"));
            }
            let mut keys = keys.split(',').map(str::to_owned);
            let (inputs, targets, noise, rest) = (keys.next(), keys.next(), keys.next(), keys.next());
            if [&inputs, &targets, &noise].into_iter().flatten().any(String::is_empty) {
                return Err(fault("a name after the colon is empty"));
            }
            if rest.is_some() {
                return Err(fault("there are more than three names after the colon"));
            }
            return Ok(Source { path: path.into(), inputs, targets: targets.map(TargetSource::Key), noise });
        }
        match text.split_once(',') {
            Some((inputs, targets)) if inputs.is_empty() || targets.is_empty() => {
                Err(fault("a file name beside the comma is empty"))
            }
            Some((inputs, targets)) => {
                let targets = Some(TargetSource::File(targets.into()));
                Ok(Source { path: inputs.into(), inputs: None, targets, noise: None })
            }
            None => Ok(Source { path: text.into(), inputs: None, targets: None, noise: None }),
        }
    }

    /// A file or folder without keys.
    pub fn file(path: impl Into<PathBuf>) -> Source {
        Source { path: path.into(), inputs: None, targets: None, noise: None }
    }

    /// Whether this is a folder of images, which can be resized and read in grey or in colours.
    pub fn is_image_folder(&self) -> bool {
        matches!(self.format(), Ok(Format::ImageFolder))
    }

    pub(crate) fn format(&self) -> Result<Format, DataError> {
        let metadata =
            std::fs::metadata(&self.path).map_err(|source| DataError::io(&self.path, "open", source))?;
        if metadata.is_dir() {
            return Ok(folder_format(&self.path));
        }
        let unknown = |hint| Err(DataError::UnknownFormat { path: self.path.clone(), hint, known: KNOWN });
        if !metadata.is_file() {
            return unknown("it is a device or a pipe, which cannot be read twice");
        }
        let mut start = Vec::new();
        File::open(&self.path)
            .and_then(|file| file.take(6).read_to_end(&mut start))
            .map_err(|source| DataError::io(&self.path, "read", source))?;
        let extension = self.path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("npz") => Ok(Format::Npz),
            Some("npy") => Ok(Format::Npy),
            Some("bin") if stl10::is_images(&self.path) => Ok(Format::Stl10),
            Some("bin") => Ok(Format::Cifar10),
            Some("gz") => Ok(Format::Idx),
            Some("png" | "jpg" | "jpeg" | "tif" | "tiff" | "bmp" | "webp") => {
                unknown("it is a single image; give a folder with one sub-folder of images per class")
            }
            Some("csv" | "tsv") => Ok(Format::Table),
            Some("xyz" | "extxyz") => {
                unknown("it is a file of molecules, for architectures with space = \"molecule\"")
            }
            Some("pkl" | "pickle" | "pt" | "pth") => {
                unknown("it is a Python pickle; save its arrays with numpy.savez")
            }
            _ if start.starts_with(b"PK\x03\x04") => Ok(Format::Npz),
            _ if start.starts_with(b"\x93NUMPY") => Ok(Format::Npy),
            _ if start.starts_with(&[0x1f, 0x8b]) || start.starts_with(&[0, 0]) => Ok(Format::Idx),
            _ if self.path.to_string_lossy().contains("idx") => Ok(Format::Idx),
            _ => unknown("neither its name nor its first bytes are known"),
        }
    }
}

/// Two files that exist on either side of a comma, whatever colons and commas their names hold.
fn pair_of_files(text: &str) -> Option<(&str, &str)> {
    let exist =
        |(inputs, targets): &(&str, &str)| Path::new(inputs).is_file() && Path::new(targets).is_file();
    text.match_indices(',').map(|(comma, _)| (&text[..comma], &text[comma + 1..])).find(exist)
}

/// The colon between path and keys.
fn key_colon(text: &str) -> Option<usize> {
    let colons =
        || text.match_indices(':').map(|(index, _)| index).filter(|&index| !is_drive(text, index)).rev();
    colons().find(|&index| Path::new(&text[..index]).exists()).or_else(|| colons().next())
}

/// Whether the colon at `index` ends a Windows drive letter: `C:\data`, `C:/data`, `C:data.npz`.
fn is_drive(text: &str, index: usize) -> bool {
    index == 1 && text.as_bytes()[0].is_ascii_alphabetic() && !Path::new(&text[..1]).exists()
}

fn folder_format(folder: &Path) -> Format {
    let holds = |name: &str| folder.join(name).is_file();
    if holds("data_batch_1.bin") || holds("test_batch.bin") {
        Format::Cifar10Folder
    } else if holds("fine_label_names.txt") && (holds("train.bin") || holds("test.bin")) {
        Format::Cifar100Folder
    } else if stl10::is_in(folder) {
        Format::Stl10Folder
    } else if mnist_files::are_in(folder) {
        Format::MnistFolder
    } else {
        Format::ImageFolder
    }
}

impl FromStr for Source {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Source, DataError> {
        Source::parse(text)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(inputs) = &self.inputs {
            write!(f, ":{inputs}")?;
        }
        match &self.targets {
            Some(TargetSource::Key(key)) => write!(f, ",{key}")?,
            Some(TargetSource::File(path)) => write!(f, ",{}", path.display())?,
            None => {}
        }
        match &self.noise {
            Some(noise) => write!(f, ",{noise}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, Option<String>, Option<TargetSource>) {
        let source = Source::parse(text).unwrap();
        (source.path.display().to_string(), source.inputs, source.targets)
    }

    fn key(name: &str) -> Option<TargetSource> {
        Some(TargetSource::Key(name.to_owned()))
    }

    #[test]
    fn files_keys_and_pairs() {
        assert_eq!(parts("F.npz:X"), ("F.npz".into(), Some("X".into()), None));
        assert_eq!(parts("F.npz:X,Y"), ("F.npz".into(), Some("X".into()), key("Y")));
        assert_eq!(parts("F.npy"), ("F.npy".into(), None, None));
        assert_eq!(parts("x.npy,y.npy"), ("x.npy".into(), None, Some(TargetSource::File("y.npy".into()))));
    }

    #[test]
    fn a_drive_letter_is_no_file() {
        assert_eq!(parts(r"C:\data\F.npz:X,Y"), (r"C:\data\F.npz".into(), Some("X".into()), key("Y")));
        assert_eq!(parts(r"C:\data\F.npy"), (r"C:\data\F.npy".into(), None, None));
        assert_eq!(parts("d:/data/F.npz:X"), ("d:/data/F.npz".into(), Some("X".into()), None));
    }

    #[test]
    fn what_exists_wins() {
        let folder = tempfile::tempdir().unwrap();
        let colon = folder.path().join("a:b,c.npz");
        std::fs::write(&colon, b"").unwrap();
        let text = colon.to_str().unwrap();
        assert_eq!(Source::parse(text).unwrap(), Source::file(text));
        assert_eq!(parts(&format!("{text}:X,Y")), (text.to_owned(), Some("X".into()), key("Y")));
        // A key with a colon, where only one split leaves a file that exists.
        assert_eq!(parts(&format!("{text}:group:X")), (text.to_owned(), Some("group:X".into()), None));
    }

    #[test]
    fn pairs_of_files_may_hold_colons_and_commas() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("run 12:30, final");
        std::fs::create_dir(&inside).unwrap();
        let [x, y] = ["x.npy", "y.npy"].map(|name| inside.join(name).display().to_string());
        for file in [&x, &y] {
            std::fs::write(file, b"").unwrap();
        }
        assert_eq!(parts(&format!("{x},{y}")), (x, None, Some(TargetSource::File(y.into()))));
    }

    #[test]
    fn faults_are_named() {
        for (text, reason) in [
            ("", "it is empty"),
            (":X", "no file before the colon"),
            ("F.npz:", "is empty"),
            ("F.npz:X,", "is empty"),
            ("F.npz:,Y", "is empty"),
            ("F.npz:X,Y,", "is empty"),
            ("F.npz:X,Y,N,Z", "more than three"),
            ("x.npy,", "is empty"),
        ] {
            let message = Source::parse(text).unwrap_err().to_string();
            assert!(message.contains(reason), "{text}: {message}");
        }
    }

    #[test]
    fn prints_as_it_parses() {
        for text in ["F.npz", "F.npz:X", "F.npz:X,Y", "F.npz:X[0:9],Y,N", "x.npy,y.npy"] {
            assert_eq!(Source::parse(text).unwrap().to_string(), text);
        }
    }
}
