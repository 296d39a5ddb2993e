//! Shards of a Gram matrix in a Zarr store.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use ekernel_core::{BackendError, Control, KernelSet, Pairs};
use ekernel_gram::{Element, GramError, Kernel, Layout, Shard, ShardJob, ZarrOptions, ZarrStore};
use ndarray::Array2;
use serde_json::json;

use crate::fake::{Fake, expected, samples};

fn options(chunk: usize, shard: Shard) -> ZarrOptions {
    ZarrOptions {
        kernels: Kernel::ALL.to_vec(),
        element: Element::F32,
        chunk: Some(chunk),
        shard,
        notes: json!({ "architecture": "one layer" }),
        threads: None,
        memory_limit: None,
    }
}

fn run(fake: &Fake, pairs: &Pairs, path: &Path, options: &ZarrOptions) -> Result<ZarrStore, GramError> {
    let control = Control::new();
    ShardJob::prepare(fake, pairs.clone(), path, options, &control)?.run(&control)
}

fn whole(pairs: &Pairs, path: &Path, chunk: usize) -> ZarrStore {
    run(&Fake::new(KernelSet::Both), pairs, path, &options(chunk, Shard::WHOLE)).unwrap()
}

/// Every file of a store and its bytes; files in the making that a killed process left are no part
/// of it.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.file_name().unwrap().to_str().unwrap().starts_with(".ekernel-") {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(path).unwrap());
            }
        }
    }
    found
}

/// What a store of float32 holds of a matrix.
fn rounded(values: &Array2<f64>) -> Array2<f64> {
    values.mapv(|value| f64::from(value as f32))
}

/// Numbers that look random, the same in every run.
fn draws(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}

#[test]
fn shards_in_any_order_have_the_bytes_of_one_process() {
    let mut draw = draws(1);
    for pairs in [
        Pairs::within(samples(23)),
        Pairs::cross(samples(23), samples(9)),
        Pairs::cross(samples(2), samples(30)),
        Pairs::within(samples(1)),
    ] {
        for chunk in [1, 4, 7, 1024] {
            let root = tempfile::tempdir().unwrap();
            let [one, many] = ["one", "many"].map(|name| root.path().join(name));
            let store = whole(&pairs, &one, chunk);
            assert!(store.status(true).unwrap().missing.is_empty());
            let of = 1 + draw(6);
            let mut order: Vec<usize> = (1..=of).collect();
            for i in (1..of).rev() {
                order.swap(i, draw(i + 1));
            }
            for &index in &order {
                let mut fake = Fake::new(KernelSet::Both);
                fake.tile_shape = [1 + draw(5), 1 + draw(5)];
                fake.concurrency = 1 + draw(4);
                run(&fake, &pairs, &many, &options(chunk, Shard::new(index, of).unwrap())).unwrap();
                // Of one set every pair is computed once, apart from mirror images within a tile.
                assert!(fake.calls.lock().unwrap().pairs.values().all(|&times| times == 1));
            }
            assert_eq!(files(&one), files(&many), "{of} shards of chunks of {chunk}");

            let due = expected(&pairs, KernelSet::Both);
            let [n, m] = store.layout().shape();
            for (kernel, due) in [(Kernel::Nngp, &due.nngp), (Kernel::Ntk, due.ntk.as_ref().unwrap())] {
                assert_eq!(store.window(kernel, 0..n, 0..m).unwrap(), rounded(due));
                let (top, left) = (draw(n), draw(m));
                let (rows, cols) = (top..top + draw(n - top + 1), left..left + draw(m - left + 1));
                let part = due.slice(ndarray::s![rows.clone(), cols.clone()]).to_owned();
                assert_eq!(store.window(kernel, rows, cols).unwrap(), rounded(&part));
            }
        }
    }
}

#[test]
fn a_shard_that_is_there_is_not_computed_again() {
    let root = tempfile::tempdir().unwrap();
    let pairs = Pairs::within(samples(20));
    whole(&pairs, root.path(), 4);
    let before = files(root.path());
    let fake = Fake::new(KernelSet::Both);
    let shard = options(4, Shard::new(2, 3).unwrap());
    let job = ShardJob::prepare(&fake, pairs.clone(), root.path(), &shard, &Control::new()).unwrap();
    let summary = job.summary();
    assert_eq!((summary.finished, summary.blocks, summary.all_blocks), (5, 5, 15));
    job.run(&Control::new()).unwrap();
    assert_eq!((fake.tiles_computed(), fake.calls.lock().unwrap().prepared), (0, 0));
    assert_eq!(files(root.path()), before);
    // The chunks of the store where no others are asked for.
    let same = ZarrOptions { chunk: None, ..options(1, Shard::WHOLE) };
    run(&fake, &pairs, root.path(), &same).unwrap();
    assert_eq!(fake.tiles_computed(), 0);
}

