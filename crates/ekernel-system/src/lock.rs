//! Locks of files.

use std::{
    fs::{File, TryLockError},
    io,
};

/// What became of an attempt to lock a file.
#[derive(Debug)]
pub enum Lock {
    /// The lock is this handle's until it is closed, however the process ends.
    Held,
    /// Another handle holds the lock.
    Taken,
    /// The file system has no locks (NFS without a lock daemon, Lustre, some FUSE mounts); the
    /// reason is the system's.
    Missing(io::Error),
}

/// Tries to lock a file for this handle alone.
///
/// # Errors
/// What the system says, unless it says that the file system has no locks.
pub fn try_lock(file: &File) -> io::Result<Lock> {
    match file.try_lock() {
        Ok(()) => Ok(Lock::Held),
        Err(TryLockError::WouldBlock) => Ok(Lock::Taken),
        Err(TryLockError::Error(error)) if says_no_locks(&error) => Ok(Lock::Missing(error)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn says_no_locks(error: &io::Error) -> bool {
    #[cfg(unix)]
    if rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::NOLCK) {
        return true;
    }
    error.kind() == io::ErrorKind::Unsupported
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_handle_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let open = || File::options().create(true).truncate(false).write(true).open(&path).unwrap();
        let (first, second) = (open(), open());
        assert!(matches!(try_lock(&first).unwrap(), Lock::Held));
        assert!(matches!(try_lock(&second).unwrap(), Lock::Taken));
        drop(first);
        assert!(matches!(try_lock(&second).unwrap(), Lock::Held));
    }

    /// Linux: ENOLCK of NFS, ENOSYS of Lustre, EOPNOTSUPP of FUSE; EBADF is another fault.
    #[cfg(target_os = "linux")]
    #[test]
    fn file_systems_without_locks_say_so() {
        let says = [37, 38, 95, 9].map(|code| says_no_locks(&io::Error::from_raw_os_error(code)));
        assert_eq!(says, [true, true, true, false]);
    }
}
