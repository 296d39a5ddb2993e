//! What `ekernel bench --tune` found best on an adapter: a small JSON file in the user's caches.
//!
//! The file is never needed. Where it cannot be read or understood, a note says so and the built-in sizes are used.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use ekernel_data::write_atomically;
use ekernel_wgpu::Tuning;
use serde::{Deserialize, Serialize};

use crate::{failure::mistake, output};

/// Names the file, before the user's caches and after `--tuning`.
pub(crate) const VARIABLE: &str = "EKERNEL_TUNING";

/// The form of the file.
const VERSION: u64 = 1;

/// Bytes that are read at most.
const LARGEST: u64 = 1 << 20;

/// Sizes that are believed.
const INVOCATIONS: std::ops::RangeInclusive<u32> = 1..=1024;
const IN_TURN: std::ops::RangeInclusive<u32> = 1..=64;

/// What was found best on one adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its name, interface and driver, as [`ekernel_wgpu::Device::describe`] gives them: another driver is another adapter.
    pub(crate) adapter: String,
    pub(crate) invocations: u32,
    pub(crate) in_turn: u32,
    /// The network it was measured on, and how fast it was there with these sizes and with the built-in ones, if
    /// it took them.
    pub(crate) network: String,
    pub(crate) pairs_per_second: f64,
    pub(crate) default_pairs_per_second: Option<f64>,
    /// What measured it.
    pub(crate) program: String,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u64,
    adapters: Vec<Entry>,
}

/// The file: of `--tuning`, else of the environment, else in the user's caches; none if that is said, or if the user has no
/// folders.
pub(crate) fn file(option: Option<&Path>) -> Option<PathBuf> {
    let named = option.map(Path::to_owned).or_else(|| std::env::var_os(VARIABLE).map(PathBuf::from));
    match named {
        Some(path) if path.as_os_str().is_empty() || path.as_os_str() == "none" => None,
        Some(path) => Some(path),
        None => Some(caches()?.join("ekernel").join("tuning.json")),
    }
}

/// The folder of the user's caches: `$XDG_CACHE_HOME` or `~/.cache`, on macOS `~/Library/Caches`, on Windows `%LOCALAPPDATA%`.
fn caches() -> Option<PathBuf> {
    // As the XDG specification has it, a relative path is no path.
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        return folder("LOCALAPPDATA");
    }
    let below = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
    folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(below)))
}

/// The sizes for an adapter: those of the file, else the built-in ones.
pub(crate) fn of(adapter: &str, option: Option<&Path>, quiet: bool) -> Tuning {
    let Some(path) = file(option) else { return Tuning::default() };
    let entries = read(&path).unwrap_or_else(|problem| {
        output::note(quiet, &format!("{problem}; the built-in sizes of workgroups are used"));
        vec![]
    });
    let found = entries.iter().find(|entry| entry.adapter == adapter);
    found.map_or_else(Tuning::default, |entry| Tuning {
        invocations: entry.invocations,
        in_turn: entry.in_turn,
    })
}

/// Checks that [`store`] can write the file, so that nothing is measured in vain; makes its folder.
pub(crate) fn ensure_storable(path: &Path) -> anyhow::Result<()> {
    make_folder(path)?;
    output::ensure_writable("--tune", path, &[])
}

fn make_folder(path: &Path) -> anyhow::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|problem| {
        mistake(format!(
            "cannot make the folder {}: {problem}; name a file with --tuning FILE",
            folder.display()
        ))
    })
}

/// Adds an entry, in place of an older one of the same adapter.
pub(crate) fn store(path: &Path, entry: Entry, quiet: bool) -> anyhow::Result<()> {
    let mut adapters = read(path).unwrap_or_else(|problem| {
        output::note(quiet, &format!("{problem}; it is written anew"));
        vec![]
    });
    adapters.retain(|old| old.adapter != entry.adapter);
    adapters.push(entry);
    let text = serde_json::to_string_pretty(&Stored { version: VERSION, adapters })?;
    make_folder(path)?;
    Ok(write_atomically(path, |file| writeln!(file, "{text}"))?)
}

/// The entries of a file; none where there is no file.
///
/// Errors: what is wrong with it, and what would do.
fn read(path: &Path) -> Result<Vec<Entry>, String> {
    let wrong = |problem: &str| {
        format!("the tuning file {} {problem}: measure again with ekernel bench --tune", path.display())
    };
    let mut text = String::new();
    let opened = File::open(path).and_then(|file| file.take(LARGEST).read_to_string(&mut text));
    match opened {
        Ok(_) => {}
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        Err(problem) => return Err(wrong(&format!("cannot be read ({problem})"))),
    }
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|_| wrong("is no JSON"))?;
    if value["version"].as_u64() != Some(VERSION) {
        return Err(wrong("is of another version of ekernel"));
    }
    let stored: Stored = serde_json::from_value(value).map_err(|_| wrong("lacks what it should hold"))?;
    let believable =
        |entry: &Entry| INVOCATIONS.contains(&entry.invocations) && IN_TURN.contains(&entry.in_turn);
    if stored.adapters.iter().all(believable) {
        Ok(stored.adapters)
    } else {
        Err(wrong("holds sizes that no adapter has"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(adapter: &str, invocations: u32) -> Entry {
        Entry {
            adapter: adapter.to_owned(),
            invocations,
            in_turn: 4,
            network: "cnn-valid".to_owned(),
            pairs_per_second: 2.0,
            default_pairs_per_second: Some(1.5),
            program: output::PROGRAM.to_owned(),
        }
    }

    #[test]
    fn entries_are_kept_by_adapter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("tuning.json");
        assert_eq!(read(&path), Ok(vec![]));
        for (adapter, invocations) in [("one", 64), ("two", 512), ("one", 128)] {
            store(&path, entry(adapter, invocations), true).unwrap();
        }
        assert_eq!(read(&path), Ok(vec![entry("two", 512), entry("one", 128)]));
        let of = |adapter| of(adapter, Some(&path), true);
        assert_eq!(of("one"), Tuning { invocations: 128, in_turn: 4 });
        assert_eq!(of("two"), Tuning { invocations: 512, in_turn: 4 });
        assert_eq!(of("three"), Tuning::default());
    }

    /// A file that is cut off, of another version, of another kind or absurd is ignored with a note, and replaced by the next
    /// tuning.
    #[test]
    fn what_is_not_understood_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tuning.json");
        store(&path, entry("one", 64), true).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        for (bad, problem) in [
            (good[..good.len() / 2].to_owned(), "no JSON"),
            (String::new(), "no JSON"),
            (good.replace("\"version\": 1", "\"version\": 0"), "another version"),
            (good.replace("\"invocations\"", "\"threads\""), "lacks"),
            (good.replace("\"invocations\": 64", "\"invocations\": 0"), "no adapter"),
            (good.replace("\"in_turn\": 4", "\"in_turn\": 100000"), "no adapter"),
            ("[1, 2]".to_owned(), "another version"),
        ] {
            fs::write(&path, &bad).unwrap();
            let said = read(&path).unwrap_err();
            assert!(said.contains(problem) && said.contains("--tune"), "{bad}: {said}");
            assert_eq!(of("one", Some(&path), true), Tuning::default());
            store(&path, entry("one", 64), true).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), good);
        }
        assert!(read(folder.path()).unwrap_err().contains("cannot be read"));
    }
}