#[test]
fn one_kernel_first_and_the_other_later() {
    let root = tempfile::tempdir().unwrap();
    let [both, two] = ["both", "two"].map(|name| root.path().join(name));
    let pairs = Pairs::within(samples(9));
    whole(&pairs, &both, 4);
    let only = |kernel| ZarrOptions { kernels: vec![kernel], ..options(4, Shard::WHOLE) };
    let store = run(&Fake::new(KernelSet::Nngp), &pairs, &two, &only(Kernel::Nngp)).unwrap();
    assert_eq!(store.kernels(), [Kernel::Nngp]);
    let error = store.window(Kernel::Ntk, 0..1, 0..1).unwrap_err().to_string();
    assert!(error.contains("no such array"), "{error}");
    run(&Fake::new(KernelSet::Both), &pairs, &two, &only(Kernel::Ntk)).unwrap();
    assert_eq!(files(&both), files(&two));
}

#[test]
fn shards_of_another_computation_are_refused_and_the_difference_is_named() {
    let root = tempfile::tempdir().unwrap();
    let pairs = Pairs::within(samples(12));
    let second = options(4, Shard::new(2, 2).unwrap());
    run(&Fake::new(KernelSet::Both), &pairs, root.path(), &options(4, Shard::new(1, 2).unwrap())).unwrap();
    let before = files(root.path());
    let other = Fake { precision: "f32", ..Fake::new(KernelSet::Both) };
    let network = Fake { network: "two layers", ..Fake::new(KernelSet::Both) };
    let backend = Fake { name: "gpu".to_owned(), ..Fake::new(KernelSet::Both) };
    let fake = Fake::new(KernelSet::Both);
    let doubles = ZarrOptions { element: Element::F64, ..second.clone() };
    let moved = Pairs::within(samples(13).select(&(1..13).collect::<Vec<_>>()));
    let crossed = Pairs::cross(samples(12), samples(12));
    for (fake, pairs, options, word) in [
        (&other, &pairs, &second, "precision"),
        (&network, &pairs, &second, "network"),
        (&backend, &pairs, &second, "backend"),
        (&fake, &moved, &second, "first set"),
        (&fake, &crossed, &second, "second set"),
        (&fake, &pairs, &doubles, "the type of numbers there is float32, here float64"),
        (&fake, &pairs, &self::options(3, Shard::WHOLE), "tile shape there is 4 × 4, here 3 × 3"),
    ] {
        let error = run(fake, pairs, root.path(), options).unwrap_err();
        assert!(matches!(error, GramError::Differs { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(files(root.path()), before);
    }
}

#[test]
fn damage_is_found_named_and_mended() {
    let root = tempfile::tempdir().unwrap();
    let pairs = Pairs::within(samples(12));
    let store = whole(&pairs, root.path(), 4);
    let before = files(root.path());
    let chunk = root.path().join("ntk/c/2/1");
    let bytes = fs::read(&chunk).unwrap();
    let mut altered = bytes.clone();
    altered[17] ^= 1;
    for (damage, seen) in [(&bytes[..bytes.len() / 2], true), (&[], true), (&altered, false)] {
        fs::write(&chunk, damage).unwrap();
        // Block 4 is the second one of the third row.
        assert_eq!(store.status(false).unwrap().damaged, if seen { vec![4] } else { vec![] });
        assert_eq!(store.status(true).unwrap().damaged, [4]);
        let error = store.window(Kernel::Ntk, 0..12, 0..12).unwrap_err().to_string();
        assert!(error.contains("ntk/c/2/1") && error.contains("run its shard again"), "{error}");
        let fake = Fake::new(KernelSet::Both);
        let job =
            ShardJob::prepare(&fake, pairs.clone(), root.path(), &options(4, Shard::WHOLE), &Control::new())
                .unwrap();
        assert_eq!((job.summary().damaged, job.summary().finished), (1, 5));
        job.run(&Control::new()).unwrap();
        assert_eq!(files(root.path()), before);
    }

    // Left by a process that was killed.
    fs::write(root.path().join("nngp/c/2/.ekernel-a1B2c3.partial"), [7; 100]).unwrap();
    fs::remove_file(root.path().join("nngp/c/2/2")).unwrap();
    assert_eq!(store.status(true).unwrap().missing, [5]);
    let error = store.window(Kernel::Nngp, 9..10, 9..10).unwrap_err().to_string();
    assert!(error.contains("it has not been computed"), "{error}");
    whole(&pairs, root.path(), 4);
    assert_eq!(files(root.path()), before);
}

#[test]
fn what_is_no_store_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let pairs = Pairs::within(samples(5));
    let here = |name: &str| root.path().join(name);
    let run = |path: &Path| {
        run(&Fake::new(KernelSet::Both), &pairs, path, &options(4, Shard::WHOLE)).unwrap_err().to_string()
    };
    fs::create_dir(here("thesis")).unwrap();
    fs::write(here("thesis/chapter.tex"), "").unwrap();
    assert!(run(&here("thesis")).contains("holds \"chapter.tex\""));
    assert!(ZarrStore::open(&here("thesis")).unwrap_err().to_string().contains("no zarr.json"));
    fs::write(here("file"), "").unwrap();
    assert!(run(&here("file")).starts_with("cannot"));

    whole(&pairs, &here("K"), 4);
    let header = here("K").join("zarr.json");
    let text = fs::read_to_string(&header).unwrap();
    for (from, to, word) in [
        ("\"format\": 2", "\"format\": 9", "another version of ekernel (format 9)"),
        ("\"ekernel\"", "\"other\"", "not a Zarr group of ekernel"),
        ("\"symmetric\": true", "\"symmetric\": 1", "damaged"),
        ("{", "", "damaged"),
    ] {
        assert!(text.contains(from));
        fs::write(&header, text.replacen(from, to, 1)).unwrap();
        assert!(run(&here("K")).contains(word), "{}", run(&here("K")));
        assert!(ZarrStore::open(&here("K")).unwrap_err().to_string().contains(word));
    }
    fs::write(&header, text).unwrap();
    fs::write(here("K/ntk/zarr.json"), "{}").unwrap();
    assert!(run(&here("K")).contains("not the array that its group describes"));
}

#[test]
fn values_that_float32_does_not_hold_are_refused() {
    let pairs = Pairs::within(samples(6));
    for (at, value) in [((1, 4), 1e39), ((2, 2), 1e-33), ((2, 2), -1e39)] {
        let root = tempfile::tempdir().unwrap();
        let fake = Fake { planted: Some((at.0, at.1, value)), ..Fake::new(KernelSet::Both) };
        let error = run(&fake, &pairs, root.path(), &options(4, Shard::WHOLE)).unwrap_err();
        assert!(matches!(error, GramError::Range { .. }), "{error}");
        let doubles = ZarrOptions { element: Element::F64, ..options(4, Shard::WHOLE) };
        let store = run(&fake, &pairs, &root.path().join("f64"), &doubles).unwrap();
        assert_eq!(store.window(Kernel::Nngp, at.0..at.0 + 1, at.1..at.1 + 1).unwrap()[(0, 0)], value);
    }
    // Beside others a small value is rounded like every one.
    let root = tempfile::tempdir().unwrap();
    let fake = Fake { planted: Some((1, 4, 1e-50)), ..Fake::new(KernelSet::Both) };
    run(&fake, &pairs, root.path(), &options(4, Shard::WHOLE)).unwrap();
}

/// Above 10⁵ samples a file holds a square of chunks.
#[test]
fn chunks_of_a_large_matrix_share_files() {
    let root = tempfile::tempdir().unwrap();
    let n = Layout::MANY + 1;
    let pairs = Pairs::cross(samples(n), samples(3));
    let mut fake = Fake::new(KernelSet::Both);
    fake.tile_shape = [5000, 3];
    let store = run(&fake, &pairs, root.path(), &options(1024, Shard::WHOLE)).unwrap();
    assert_eq!((store.layout().block(), store.layout().len()), ([4096, 12], 25));
    let due = expected(&pairs, KernelSet::Both).ntk.unwrap();
    assert_eq!(store.window(Kernel::Ntk, 0..n, 0..3).unwrap(), rounded(&due));
    let file = root.path().join("nngp/c/24/0");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[1..]).unwrap();
    assert_eq!(store.status(false).unwrap().damaged, [24]);
    fs::write(&file, [&bytes[..bytes.len() - 1], &[bytes[bytes.len() - 1] ^ 1]].concat()).unwrap();
    assert_eq!(store.status(true).unwrap().damaged, [24]);

    // A few blocks of one set: below the diagonal, and at its end, with two chunks and a part.
    let pairs = Pairs::within(samples(n));
    let path = root.path().join("within");
    let layout = Layout::new([n; 2], true, 32);
    let of = layout.len() / 3;
    let store = run(&Fake::new(KernelSet::Both), &pairs, &path, &options(32, Shard::new(of, of).unwrap()));
    let store = store.unwrap();
    let status = store.status(false).unwrap();
    assert_eq!((status.blocks, status.damaged.len()), (layout.len(), 0));
    let there: Vec<usize> = (0..layout.len()).filter(|i| status.missing.binary_search(i).is_err()).collect();
    assert!((3..=4).contains(&there.len()), "{there:?}");
    for block in there.into_iter().map(|index| layout.at(index)) {
        let window = store.window(Kernel::Nngp, block.rows.clone(), block.cols.clone()).unwrap();
        for ((a, b), value) in window.indexed_iter() {
            let (i, j) = (block.rows.start + a, block.cols.start + b);
            let due = crate::fake::value(0, i.min(j), i.max(j));
            assert_eq!(*value, f64::from(due as f32), "{i}, {j}");
        }
    }
}

#[test]
fn a_cancelled_shard_keeps_its_blocks() {
    let root = tempfile::tempdir().unwrap();
    let pairs = Pairs::within(samples(30));
    let control = Control::new();
    let cancel = control.cancel.clone();
    let act = move |rows: &std::ops::Range<usize>, _: &_, control: &Control| {
        if rows.start > 12 {
            cancel.cancel();
        }
        control.check()
    };
    let fake = Fake { act: Arc::new(act), concurrency: 1, ..Fake::new(KernelSet::Both) };
    let job = ShardJob::prepare(&fake, pairs.clone(), root.path(), &options(4, Shard::WHOLE), &control);
    let error = job.unwrap().run(&control).unwrap_err();
    let GramError::Cancelled { done, of: 36, store: Some(_) } = error else { panic!("{error}") };
    assert_eq!(ZarrStore::open(root.path()).unwrap().status(true).unwrap().missing.len(), 36 - done);
    assert!(done > 3);
    let failing = |_: &_, _: &_, _: &Control| {
        Err(BackendError::Device {
            device: "a card".to_owned(),
            problem: "gone".to_owned(),
            remedy: "none".to_owned(),
        })
    };
    let fake = Fake { act: Arc::new(failing), ..Fake::new(KernelSet::Both) };
    assert!(run(&fake, &pairs, root.path(), &options(4, Shard::WHOLE)).is_err());
    let fake = Fake::new(KernelSet::Both);
    let job = ShardJob::prepare(&fake, pairs, root.path(), &options(4, Shard::WHOLE), &Control::new());
    assert_eq!(job.unwrap().summary().finished, done);
}

/// Set in the child, which is this same test in this same program: the store, and the shard.
const CHILD: &str = "EKERNEL_ZARR_CHILD";
const SHARD: &str = "EKERNEL_ZARR_SHARD";
const NAME: &str = "zarr::shards_killed_at_any_moment_lose_no_block_and_change_no_byte";

#[test]
fn shards_killed_at_any_moment_lose_no_block_and_change_no_byte() {
    let pairs = Pairs::within(samples(36));
    if let (Some(folder), Ok(shard)) = (env::var_os(CHILD), env::var(SHARD)) {
        let slow = Fake::slow(KernelSet::Both, Duration::from_millis(15));
        run(&slow, &pairs, Path::new(&folder), &options(3, shard.parse().unwrap())).unwrap();
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let [one, broken] = ["one", "broken"].map(|name| root.path().join(name));
    whole(&pairs, &one, 3);
    let due = files(&one);
    let mut draw = draws(2);
    let mut before = BTreeMap::new();
    let mut killed = 0;
    for _ in 0..50 {
        let shard = format!("{}/3", 1 + draw(3));
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", NAME])
            .envs([(CHILD, broken.as_os_str()), (SHARD, shard.as_ref())])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(draw(40) as u64));
        killed += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let now = if broken.exists() { files(&broken) } else { BTreeMap::new() };
        assert!(now.iter().all(|(name, bytes)| due.get(name) == Some(bytes)), "a file is not whole");
        assert!(before.keys().all(|name| now.contains_key(name)), "a file is lost");
        before = now;
    }
    assert!(killed >= 20 && before.len() < due.len(), "{killed} were killed, {} files", before.len());
    // All three at once, and one of them twice.
    thread::scope(|scope| {
        for shard in ["1/3", "2/3", "3/3", "2/3"] {
            let (pairs, broken) = (&pairs, &broken);
            scope.spawn(move || {
                run(&Fake::new(KernelSet::Both), pairs, broken, &options(3, shard.parse().unwrap())).unwrap()
            });
        }
    });
    assert_eq!(files(&broken), due);
}
