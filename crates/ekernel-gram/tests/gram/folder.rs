//! Resume folders: what they keep, what they distrust, what they refuse.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use ekernel_core::{Control, KernelSet, Kernels, Pairs, Samples};
use ekernel_gram::{FolderStore, GramError, Job, Options, gram};
use tempfile::TempDir;

use crate::fake::{Fake, bits, expected, samples};

pub(crate) fn options(folder: &Path) -> Options {
    Options { store: Some(Arc::new(FolderStore::open(folder).unwrap())), ..Options::new(KernelSet::Both) }
}

pub(crate) fn tile_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
        .collect();
    files.sort();
    files
}

fn run(fake: &Fake, x: &Samples, folder: &Path) -> Result<Kernels, GramError> {
    gram(fake, Pairs::within(x.clone()), &options(folder), &Control::new())
}

/// A folder with every tile of `x`.
fn full(x: &Samples) -> (TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run").join("one");
    run(&Fake::new(KernelSet::Both), x, &folder).unwrap();
    (root, folder)
}

fn open_below(root: &Path, parts: [&str; 2], fake: &Fake, x: &Samples) -> Result<FolderStore, GramError> {
    FolderStore::open_below(root, parts, (fake, &Pairs::within(x.clone())), &Control::new())
}

#[test]
fn a_finished_folder_gives_the_result_without_computing() {
    let x = samples(11);
    let (_root, folder) = full(&x);
    let fake = Fake::new(KernelSet::Both);
    let control = Control::new();
    let job = Job::prepare(&fake, Pairs::within(x.clone()), &options(&folder), &control).unwrap();
    let summary = job.summary();
    assert_eq!((summary.finished, summary.discarded, summary.threads), (summary.tiles, 0, 0));
    let found = job.run(&control).unwrap();
    assert_eq!(bits(&found), bits(&expected(&Pairs::within(x.clone()), KernelSet::Both)));
    let calls = fake.calls.lock().unwrap();
    assert_eq!((calls.prepared, calls.tiles.len()), (0, 0));
}

#[test]
fn damaged_tiles_are_computed_anew() {
    let x = samples(14);
    let (_root, folder) = full(&x);
    let files = tile_files(&folder);
    assert!(files.len() >= 8, "{files:?}");
    let originals: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let with = |index: usize, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = originals[index].clone();
        change(&mut bytes);
        fs::write(&files[index], bytes).unwrap();
    };
    with(0, &|bytes| bytes.truncate(bytes.len() - 1));
    with(1, &|bytes| bytes.clear());
    with(2, &|bytes| bytes.push(0));
    with(3, &|bytes| bytes[150] ^= 1);
    with(4, &|bytes| *bytes.last_mut().unwrap() ^= 0x80);
    with(5, &|bytes| bytes.fill(0));
    // A whole tile of the right size in the wrong place (both are rectangles of the same shape).
    let same = (6..files.len()).find(|&index| originals[index].len() == originals[1].len()).unwrap();
    with(same, &|bytes| bytes.clone_from(&originals[1]));

    let fake = Fake::new(KernelSet::Both);
    let control = Control::new();
    let job = Job::prepare(&fake, Pairs::within(x.clone()), &options(&folder), &control).unwrap();
    assert_eq!((job.summary().discarded, job.summary().finished), (7, files.len() - 7));
    let found = job.run(&control).unwrap();
    assert_eq!(fake.tiles_computed(), 7);
    assert_eq!(bits(&found), bits(&expected(&Pairs::within(x.clone()), KernelSet::Both)));
    let mended: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(mended, originals);
}

#[test]
fn a_tile_of_another_computation_is_not_taken_for_one_of_this() {
    let (x, mut y) = (samples(11), samples(11));
    if let Samples::Vectors(values) = &mut y {
        values[[4, 1]] += 1e-13;
    }
    let ((_a, one), (_b, other)) = (full(&x), full(&y));
    for (from, to) in tile_files(&other).iter().zip(tile_files(&one)) {
        fs::copy(from, to).unwrap();
    }
    let fake = Fake::new(KernelSet::Both);
    run(&fake, &x, &one).unwrap();
    assert_eq!(fake.tiles_computed(), tile_files(&one).len());
}

