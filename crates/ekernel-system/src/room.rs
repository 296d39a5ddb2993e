//! Space on disks.

use std::path::{Path, PathBuf};

/// Bytes that this user may still write in `folder`, or in one that will be made there; `None`
/// where the system does not say.
pub fn free(folder: &Path) -> Option<u64> {
    fs4::available_space(existing(folder)).ok()
}

/// Whether two folders lie on one disk; not, where the system does not say.
pub fn same_disk(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(|folder| device(&existing(folder)));
    one.is_some() && one == other
}

#[cfg(unix)]
fn device(folder: &Path) -> Option<u64> {
    folder.metadata().ok().map(|found| std::os::unix::fs::MetadataExt::dev(&found))
}

#[cfg(not(unix))]
fn device(_: &Path) -> Option<u64> {
    None
}

/// The folder itself, or the nearest one above it that exists.
fn existing(folder: &Path) -> PathBuf {
    match folder.ancestors().find(|above| above.exists()) {
        Some(above) if !above.as_os_str().is_empty() => above.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_will_be_made_has_the_room_of_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free(folder.path()).is_some_and(|bytes| bytes > 0));
        assert!(free(&folder.path().join("new").join("newer")).is_some_and(|bytes| bytes > 0));
        assert_eq!(existing(Path::new("no such folder")), Path::new("."));
        assert_eq!(existing(Path::new("")), Path::new("."));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn disks_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        assert!(same_disk(folder.path(), &folder.path().join("new")));
        assert!(!same_disk(folder.path(), Path::new("/proc")));
    }
}
