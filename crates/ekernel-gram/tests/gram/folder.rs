//! Resume folders: what they keep, what they distrust, what they refuse.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ekernel_core::{Control, KernelSet, Kernels, Pairs, Samples};
use ekernel_gram::{GramError, Job, Options, Resume, gram};
use tempfile::TempDir;

use crate::fake::{Fake, bits, expected, samples};

const ARCHITECTURE: &str = "[input]\nspace = \"vector\"\nw_std = 1.0\n";

pub(crate) fn options(folder: &Path) -> Options {
    let resume = Resume { folder: folder.to_owned(), architecture: ARCHITECTURE.to_owned() };
    Options { resume: Some(resume), ..Options::new(KernelSet::Both) }
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

fn run(fake: &Fake, x: &Samples, options: &Options) -> Result<Kernels, GramError> {
    gram(fake, Pairs::within(x.clone()), options, &Control::new())
}

/// A folder with every tile of `x`.
fn full(x: &Samples) -> (TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run").join("one");
    run(&Fake::new(KernelSet::Both), x, &options(&folder)).unwrap();
    (root, folder)
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
    run(&fake, &x, &options(&one)).unwrap();
    assert_eq!(fake.tiles_computed(), tile_files(&one).len());
}

#[test]
fn a_changed_computation_is_refused_with_both_values() {
    let x = samples(11);
    let (_root, folder) = full(&x);
    let refused = |fake: Fake, pairs: Pairs, options: Options, due: &[&str]| {
        let error = gram(&fake, pairs.clone(), &options, &Control::new()).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, GramError::Differs { .. }), "{text}");
        for words in due.iter().chain(&["give another folder, or delete this one", &folder.to_string_lossy()])
        {
            assert!(text.contains(words), "{words:?} is not in: {text}");
        }
        assert_eq!(fake.calls.lock().unwrap().prepared, 0);
    };
    let both = || Fake::new(KernelSet::Both);
    let same = Pairs::within(x.clone());

    let mut architecture = options(&folder);
    architecture.resume.as_mut().unwrap().architecture = ARCHITECTURE.replace("1.0", "1.1");
    refused(
        both(),
        same.clone(),
        architecture,
        &["line 3", "there is \"w_std = 1.0\", here \"w_std = 1.1\""],
    );

    let precise = Fake { name: "fake f32".to_owned(), ..both() };
    refused(
        precise,
        same.clone(),
        options(&folder),
        &["the backend there is \"fake f64\", here \"fake f32\""],
    );

    let fewer = Options { kinds: KernelSet::Nngp, ..options(&folder) };
    refused(Fake::new(KernelSet::Nngp), same.clone(), fewer, &["there is \"NNGP and NTK\", here \"NNGP\""]);

    let cut = Options { tile_shape: Some([5, 4]), ..options(&folder) };
    refused(both(), same.clone(), cut, &["the tile shape there is 3 × 4, here 5 × 4"]);

    let more = samples(12);
    let counts = ["the first set there is 11 samples of shape [2]", "here 12 samples"];
    refused(both(), Pairs::within(more.clone()), options(&folder), &counts);
    let two = ["the second set there is the first again, here 11 samples of shape [2] with SHA-256"];
    refused(both(), Pairs::cross(x.clone(), x.clone()), options(&folder), &two);

    let manifest = folder.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let current = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
    assert!(text.contains(current), "{text}");
    fs::write(&manifest, text.replace(current, "\"version\": \"0.0.9\"")).unwrap();
    let versions =
        concat!("the version of ekernel there is \"0.0.9\", here \"", env!("CARGO_PKG_VERSION"), "\"");
    refused(both(), same.clone(), options(&folder), &[versions]);
    fs::write(&manifest, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
    refused(both(), same.clone(), options(&folder), &["the format of the folder there is 2, here 1"]);

    // Put right again, the folder serves as before.
    fs::write(&manifest, text).unwrap();
    let fake = both();
    run(&fake, &x, &options(&folder)).unwrap();
    assert_eq!(fake.tiles_computed(), 0);
}

#[test]
fn a_folder_keeps_its_tile_shape_when_the_backend_would_choose_another() {
    let x = samples(11);
    let (_root, folder) = full(&x);
    fs::remove_file(&tile_files(&folder)[2]).unwrap();
    let fake = Fake { tile_shape: [7, 7], concurrency: 5, ..Fake::new(KernelSet::Both) };
    let found = run(&fake, &x, &options(&folder)).unwrap();
    assert_eq!(bits(&found), bits(&expected(&Pairs::within(x.clone()), KernelSet::Both)));
    assert_eq!(fake.tiles_computed(), 1);
}

#[test]
fn a_damaged_manifest_is_refused() {
    let x = samples(5);
    let (_root, folder) = full(&x);
    let manifest = folder.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    for damaged in
        ["", "[]", "{\"format\": \"1\"}", &text[..text.len() / 2], &text.replace("sha256", "sha512")]
    {
        fs::write(&manifest, damaged).unwrap();
        let error = run(&Fake::new(KernelSet::Both), &x, &options(&folder)).unwrap_err();
        assert!(matches!(error, GramError::Manifest { .. }), "{damaged}: {error}");
    }
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let x = samples(5);
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("thesis.tex"), "").unwrap();
    let error = run(&Fake::new(KernelSet::Both), &x, &options(root.path())).unwrap_err();
    assert!(matches!(&error, GramError::Foreign { found, .. } if found == "thesis.tex"), "{error}");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn what_a_run_leaves_that_died_before_its_manifest_is_taken_over() {
    let x = samples(5);
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("lock"), "").unwrap();
    fs::write(root.path().join("manifest.json.tmp"), "{\"for").unwrap();
    run(&Fake::new(KernelSet::Both), &x, &options(root.path())).unwrap();
    assert!(!root.path().join("manifest.json.tmp").exists());
}