#[test]
fn a_folder_keeps_its_tile_shape_when_the_backend_would_choose_another() {
    let x = samples(11);
    let (_root, folder) = full(&x);
    fs::remove_file(&tile_files(&folder)[2]).unwrap();
    let fake = Fake { tile_shape: [7, 7], concurrency: 5, ..Fake::new(KernelSet::Both) };
    let found = run(&fake, &x, &folder).unwrap();
    assert_eq!(bits(&found), bits(&expected(&Pairs::within(x.clone()), KernelSet::Both)));
    assert_eq!(fake.tiles_computed(), 1);
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("thesis.tex"), "").unwrap();
    let error = FolderStore::open(root.path()).unwrap_err();
    assert!(matches!(&error, GramError::Foreign { found, .. } if found == "thesis.tex"), "{error}");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn what_a_run_leaves_that_died_before_its_manifest_is_taken_over() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("lock"), "").unwrap();
    for dead in [".ekernel-a1B2c3.partial", ".ekernel-a1B2c3"] {
        fs::write(root.path().join(dead), "{\"for").unwrap();
    }
    run(&Fake::new(KernelSet::Both), &samples(5), root.path()).unwrap();
    let names = fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().starts_with('.')));
}

#[test]
fn two_runs_do_not_write_one_folder() {
    let x = samples(11);
    let (_root, folder) = full(&x);
    fs::remove_file(&tile_files(&folder)[0]).unwrap();
    let control = Control::new();
    let fake = Fake::new(KernelSet::Both);
    let job = Job::prepare(&fake, Pairs::within(x.clone()), &options(&folder), &control).unwrap();
    let error = FolderStore::open(&folder).unwrap_err();
    assert!(matches!(error, GramError::Locked { .. }), "{error}");
    drop(job);
    run(&Fake::new(KernelSet::Both), &x, &folder).unwrap();
}

/// A second run lists the folder while the first gives its manifest the name: the reason is still
/// the lock.
#[test]
fn a_tile_without_its_manifest_under_a_lock_is_another_run() {
    let root = tempfile::tempdir().unwrap();
    let _first = FolderStore::open(root.path()).unwrap();
    fs::write(root.path().join("tile-000000.bin"), "").unwrap();
    let error = FolderStore::open(root.path()).unwrap_err();
    assert!(matches!(error, GramError::Locked { .. }), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    for folder in [file.clone(), file.join("below"), file.join("below").join("below")] {
        let error = FolderStore::open(&folder).unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(error, GramError::Store { .. }) && text.contains(&*folder.to_string_lossy()),
            "{text}"
        );
        assert!(text.contains("give a folder that can be written"), "{text}");
    }
}

#[test]
fn a_tile_that_cannot_be_written_ends_the_run_and_the_others_stay() {
    let x = samples(11);
    let (_root, folder) = full(&x);
    let files = tile_files(&folder);
    let due = bits(&expected(&Pairs::within(x.clone()), KernelSet::Both));
    fs::remove_file(&files[3]).unwrap();
    fs::create_dir_all(files[3].join("in the way")).unwrap();
    let error = run(&Fake::new(KernelSet::Both), &x, &folder).unwrap_err();
    let place = files[3].to_string_lossy().into_owned();
    assert!(matches!(&error, GramError::Store { place: found, .. } if *found == place), "{error}");
    fs::remove_dir_all(&files[3]).unwrap();
    let fake = Fake::new(KernelSet::Both);
    assert_eq!(bits(&run(&fake, &x, &folder).unwrap()), due);
    assert_eq!(fake.tiles_computed(), 1);
}

/// A link in the folder of a run leads anywhere: what it leads to is neither read nor written.
#[cfg(unix)]
#[test]
fn links_in_the_folder_are_not_followed() {
    use std::os::unix::fs::symlink;
    let x = samples(11);
    let (root, folder) = full(&x);
    let elsewhere = root.path().join("elsewhere");
    let files = tile_files(&folder);
    fs::copy(&files[1], &elsewhere).unwrap();
    for file in &files[..2] {
        fs::remove_file(file).unwrap();
        symlink(&elsewhere, file).unwrap();
    }
    let before = fs::read(&elsewhere).unwrap();
    let fake = Fake::new(KernelSet::Both);
    run(&fake, &x, &folder).unwrap();
    assert_eq!(fake.tiles_computed(), 2, "even a whole tile is not read through a link");
    assert!(files.iter().all(|file| !file.is_symlink()));
    assert_eq!(fs::read(&elsewhere).unwrap(), before);

    let manifest = folder.join("manifest.json");
    fs::rename(&manifest, root.path().join("manifest")).unwrap();
    symlink(root.path().join("manifest"), &manifest).unwrap();
    let error = run(&Fake::new(KernelSet::Both), &x, &folder).unwrap_err();
    let GramError::Store { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.kind(), io::ErrorKind::InvalidInput, "{error}");

    // A lock that leads to a file that is not there would make it.
    let fresh = root.path().join("fresh");
    fs::create_dir(&fresh).unwrap();
    symlink(root.path().join("made"), fresh.join("lock")).unwrap();
    let error = FolderStore::open(&fresh).unwrap_err();
    assert!(error.to_string().contains("symbolic link"), "{error}");
    assert!(!root.path().join("made").exists());

    symlink(&folder, root.path().join("part")).unwrap();
    for parts in [["part", "train"], ["run", "part"]] {
        if parts[0] == "run" {
            symlink(&folder, root.path().join("run").join("part")).unwrap();
        }
        let error = open_below(root.path(), parts, &Fake::new(KernelSet::Both), &x).unwrap_err();
        assert!(error.to_string().contains("it is a symbolic link"), "{error}");
    }
    // The folder that the user names may be one: a disk for large files.
    FolderStore::open(&root.path().join("part")).unwrap();
}

