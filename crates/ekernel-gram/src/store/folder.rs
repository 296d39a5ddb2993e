//! Tiles in a folder.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use ekernel_core::{Backend, Control, Pairs};
use ekernel_system::{
    atomic,
    lock::{Lock, try_lock},
    plain, room,
};

use super::{Item, Manifest, Room, TileStore};
use crate::{GramError, Identity};

const LOCK: &str = "lock";

const USE_ANOTHER: &str = "give a folder that can be written";

/// A folder of tiles: `lock` (locked while a run writes), `manifest.json` and one `tile-NNNNNN.bin`
/// per finished tile.
///
/// Files appear whole or not at all. Symbolic links in the folder are not followed. On a file
/// system without locks the folder serves all the same, and [`FolderStore::notes`] says so.
#[derive(Debug)]
pub struct FolderStore {
    path: PathBuf,
    /// Its handle holds the lock; the system lets go of it however the process ends.
    _lock: File,
    reserved: u64,
    notes: Vec<String>,
}

impl FolderStore {
    /// Makes or opens the folder, locks it for this run and removes what dead runs left in it.
    ///
    /// # Errors
    /// A folder that cannot be written, that another run is writing, or that holds something else.
    pub fn open(path: &Path) -> Result<FolderStore, GramError> {
        let refused = |action, source| store_error(action, path, source, USE_ANOTHER);
        fs::create_dir_all(path).map_err(|source| refused("make the resume folder", source))?;
        let foreign = || foreign(path).map_err(|source| refused("read the resume folder", source));
        let file = path.join(LOCK);
        if let Some(found) = foreign()? {
            // Or a run that began a moment ago, and whose manifest appeared meanwhile?
            let other = plain::open(&file, File::options().write(true)).and_then(|lock| try_lock(&lock));
            return Err(match other {
                Ok(Lock::Taken) => GramError::Locked { folder: path.to_owned() },
                _ => GramError::Foreign { folder: path.to_owned(), found },
            });
        }
        let lock = plain::open(&file, File::options().create(true).truncate(false).write(true))
            .map_err(|source| store_error("write", &file, source, USE_ANOTHER))?;
        let mut notes = Vec::new();
        match try_lock(&lock).map_err(|source| store_error("lock", &file, source, USE_ANOTHER))? {
            Lock::Held => {}
            Lock::Taken => return Err(GramError::Locked { folder: path.to_owned() }),
            Lock::Missing(reason) => notes.push(format!(
                "the file system of {} has no locks ({reason}), so nothing keeps a second run from the folder; its tiles \
                 would be the same",
                path.display()
            )),
        }
        // Once more, now that no other run can write a file between the manifest and this look.
        if let Some(found) = foreign()? {
            return Err(GramError::Foreign { folder: path.to_owned(), found });
        }
        atomic::probe(path).map_err(|source| store_error("write in", path, source, USE_ANOTHER))?;
        Ok(FolderStore { path: path.to_owned(), _lock: lock, reserved: 0, notes })
    }

    /// The same for one of several Gram matrices of one of several networks: the folder `part` in
    /// the folder `name` in `root`.
    ///
    /// Names and parts may be any text; what cannot name a folder is replaced. Where there is no
    /// folder of that name yet, one of another name serves that holds tiles of this very
    /// computation: the network's file has been renamed.
    ///
    /// # Errors
    /// As [`FolderStore::open`]; a symbolic link in place of one of the folders; cancelled.
    pub fn open_below(
        root: &Path,
        [name, part]: [&str; 2],
        (backend, pairs): (&dyn Backend, &Pairs),
        control: &Control,
    ) -> Result<FolderStore, GramError> {
        let [mut name, part] = [name, part].map(component);
        if !root.join(&name).exists()
            && let Some(other) = renamed(root, &part, (backend, pairs), control)?
        {
            name = other;
        }
        for folder in [root.join(&name), root.join(&name).join(&part)] {
            if folder.is_symlink() {
                let source = io::Error::new(io::ErrorKind::InvalidInput, "it is a symbolic link");
                return Err(store_error("use", &folder, source, "delete it, or give another folder"));
            }
        }
        FolderStore::open(&root.join(name).join(part))
    }

