//! Reading .npz files: zip archives, compressed or not, of .npy arrays.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::error::{DataError, WEB_PAGE};
use crate::npy::{NpyArray, read_npy};
use crate::place::{Place, nearest_first};

/// An open .npz file.
pub struct NpzFile {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
}

impl NpzFile {
    /// Opens the file and reads its directory.
    ///
    /// # Errors
    /// [`DataError::NotFound`], [`DataError::Io`]; [`DataError::Damaged`] if it is no zip archive, which is also
    /// what a truncated one is, as the directory stands at its end.
    pub fn open(path: &Path) -> Result<NpzFile, DataError> {
        let file = File::open(path).map_err(|source| DataError::io(path, "open", source))?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            let source = std::io::ErrorKind::IsADirectory.into();
            return Err(DataError::Io { path: path.to_owned(), action: "read", source });
        }
        let mut reader = BufReader::new(file);
        let mut start = [0; 4];
        let begins_as_zip = reader.read_exact(&mut start).is_ok() && start.starts_with(b"PK");
        let archive = ZipArchive::new(reader).map_err(|error| {
            let reason = if begins_as_zip {
                format!(
                    "it looks truncated, without the list of arrays at its end; copy the file again ({error})"
                )
            } else if start.starts_with(b"<") {
                WEB_PAGE.to_owned()
            } else {
                "it does not begin as a zip archive does; save arrays with numpy.savez".to_owned()
            };
            DataError::Damaged { place: Place::file(path), format: "an .npz file", reason }
        })?;
        Ok(NpzFile { path: path.to_owned(), archive })
    }

    /// The names of the arrays, without `.npy`, in the order of the file.
    pub fn keys(&self) -> Vec<String> {
        self.archive.file_names().map(|name| name.strip_suffix(".npy").unwrap_or(name).to_owned()).collect()
    }

    /// Whether there is an array of that name.
    pub fn contains(&self, key: &str) -> bool {
        self.index(key).is_some()
    }

    /// Reads one array.
    ///
    /// # Errors
    /// [`DataError::UnknownKey`]; [`DataError::Damaged`], which covers checksums that do not match; and the
    /// faults of the array itself, such as [`DataError::Pickled`], [`DataError::Dtype`] and [`DataError::Length`].
    pub fn read(&mut self, key: &str) -> Result<NpyArray, DataError> {
        let Some(index) = self.index(key) else {
            let keys = nearest_first(key, self.keys());
            return Err(DataError::UnknownKey { path: self.path.clone(), key: key.to_owned(), keys });
        };
        let place = Place::entry(&self.path, key);
        let entry = self.archive.by_index(index).map_err(|error| DataError::Damaged {
            place: place.clone(),
            format: "an .npz file",
            reason: error.to_string(),
        })?;
        read_npy(entry, &place)
    }

    /// The only array of the file.
    ///
    /// # Errors
    /// [`DataError::KeyNeeded`] if there are none or several.
    pub(crate) fn only_key(&self) -> Result<String, DataError> {
        let keys = self.keys();
        match <[String; 1]>::try_from(keys) {
            Ok([key]) => Ok(key),
            Err(keys) => Err(DataError::KeyNeeded { path: self.path.clone(), keys }),
        }
    }

    fn index(&self, key: &str) -> Option<usize> {
        self.archive.index_for_name(key).or_else(|| self.archive.index_for_name(&format!("{key}.npy")))
    }
}
