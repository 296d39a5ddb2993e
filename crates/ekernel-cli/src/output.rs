//! Where results go: standard output, and files that are checked before the long work.

use std::{
    io::{self, Write},
    path::Path,
};

use ekernel_core::Bytes;
use ekernel_data::destination;
use ekernel_system::{atomic, room};
use serde::Serialize;

use crate::failure::{mistake, stdout_failed};

/// The name and version stored with every result.
pub(crate) const PROGRAM: &str = concat!("ekernel ", env!("CARGO_PKG_VERSION"));

/// Writes text for people.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(stdout_failed)
}

/// Writes one JSON document for programs.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&text)
}

/// A note to people on standard error.
pub(crate) fn note(quiet: bool, text: &str) {
    if !quiet {
        // A note that nobody can read is no reason to stop.
        let _gone = writeln!(io::stderr(), "{text}");
    }
}

/// Checks that a result can be stored at `path`, so that long work is not done for nothing.
pub(crate) fn ensure_writable(option: &str, path: &Path, inputs: &[&Path]) -> anyhow::Result<()> {
    let shown = path.display();
    let target = &destination(path).map_err(|problem| match problem.kind() {
        io::ErrorKind::IsADirectory => {
            mistake(format!("{option} {shown}: that is a folder; name a file in it"))
        }
        _ => mistake(format!("{option} {shown}: {problem}; name another file")),
    })?;
    if target.exists() {
        for input in inputs {
            if let (Ok(a), Ok(b)) = (target.canonicalize(), input.canonicalize())
                && a == b
            {
                return Err(mistake(format!(
                    "{option} {shown}: that would overwrite an input; name another file"
                )));
            }
        }
    }
    if target.file_name().is_none() {
        return Err(mistake(format!("{option} {shown}: that names no file")));
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        let remedy = if folder.exists() { "is not a folder" } else { "does not exist; create it first" };
        return Err(mistake(format!("{option} {shown}: the folder {} {remedy}", folder.display())));
    }
    ensure_folder_takes_files(option, folder)
}

/// The same for arrays, which are stored as .npz files and should be called so.
pub(crate) fn ensure_arrays_writable(option: &str, path: &Path, inputs: &[&Path]) -> anyhow::Result<()> {
    ensure_writable(option, path, inputs)?;
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz")) {
        return Ok(());
    }
    let named = path.with_extension("npz");
    Err(mistake(format!("{option} {}: results are .npz files; name it {}", path.display(), named.display())))
}

/// Checks that `count` matrices of float64 fit on the disk of `path`.
pub(crate) fn ensure_room(
    option: &str,
    path: &Path,
    [rows, cols]: [usize; 2],
    count: u64,
) -> anyhow::Result<()> {
    let needed = matrix_bytes([rows, cols], count);
    match destination(path).ok().and_then(|target| room::free(atomic::folder_of(&target))) {
        Some(free) if needed > free => Err(mistake(format!(
            "{option} {}: it takes {}, and {} are free on its disk; make room, or name a file on another",
            path.display(),
            Bytes(needed),
            Bytes(free)
        ))),
        _ => Ok(()),
    }
}

/// Bytes of `count` matrices of float64.
pub(crate) fn matrix_bytes([rows, cols]: [usize; 2], count: u64) -> u64 {
    [rows as u64, cols as u64, count].into_iter().fold(8, u64::saturating_mul)
}

/// Checks that files can be made in a folder, by making one.
pub(crate) fn ensure_folder_takes_files(option: &str, folder: &Path) -> anyhow::Result<()> {
    atomic::probe(folder).map_err(|problem| {
        let remedy = match problem.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room, or choose another",
            _ => "choose another",
        };
        mistake(format!("{option}: the folder {} takes no results ({problem}); {remedy}", folder.display()))
    })
}
