//! Writing: to a temporary name, then fsync, then rename.

use std::{fs::File, io, path::Path};

use super::{Partial, destination, folder_of, sweep};

/// Writes a file so that it is there completely or not at all, also if the power fails. Until the
/// rename, what was at the path stays; after a failure the temporary file is removed. A symbolic
/// link stays one: what it leads to is replaced, see [`destination`]. What runs that were killed
/// left in the folder is removed.
///
/// # Errors
/// With the reason: no such folder, no permission, no space left, a device.
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let target = destination(path)?;
    let folder = folder_of(&target);
    if !folder.is_dir() {
        let reason = format!("there is no folder {}", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, reason));
    }
    sweep(folder);
    write_in_place_of(&target, write)
}

/// The same in place of whatever has the name, a link included; nothing else in the folder is
/// looked at.
///
/// # Errors
/// What the system says.
pub fn write_in_place_of(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut partial = Partial::new_in(folder_of(path))?;
    write(partial.file())?;
    partial.persist(path)
}

/// Writes a file only if nothing has its name yet, whole or not at all; returns whether it did. Of
/// several processes that do so at the same time one does.
///
/// # Errors
/// What the system says.
pub fn write_new(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<bool> {
    let mut partial = Partial::new_in(folder_of(path))?;
    write(partial.file())?;
    partial.persist_new(path)
}
