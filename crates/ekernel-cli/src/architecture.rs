//! Architecture files on disk.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use ekernel_core::{ArchError, Input, Network};

use crate::{failure::mistake, words::bytes};

/// A network, and what to call it.
pub(crate) struct Architecture {
    /// The file's name without extension.
    pub(crate) name: String,
    /// The file.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) network: Network,
}

impl Architecture {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Architecture> {
        let text = read_text(path).map_err(|problem| {
            mistake(format!("cannot read the architecture file {}: {problem}", path.display()))
        })?;
        let network: Network = text.parse().map_err(|error| located(path, error))?;
        ensure_sane(path, network.input())?;
        let name =
            path.file_stem().map_or_else(|| path.display().to_string(), |stem| stem.to_string_lossy().into());
        Ok(Architecture { name, path: path.to_owned(), network })
    }

    /// Reads several; files of one name in different folders keep their whole path as name.
    pub(crate) fn read_all(paths: &[PathBuf]) -> anyhow::Result<Vec<Architecture>> {
        let mut all =
            paths.iter().map(|path| Architecture::read(path)).collect::<anyhow::Result<Vec<_>>>()?;
        let names: Vec<String> = all.iter().map(|architecture| architecture.name.clone()).collect();
        for (i, architecture) in all.iter_mut().enumerate() {
            if paths[..i].contains(&paths[i]) {
                return Err(mistake(format!("--arch {}: the file is given twice", paths[i].display())));
            }
            if names.iter().filter(|name| **name == architecture.name).count() > 1 {
                architecture.name =
                    architecture.path.with_extension("").display().to_string().replace(['/', '\\'], "_");
            }
        }
        Ok(all)
    }
}

/// The error of an architecture with its file.
pub(crate) fn located(path: &Path, error: ArchError) -> anyhow::Error {
    anyhow::Error::new(error).context(path.display().to_string())
}

/// The text of a file of ordinary size; the error says what the file is instead.
fn read_text(path: &Path) -> Result<String, String> {
    /// Bytes of an architecture file at most; a network of a hundred layers has a few thousand.
    const LARGEST: u64 = 1 << 20;
    let reason = |problem: std::io::Error| problem.to_string();
    let found = path.metadata().map_err(reason)?;
    if found.is_dir() {
        return Err("it is a folder; name a file in it".to_owned());
    }
    if !found.is_file() {
        return Err("it is a device or a pipe; store the architecture in a file".to_owned());
    }
    let mut bytes = Vec::new();
    // A file may be longer than its metadata say.
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(reason)?;
    if let Some(kind) = kind_of_data(&bytes) {
        return Err(format!("it looks like {kind}, and an architecture is a TOML text file"));
    }
    if bytes.len() as u64 > LARGEST {
        return Err("it is larger than 1 MiB, and an architecture is a short TOML text file".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| {
        "it is not UTF-8 text, and an architecture is a TOML text file; save it as UTF-8".to_owned()
    })
}

/// What a file that is no text looks like by its first bytes.
fn kind_of_data(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 8] = [
        (b"PK\x03\x04", "an .npz file or another zip archive"),
        (b"\x93NUMPY", "an .npy file"),
        (b"\x89PNG", "a PNG image"),
        (b"\xff\xd8\xff", "a JPEG image"),
        (b"\x1f\x8b", "a gzip file"),
        (b"\x89HDF", "an HDF5 file"),
        (b"\xff\xfe", "text in UTF-16"),
        (b"\xfe\xff", "text in UTF-16"),
    ];
    KINDS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, kind)| *kind)
}

/// Refuses images that no machine computes: a pair has about 4 HW planes of HW entries.
fn ensure_sane(path: &Path, input: &Input) -> anyhow::Result<()> {
    const SIDE: usize = 4096;
    let Input::Image { height, width, channels } = *input else { return Ok(()) };
    if height.max(width) <= SIDE {
        return Ok(());
    }
    let memory = |[height, width]: [usize; 2]| bytes(8.0 * height as f64 * width as f64 * channels as f64);
    Err(mistake(format!(
        "{}: images of {height} × {width} take {} each, and their kernels far more; resize them: at most {SIDE} × {SIDE} are \
         accepted, which take {} each",
        path.display(),
        memory([height, width]),
        memory([SIDE; 2])
    )))
}
