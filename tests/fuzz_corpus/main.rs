//! The fuzz targets of `fuzz/` on the committed corpus and on seeded changes of it, the same in every run.

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "a library of its own for cargo-fuzz, which sees what is public")]
mod targets;

mod changes;

use std::{fs, path::PathBuf};

use changes::Changes;

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The files of some folders, by name.
fn corpus(folders: &[&str]) -> Vec<Vec<u8>> {
    let listed = folders.iter().flat_map(|folder| {
        let path = workspace().join(folder);
        fs::read_dir(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
    });
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("readable")).collect()
}

/// Runs the target on every seed and on `changed` inputs made of them. The input that runs lies in the file
/// `fuzz-NAME` of the temporary folder of this test, so that one that stops the process is found there.
fn run(name: &str, target: fn(&[u8]), seeds: &[Vec<u8>], changed: usize) {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
    let mut changes = Changes::new(seeds);
    let inputs = seeds.iter().cloned().chain((0..changed).map(|_| changes.next()));
    for (index, input) in inputs.enumerate() {
        fs::write(&place, &input).expect("writable");
        if std::panic::catch_unwind(|| target(&input)).is_err() {
            panic!("{name}, input {index}, kept in {}:\n{}", place.display(), input.escape_ascii());
        }
    }
}

#[test]
fn architectures() {
    let seeds = corpus(&["fuzz/corpus/architecture", "examples/architectures"]);
    run("architecture", targets::architecture, &seeds, 4000);
}

#[test]
fn files_of_data() {
    run("data", targets::data, &corpus(&["fuzz/corpus/data"]), 4000);
}

#[test]
fn resume_folders() {
    run("resume", targets::resume, &corpus(&["fuzz/corpus/resume"]), 500);
}