#[test]
fn parts_of_any_name_lie_below_the_folder() {
    let root = tempfile::tempdir().unwrap();
    let base = root.path().join("resume");
    for name in ["..", "...toml", ".", "../beside", "/beside", "mnist_c4"] {
        let store = open_below(&base, [name, "train"], &Fake::new(KernelSet::Both), &samples(3)).unwrap();
        assert!(
            store.path().starts_with(&base) && !store.path().to_string_lossy().contains("/../"),
            "{store:?}"
        );
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

/// The folder of a network whose file has been renamed since serves it; of another computation it
/// is left alone.
#[test]
fn tiles_of_a_renamed_network_are_found() {
    let root = tempfile::tempdir().unwrap();
    let x = samples(7);
    let fill = |name: &str, fake: &Fake| {
        let store = open_below(root.path(), [name, "train"], fake, &x).unwrap();
        let path = store.path().to_owned();
        let options = Options { store: Some(Arc::new(store)), ..Options::new(KernelSet::Both) };
        gram(fake, Pairs::within(x.clone()), &options, &Control::new()).unwrap();
        path
    };
    let fake = || Fake::new(KernelSet::Both);
    let first = fill("first", &fake());
    let renamed = fake();
    assert_eq!(fill("renamed", &renamed), first);
    assert_eq!(renamed.tiles_computed(), 0);
    for other in [Fake { network: "two layers", ..fake() }, Fake { precision: "f32", ..fake() }] {
        let name = format!("{} {}", other.network, other.precision);
        assert_eq!(fill(&name, &other), root.path().join(&name).join("train"));
    }
    let test = open_below(root.path(), ["renamed", "test"], &fake(), &x).unwrap();
    assert_eq!(test.path(), root.path().join("renamed").join("test"));
}

#[test]
fn a_tile_that_is_not_finite_is_not_kept() {
    let x = samples(11);
    let root = tempfile::tempdir().unwrap();
    let bad = Fake { planted: Some((0, 5, f64::NAN)), ..Fake::new(KernelSet::Both) };
    let one_thread = Options { threads: Some(1), ..options(root.path()) };
    let error = gram(&bad, Pairs::within(x.clone()), &one_thread, &Control::new()).unwrap_err();
    drop(one_thread);
    assert!(matches!(error, GramError::NotFinite { row: 0, col: 5, .. }), "{error}");
    let kept = tile_files(root.path()).len();
    assert_eq!(kept + 1, bad.tiles_computed());
    let fake = Fake::new(KernelSet::Both);
    let found = run(&fake, &x, root.path()).unwrap();
    assert_eq!(bits(&found), bits(&expected(&Pairs::within(x.clone()), KernelSet::Both)));
    assert_eq!(fake.tiles_computed() + kept, tile_files(root.path()).len());
}

#[test]
fn a_cancelled_run_says_where_its_tiles_are_and_goes_on_from_them() {
    let x = samples(30);
    let root = tempfile::tempdir().unwrap();
    let control = Control::new();
    let canceller = control.clone();
    let act = move |rows: &std::ops::Range<usize>, cols: &std::ops::Range<usize>, _: &Control| {
        if rows.start == 3 && cols.start == 10 {
            canceller.cancel();
        }
        Ok(())
    };
    let fake = Fake { act: Arc::new(act), ..Fake::new(KernelSet::Both) };
    let error = gram(&fake, Pairs::within(x.clone()), &options(root.path()), &control).unwrap_err();
    let kept = tile_files(root.path()).len();
    let GramError::Cancelled { done, of, store } = &error else { panic!("{error}") };
    assert_eq!(*done, kept);
    assert!(store.as_ref().is_some_and(|store| store.contains(&*root.path().to_string_lossy())), "{error}");
    assert!(kept < *of && error.to_string().contains("goes on from there"), "{error}");
    let fake = Fake::new(KernelSet::Both);
    let found = run(&fake, &x, root.path()).unwrap();
    assert_eq!(bits(&found), bits(&expected(&Pairs::within(x.clone()), KernelSet::Both)));
    assert_eq!(fake.tiles_computed(), of - kept);
}