#[test]
fn two_runs_do_not_write_one_folder() {
    let x = samples(11);
    let (_root, folder) = full(&x);
    fs::remove_file(&tile_files(&folder)[0]).unwrap();
    let control = Control::new();
    let fake = Fake::new(KernelSet::Both);
    let job = Job::prepare(&fake, Pairs::within(x.clone()), &options(&folder), &control).unwrap();
    let error = run(&Fake::new(KernelSet::Both), &x, &options(&folder)).unwrap_err();
    assert!(matches!(error, GramError::Locked { .. }), "{error}");
    drop(job);
    run(&Fake::new(KernelSet::Both), &x, &options(&folder)).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_is_refused_before_anything_is_prepared() {
    let x = samples(5);
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    for folder in [file.clone(), file.join("below"), file.join("below").join("below")] {
        let fake = Fake::new(KernelSet::Both);
        let error = run(&fake, &x, &options(&folder)).unwrap_err();
        assert!(matches!(&error, GramError::Store { path, .. } if *path == folder), "{error}");
        assert!(error.to_string().contains("give a folder that can be written"), "{error}");
        assert_eq!(fake.calls.lock().unwrap().prepared, 0);
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
    let error = run(&Fake::new(KernelSet::Both), &x, &options(&folder)).unwrap_err();
    assert!(matches!(&error, GramError::Store { path, .. } if *path == files[3]), "{error}");
    fs::remove_dir_all(&files[3]).unwrap();
    let fake = Fake::new(KernelSet::Both);
    assert_eq!(bits(&run(&fake, &x, &options(&folder)).unwrap()), due);
    assert_eq!(fake.tiles_computed(), 1);
}

/// /dev/full takes a file like a disk without room.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_run_and_the_other_tiles_stay() {
    let x = samples(11);
    let (_root, folder) = full(&x);
    let files = tile_files(&folder);
    fs::remove_file(&files[3]).unwrap();
    std::os::unix::fs::symlink("/dev/full", files[3].with_added_extension("tmp")).unwrap();
    let error = run(&Fake::new(KernelSet::Both), &x, &options(&folder)).unwrap_err();
    let GramError::Store { path, source, .. } = &error else { panic!("{error}") };
    assert_eq!((path, source.kind()), (&files[3], std::io::ErrorKind::StorageFull));
    assert!(error.to_string().contains("make room"), "{error}");
    assert!(!files[3].exists());
    let fake = Fake::new(KernelSet::Both);
    run(&fake, &x, &options(&folder)).unwrap();
    assert_eq!(fake.tiles_computed(), 1);
}

#[test]
fn a_tile_that_is_not_finite_is_not_kept() {
    let x = samples(11);
    let root = tempfile::tempdir().unwrap();
    let options = Options { threads: Some(1), ..options(root.path()) };
    let bad = Fake { planted: Some((0, 5, f64::NAN)), ..Fake::new(KernelSet::Both) };
    let error = run(&bad, &x, &options).unwrap_err();
    assert!(matches!(error, GramError::NotFinite { row: 0, col: 5, .. }), "{error}");
    let kept = tile_files(root.path()).len();
    assert_eq!(kept + 1, bad.tiles_computed());
    let fake = Fake::new(KernelSet::Both);
    let found = run(&fake, &x, &options).unwrap();
    assert_eq!(bits(&found), bits(&expected(&Pairs::within(x.clone()), KernelSet::Both)));
    assert_eq!(fake.tiles_computed() + kept, tile_files(root.path()).len());
}

#[test]
fn a_cancelled_run_says_where_its_tiles_are_and_goes_on_from_them() {
    let x = samples(30);
    let root = tempfile::tempdir().unwrap();
    let control = std::sync::Arc::new(Control::new());
    let canceller = std::sync::Arc::clone(&control);
    let act = move |rows: &std::ops::Range<usize>, cols: &std::ops::Range<usize>, _: &Control| {
        if rows.start == 3 && cols.start == 10 {
            canceller.cancel();
        }
        Ok(())
    };
    let fake = Fake { act: Arc::new(act), ..Fake::new(KernelSet::Both) };
    let error = gram(&fake, Pairs::within(x.clone()), &options(root.path()), &control).unwrap_err();
    let kept = tile_files(root.path()).len();
    let GramError::Cancelled { done, of, folder } = &error else { panic!("{error}") };
    assert_eq!((*done, folder.as_deref()), (kept, Some(root.path())));
    assert!(kept < *of && error.to_string().contains("goes on from there"), "{error}");
    let fake = Fake::new(KernelSet::Both);
    let found = run(&fake, &x, &options(root.path())).unwrap();
    assert_eq!(bits(&found), bits(&expected(&Pairs::within(x.clone()), KernelSet::Both)));
    assert_eq!(fake.tiles_computed(), of - kept);
}
