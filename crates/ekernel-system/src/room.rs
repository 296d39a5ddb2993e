//! Space on disks.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Bytes that will be written in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The folder, or one that will be made.
    pub folder: PathBuf,
    /// Bytes of all files that will be written there.
    pub bytes: u64,
}

/// A disk that would be full before everything is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRoom {
    /// The folders on this disk that are written.
    pub folders: Vec<PathBuf>,
    /// Bytes that will be written in them.
    pub needed: u64,
    /// Bytes that are free.
    pub free: u64,
}

/// What is known of the disk of a folder; tests bring their own.
pub trait Disks {
    /// A number that two folders share exactly if they lie on one disk.
    fn device(&self, folder: &Path) -> Option<u64>;

    /// Bytes that this user may still write.
    fn free(&self, folder: &Path) -> io::Result<u64>;
}

/// The disks of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisMachine;

impl Disks for ThisMachine {
    #[cfg(unix)]
    fn device(&self, folder: &Path) -> Option<u64> {
        folder.metadata().ok().map(|found| std::os::unix::fs::MetadataExt::dev(&found))
    }

    #[cfg(not(unix))]
    fn device(&self, _: &Path) -> Option<u64> {
        None
    }

    fn free(&self, folder: &Path) -> io::Result<u64> {
        fs4::available_space(folder)
    }
}

/// Checks that everything fits, all needs of one disk together. A disk that does not say what is free is not questioned.
///
/// # Errors
/// [`NoRoom`] of the first disk that would be full.
pub fn ensure(needs: &[Need], disks: &dyn Disks) -> Result<(), NoRoom> {
    let mut together: Vec<(Option<u64>, PathBuf, NoRoom)> = Vec::new();
    for Need { folder, bytes } in needs {
        let there = existing(folder);
        let device = disks.device(&there);
        match together.iter_mut().find(|(other, ..)| device.is_some() && *other == device) {
            Some((_, _, disk)) => {
                disk.folders.push(folder.clone());
                disk.needed = disk.needed.saturating_add(*bytes);
            }
            None => {
                let disk = NoRoom { folders: vec![folder.clone()], needed: *bytes, free: 0 };
                together.push((device, there, disk));
            }
        }
    }
    for (_, there, disk) in together {
        match disks.free(&there) {
            Ok(free) if disk.needed > free => return Err(NoRoom { free, ..disk }),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

/// The folder itself, or the nearest one above it that exists.
fn existing(folder: &Path) -> PathBuf {
    let here = folder.ancestors().find(|above| above.exists());
    match here {
        Some(above) if !above.as_os_str().is_empty() => above.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two disks: `/a…` with 100 bytes, everything else with 10; `/silent` says nothing.
    struct Two;

    impl Disks for Two {
        fn device(&self, folder: &Path) -> Option<u64> {
            Some(if folder.starts_with("/proc") { 1 } else { 2 })
        }

        fn free(&self, folder: &Path) -> io::Result<u64> {
            Ok(if folder.starts_with("/proc") { 100 } else { 10 })
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_lies_on_one_disk_is_added_up() {
        let need = |folder: &str, bytes| Need { folder: folder.into(), bytes };
        assert_eq!(ensure(&[need("/proc", 100), need("/", 10)], &Two), Ok(()));
        assert_eq!(
            ensure(&[need("/proc", 60), need("/", 10), need("/proc/self/new/folder", 41)], &Two),
            Err(NoRoom {
                folders: vec!["/proc".into(), "/proc/self/new/folder".into()],
                needed: 101,
                free: 100
            })
        );
        let error = ensure(&[need("/nowhere/yet", u64::MAX), need("/", 1)], &Two).unwrap_err();
        assert_eq!((error.needed, error.free), (u64::MAX, 10));
    }

    #[test]
    fn this_machine_has_room_for_a_byte_and_not_for_everything() {
        let folder = tempfile::tempdir().unwrap();
        let need = |bytes| [Need { folder: folder.path().join("new"), bytes }];
        assert_eq!(ensure(&need(1), &ThisMachine), Ok(()));
        let error = ensure(&need(u64::MAX), &ThisMachine).unwrap_err();
        assert!(error.free > 0, "{error:?}");
    }

    #[test]
    fn a_relative_folder_lies_somewhere() {
        assert_eq!(existing(Path::new("no such folder")), Path::new("."));
        assert_eq!(existing(Path::new("")), Path::new("."));
    }
}
