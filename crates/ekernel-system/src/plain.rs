//! Files opened without following symbolic links.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

/// Opens a file with `options`; anything but a plain file is refused: a link, a folder, a pipe, a
/// device.
///
/// # Errors
/// `InvalidInput` for anything but a plain file, and what the system says.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() => return Err(refused(found.is_symlink())),
        // Whether it may be made is said by `options`.
        Ok(_) | Err(_) => {}
    }
    // The link that was laid since is refused by the system.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, rustix::fs::OFlags::NOFOLLOW.bits() as i32);
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(refused(false)) }
}

fn refused(link: bool) -> io::Error {
    let what = if link { "it is a symbolic link, which is not followed here" } else { "it is no file" };
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn links_and_folders_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let here = |name: &str| folder.path().join(name);
        fs::write(here("file"), "text").unwrap();
        symlink(here("file"), here("link")).unwrap();
        symlink(here("nowhere"), here("dangling")).unwrap();
        assert!(open(&here("file"), File::options().read(true)).is_ok());
        for name in ["link", "dangling", "."] {
            let error = open(&here(name), File::options().create(true).truncate(false).write(true));
            assert_eq!(error.unwrap_err().kind(), io::ErrorKind::InvalidInput, "{name}");
        }
        assert!(!here("nowhere").exists());
        assert!(open(&here("new"), File::options().create(true).truncate(false).write(true)).is_ok());
        let missing = open(&here("missing"), File::options().read(true)).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
