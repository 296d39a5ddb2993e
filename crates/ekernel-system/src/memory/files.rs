//! The files in which Linux says how much memory there is.

use std::{fs, io};

/// Reads the system's own text files; tests bring their own.
pub trait Files {
    /// The text of the file at an absolute path.
    fn read(&self, path: &str) -> io::Result<String>;
}

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisMachine;

impl Files for ThisMachine {
    fn read(&self, path: &str) -> io::Result<String> {
        fs::read_to_string(path)
    }
}

/// The number behind `key` in lines such as `MemAvailable:  123 kB`, `inactive_file 123` or
/// `VmSize:  123 kB`.
pub(super) fn number(text: &str, key: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    let mut words = rest.split_whitespace();
    let number: u64 = words.next()?.parse().ok()?;
    if words.next() == Some("kB") { number.checked_mul(1024) } else { Some(number) }
}
