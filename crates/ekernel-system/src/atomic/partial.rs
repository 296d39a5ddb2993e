//! Files in the making.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use tempfile::NamedTempFile;

use crate::{
    lock::{Lock, try_lock},
    plain,
};

const PREFIX: &str = ".ekernel-";
const SUFFIX: &str = ".partial";

/// How often a file is made anew that a sweeper may have taken.
const ATTEMPTS: usize = 100;

/// A file under a temporary name, removed when dropped.
///
/// While it is written it is locked, so that [`sweep`] knows it from what a killed run left, which
/// nobody locks.
#[derive(Debug)]
pub struct Partial(NamedTempFile);

impl Partial {
    /// Makes an empty one in `folder`.
    ///
    /// # Errors
    /// What the system says: no such folder, no permission, no space.
    pub fn new_in(folder: &Path) -> io::Result<Partial> {
        // A sweeper holds a file for a moment. A file system that always seems to have one is taken
        // at its word in the end.
        let mut attempts = 0..ATTEMPTS;
        loop {
            let mut builder = tempfile::Builder::new();
            // Opened here and not by the library: it makes private files, and a result is as open
            // as any other new file.
            let open = |path: &Path| File::options().read(true).write(true).create_new(true).open(path);
            let file = builder.prefix(PREFIX).suffix(SUFFIX).make_in(folder, open)?;
            // Another run may sweep the folder before the lock is held, and take this file for a
            // dead one.
            match try_lock(file.as_file())? {
                Lock::Held if is_there(&file)? => return Ok(Partial(file)),
                Lock::Missing(_) => return Ok(Partial(file)),
                Lock::Held | Lock::Taken if attempts.next().is_none() => return Ok(Partial(file)),
                Lock::Held | Lock::Taken => {}
            }
        }
    }

    /// The open file.
    pub fn file(&mut self) -> &mut File {
        self.0.as_file_mut()
    }

    /// Syncs the content to the disk and gives the file its name, in place of what has it.
    ///
    /// # Errors
    /// What the system says; the temporary file is removed then.
    pub fn persist(self, target: &Path) -> io::Result<()> {
        sync(self.0.as_file())?;
        self.0.persist(target).map_err(|error| error.error)?;
        sync_folder(super::folder_of(target))
    }

    /// The same where nothing has the name; returns whether that was so.
    ///
    /// # Errors
    /// As [`persist`](Self::persist).
    pub fn persist_new(self, target: &Path) -> io::Result<bool> {
        self.0.as_file().sync_all()?;
        match self.0.persist_noclobber(target) {
            Ok(_) => sync_folder(super::folder_of(target)).map(|()| true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    }
}

/// Whether a file of this name is one in the making, or was until its run died.
pub fn is_partial(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Checks that files can be made in `folder`, by making one. What dead runs left there is removed
/// first.
///
/// # Errors
/// What the system says.
pub fn probe(folder: &Path) -> io::Result<()> {
    sweep(folder);
    let mut partial = Partial::new_in(folder)?;
    partial.file().write_all(&[0; 4096])?;
    sync(partial.file())
}

/// Syncs to the disk; the error names fsync, since the words of the system alone read as if the file were at fault.
fn sync(file: &File) -> io::Result<()> {
    let named = |problem: io::Error| io::Error::new(problem.kind(), format!("fsync fails: {problem}"));
    file.sync_all().map_err(named)
}

/// Removes what dead runs left in `folder`: files in the making that nobody locks. Returns how many
/// there were.
///
/// What cannot be removed is left: it does no harm. On a file system without locks nothing is known
/// of other runs, and all of them stay.
pub fn sweep(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let names = entries.flatten().filter(|entry| is_partial(&entry.file_name().to_string_lossy()));
    names.filter(|entry| remove_if_dead(&entry.path())).count()
}

fn remove_if_dead(path: &Path) -> bool {
    let Ok(file) = plain::open(path, File::options().write(true)) else { return false };
    matches!(try_lock(&file), Ok(Lock::Held)) && fs::remove_file(path).is_ok()
}

#[cfg(unix)]
fn is_there(file: &NamedTempFile) -> io::Result<bool> {
    Ok(std::os::unix::fs::MetadataExt::nlink(&file.as_file().metadata()?) > 0)
}

/// Elsewhere an open file is not removed.
#[cfg(not(unix))]
fn is_there(_: &NamedTempFile) -> io::Result<bool> {
    Ok(true)
}

/// Makes a rename durable. A file system that cannot sync a folder, or a folder that may not be
/// read, is no reason to fail: the file has its name.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, Unsupported};
    let Ok(folder) = File::open(folder) else { return Ok(()) };
    match sync(&folder) {
        Err(error) if !matches!(error.kind(), InvalidInput | Unsupported) => Err(error),
        _ => Ok(()),
    }
}

/// Other systems have no way to sync a folder.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn dead_files_are_swept_and_living_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let living = Partial::new_in(folder.path()).unwrap();
        let [living_name] = names(folder.path()).try_into().unwrap();
        assert!(is_partial(&living_name));
        // As a run of today leaves them that was killed, and one of version 0.1.0.
        for dead in [".ekernel-a1b2c3.partial", ".ekernel-Zy9xW8"] {
            fs::write(folder.path().join(dead), "half").unwrap();
        }
        fs::write(folder.path().join("thesis.tex"), "").unwrap();
        assert_eq!(sweep(folder.path()), 2);
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, [living_name, "thesis.tex".to_owned()]);
        drop(living);
        assert_eq!(names(folder.path()), ["thesis.tex"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_neither_followed_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, folder.path().join(".ekernel-link.partial")).unwrap();
        assert_eq!(sweep(folder.path()), 0);
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    }

    /// Threads that write files while others sweep: what is swept is at most a file that its writer
    /// has not locked yet, who then makes another.
    #[test]
    fn sweeping_never_takes_a_living_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::thread::scope(|scope| {
            for writer in 0..3 {
                scope.spawn(move || {
                    for round in 0..50 {
                        let mut partial = Partial::new_in(path).unwrap();
                        partial.file().write_all(b"whole").unwrap();
                        partial.persist(&path.join(format!("{writer}-{round}"))).unwrap();
                    }
                });
            }
            for _ in 0..2 {
                scope.spawn(|| {
                    (0..200).for_each(|_| {
                        sweep(path);
                    })
                });
            }
        });
        assert_eq!(names(path).len(), 150);
    }

    #[test]
    fn of_several_threads_one_makes_a_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        let make = |writer: u8| super::super::write_new(&path, |file| file.write_all(&[writer; 9])).unwrap();
        let made: Vec<bool> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|writer| scope.spawn(move || make(writer))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let first = made.iter().position(|&made| made).unwrap();
        assert_eq!(made.iter().filter(|&&made| made).count(), 1);
        assert_eq!(fs::read(&path).unwrap(), [first as u8; 9]);
        assert_eq!(names(folder.path()), ["new"]);
    }

    #[test]
    fn the_words_are_the_systems() {
        let error = Partial::new_in(Path::new("/no/such/folder")).unwrap_err();
        assert_eq!(error.raw_os_error(), File::open("/no/such/folder").unwrap_err().raw_os_error());
        assert!(!error.to_string().contains(PREFIX), "{error}");
    }
}