    /// Says that `bytes` will be written to `file` too: they count if it lies on the same disk.
    pub fn reserving(self, file: &Path, bytes: u64) -> FolderStore {
        let shared = room::same_disk(&self.path, atomic::folder_of(file));
        FolderStore {
            reserved: if shared { self.reserved.saturating_add(bytes) } else { self.reserved },
            ..self
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a user should know of the folder.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl TileStore for FolderStore {
    fn place(&self, item: Option<Item>) -> String {
        match item {
            Some(item) => self.path.join(item.to_string()).display().to_string(),
            None => format!("the resume folder {}", self.path.display()),
        }
    }

    fn read(&self, item: Item) -> io::Result<Option<Vec<u8>>> {
        let mut file = match plain::open(&self.path.join(item.to_string()), File::options().read(true)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn write(&self, item: Item, bytes: &[u8]) -> io::Result<()> {
        atomic::write_in_place_of(&self.path.join(item.to_string()), |file| file.write_all(bytes))
    }

    fn room(&self) -> Option<Room> {
        Some(Room { free: room::free(&self.path)?, reserved: self.reserved })
    }
}

/// A file that no run writes, in a folder without a manifest. Such a folder may hold only what a
/// run leaves that was killed before it wrote one.
fn foreign(path: &Path) -> io::Result<Option<String>> {
    let mut found = None;
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name == Item::Manifest.to_string() {
            return Ok(None);
        }
        if name != LOCK && !atomic::is_partial(&name) && found.as_ref().is_none_or(|first| name < *first) {
            found = Some(name);
        }
    }
    Ok(found)
}

/// The first folder in `root` whose `part` holds tiles of this very computation.
fn renamed(
    root: &Path,
    part: &str,
    (backend, pairs): (&dyn Backend, &Pairs),
    control: &Control,
) -> Result<Option<String>, GramError> {
    let Ok(entries) = fs::read_dir(root) else { return Ok(None) };
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    let manifest = |name: &String| {
        let path = root.join(name).join(part).join(Item::Manifest.to_string());
        let mut bytes = Vec::new();
        plain::open(&path, File::options().read(true)).ok()?.read_to_end(&mut bytes).ok()?;
        Manifest::parse(&bytes).ok()
    };
    let mut stored = names.into_iter().filter_map(|name| Some((manifest(&name)?, name))).peekable();
    if stored.peek().is_none() {
        return Ok(None);
    }
    let Ok(identity) =
        Identity::new(backend, pairs, control).map_err(|error| GramError::stopped(error, [0, 0], None))?
    else {
        return Ok(None);
    };
    Ok(stored.find(|(stored, _)| stored.identity.differences(&identity).is_empty()).map(|(_, name)| name))
}

/// A text as the name of one folder: no way up, no way down, never hidden.
fn component(text: &str) -> String {
    let plain = |c: char| if c.is_control() || "/\\:*?\"<>|".contains(c) { '_' } else { c };
    let name: String = text.chars().map(plain).collect();
    if name.is_empty() || name.starts_with('.') { format!("_{name}") } else { name }
}

fn store_error(action: &'static str, path: &Path, source: io::Error, remedy: &'static str) -> GramError {
    GramError::Store { action, place: path.display().to_string(), source, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_names_one_folder() {
        let names = ["mnist_c4", "...toml", "..", ".", "", "a/../b", "/etc", "C:\\x", "ü"].map(component);
        let due = ["mnist_c4", "_...toml", "_..", "_.", "_", "a_.._b", "_etc", "C__x", "ü"];
        assert_eq!(names, due);
    }
}
