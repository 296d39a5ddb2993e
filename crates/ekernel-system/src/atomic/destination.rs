//! Where a file that is written whole comes to lie.

use std::io;
use std::path::{Path, PathBuf};

/// As many links as Linux follows.
const LINKS: usize = 40;

/// Folders of the system's own, in which nothing is kept.
const SYSTEM: [&str; 3] = ["/proc", "/sys", "/dev/fd"];

/// The folder of devices; folders in it, such as /dev/shm, are like any other.
const DEVICES: &str = "/dev";

/// The file that `path` means: itself, or what it leads to as a symbolic link, whether that exists
/// or not. A file is replaced by renaming another over it, and that other must lie beside the file,
/// not beside a link to it.
///
/// # Errors
/// A folder, a device or a pipe; anything in the system's own folders (/dev, /proc, /sys) or
/// reached through them; links that go in circles.
pub fn destination(path: &Path) -> io::Result<PathBuf> {
    let refused = |reason: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    let mut place = path.to_owned();
    for _ in 0..LINKS {
        let folder = folder_of(&place);
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let link = place.read_link().ok();
        if real == Path::new(DEVICES) || SYSTEM.iter().any(|system| real.starts_with(system)) {
            return refused("it is, or leads to, a device or another file of the system's own");
        }
        match (link, place.metadata()) {
            (Some(target), _) => place = folder.join(target),
            (None, Ok(found)) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            (None, Ok(found)) if !found.is_file() => {
                return refused("it is a device or a pipe, which holds no file written whole");
            }
            (None, _) => return Ok(place),
        }
    }
    refused("its symbolic links go in circles")
}

/// The folder that a file lies in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
