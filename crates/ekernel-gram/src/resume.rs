//! Finished tiles kept in a folder, so that a run that was killed goes on where it stopped.
//!
//! The folder holds `lock` (locked while a run writes), `manifest.json` (what is computed, see [`Computation`]) and one
//! `tile-NNNNNN.bin` per finished tile. Every file but the lock appears whole or not at all.

mod manifest;
mod tile_file;
mod whole_file;

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use ekernel_core::{KernelSet, Kernels};
use ekernel_system::atomic;

pub(crate) use manifest::Computation;
use manifest::Manifest;
pub(crate) use tile_file::Found;

use crate::{Difference, GramError, Tile};

const LOCK: &str = "lock";
const MANIFEST: &str = "manifest.json";

const USE_ANOTHER: &str = "give a folder that can be written";
const MAKE_ROOM: &str = "make room or mend the disk and run again: the tiles finished so far are kept";

/// A locked folder that belongs to this run until it is dropped.
#[derive(Debug)]
pub(crate) enum Opened {
    /// It has tiles of the same computation.
    Stored(Folder),
    /// It has none yet.
    Fresh(Fresh),
}

/// A folder that keeps tiles.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Its handle holds the lock; the system lets go of it however the process ends.
    _lock: File,
    tile_shape: [usize; 2],
    fingerprint: [u8; 32],
}

/// A folder without a manifest.
#[derive(Debug)]
pub(crate) struct Fresh {
    path: PathBuf,
    lock: File,
    computation: Computation,
}

impl Opened {
    /// Makes or opens the folder, locks it and checks that it belongs to `computation`, with tiles of the shape that
    /// was asked for, if one was.
    pub(crate) fn new(
        path: &Path,
        computation: Computation,
        tile_shape: Option<[usize; 2]>,
    ) -> Result<Opened, GramError> {
        let refused = |action, source| store_error(action, path, source, USE_ANOTHER);
        fs::create_dir_all(path).map_err(|source| refused("make the resume folder", source))?;
        refuse_foreign(path).map_err(|source| refused("read the resume folder", source))??;

        let file = path.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&file)
            .map_err(|source| store_error("write", &file, source, USE_ANOTHER))?;
        match lock.try_lock() {
            Ok(()) => {
                atomic::sweep(path);
            }
            Err(TryLockError::WouldBlock) => return Err(GramError::Locked { folder: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(store_error("lock", &file, source, USE_ANOTHER)),
        }

        let path = path.to_owned();
        let Some(stored) = Manifest::read(&path, &path.join(MANIFEST))? else {
            return Ok(Opened::Fresh(Fresh { path, lock, computation }));
        };
        let mut differences = stored.computation.differences(&computation);
        if let Some(now) = tile_shape.filter(|now| *now != stored.tile) {
            let [stored, now] = [stored.tile, now].map(|[rows, cols]| format!("{rows} × {cols}"));
            differences.push(Difference { what: "the tile shape".to_owned(), stored, now });
        }
        if !differences.is_empty() {
            return Err(GramError::Differs { folder: path, differences });
        }
        Ok(Opened::Stored(Folder::new(path, lock, &stored)))
    }
}

impl Fresh {
    /// Fixes the tile shape: from here on tiles can be kept.
    pub(crate) fn with_tiles(self, tile: [usize; 2]) -> Result<Folder, GramError> {
        let manifest = Manifest::new(self.computation, tile);
        let file = self.path.join(MANIFEST);
        whole_file::write(&file, |out| out.write_all(&manifest.to_bytes()))
            .map_err(|source| store_error("write", &file, source, USE_ANOTHER))?;
        Ok(Folder::new(self.path, self.lock, &manifest))
    }
}

impl Folder {
    fn new(path: PathBuf, lock: File, manifest: &Manifest) -> Folder {
        Folder { path, _lock: lock, tile_shape: manifest.tile, fingerprint: manifest.fingerprint() }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The shape of its tiles.
    pub(crate) fn tile_shape(&self) -> [usize; 2] {
        self.tile_shape
    }

    /// Looks for tile number `index`.
    pub(crate) fn load(&self, index: usize, tile: &Tile, kinds: KernelSet) -> Found {
        tile_file::read(&self.tile_path(index), &self.fingerprint, tile, kinds)
    }

    /// Keeps tile number `index`; when this returns it is on the disk.
    pub(crate) fn save(&self, index: usize, tile: &Tile, kernels: &Kernels) -> Result<(), GramError> {
        let path = self.tile_path(index);
        whole_file::write(&path, |out| tile_file::write(out, &self.fingerprint, tile, kernels))
            .map_err(|source| store_error("write", &path, source, MAKE_ROOM))
    }

    fn tile_path(&self, index: usize) -> PathBuf {
        self.path.join(format!("tile-{index:06}.bin"))
    }
}

/// A folder without a manifest may hold only what a run leaves that was killed before it wrote one.
fn refuse_foreign(path: &Path) -> io::Result<Result<(), GramError>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(path)? {
        names.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    if names.contains(MANIFEST) {
        return Ok(Ok(()));
    }
    let unfinished = whole_file::unfinished(Path::new(MANIFEST));
    let ours = |name: &String| name == LOCK || Path::new(name) == unfinished || atomic::is_partial(name);
    Ok(match names.into_iter().find(|name| !ours(name)) {
        Some(found) => Err(GramError::Foreign { folder: path.to_owned(), found }),
        None => Ok(()),
    })
}

fn store_error(action: &'static str, path: &Path, source: io::Error, remedy: &'static str) -> GramError {
    GramError::Store { action, path: path.to_owned(), source, remedy }
}
