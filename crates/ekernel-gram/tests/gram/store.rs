//! Stores of every kind: identity, both kernels, room, results that stay in the store.

use std::{io, sync::Arc};

use ekernel_core::{Control, KernelSet, Kernels, Pairs, Samples};
use ekernel_gram::{GramError, Item, Job, MemoryStore, Options, Room, Streaming, TileStore, gram};
use ndarray::{Array2, s};

use crate::fake::{Fake, bits, expected, samples};

fn with(store: &Arc<MemoryStore>, kinds: KernelSet) -> Options {
    Options { store: Some(Arc::clone(store) as _), ..Options::new(kinds) }
}

fn run(fake: &Fake, x: &Samples, store: &Arc<MemoryStore>) -> Result<Kernels, GramError> {
    gram(fake, Pairs::within(x.clone()), &with(store, fake.kinds), &Control::new())
}

/// A store with every tile of `x`.
fn full(x: &Samples) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    run(&Fake::new(KernelSet::Both), x, &store).unwrap();
    store
}

#[test]
fn a_changed_computation_is_refused_with_both_values() {
    let x = samples(11);
    let store = full(&x);
    let refused = |fake: Fake, pairs: Pairs, options: Options, due: &[&str]| {
        let error = gram(&fake, pairs, &options, &Control::new()).unwrap_err();
        let text = error.to_string();
        let GramError::Differs { differences, .. } = &error else { panic!("{text}") };
        assert_eq!(differences.len(), 1, "{text}");
        for words in due.iter().chain(&["give another folder, or delete this one", "the store in memory"]) {
            assert!(text.contains(words), "{words:?} is not in: {text}");
        }
        assert_eq!(fake.calls.lock().unwrap().prepared, 0);
    };
    let both = || Fake::new(KernelSet::Both);
    let options = || with(&store, KernelSet::Both);
    let same = || Pairs::within(x.clone());
    for (fake, words) in [
        (
            Fake { network: "two layers", ..both() },
            "the network of the backend there is \"one layer\", here \"two layers\"",
        ),
        (Fake { precision: "f32", ..both() }, "the precision of the backend there is \"f64\", here \"f32\""),
        (Fake { name: "other".to_owned(), ..both() }, "the backend there is \"fake\", here \"other\""),
    ] {
        refused(fake, same(), options(), &[words]);
    }

    let cut = Options { tile_shape: Some([5, 4]), ..options() };
    refused(both(), same(), cut, &["the tile shape there is 3 × 4, here 5 × 4"]);
    let counts = ["the first set there is 11 samples of shape [2]", "here 12 samples"];
    refused(both(), Pairs::within(samples(12)), options(), &counts);
    let two = ["the second set there is the first again, here 11 samples of shape [2] with SHA-256"];
    refused(both(), Pairs::cross(x.clone(), x.clone()), options(), &two);

    let manifest = store.read(Item::Manifest).unwrap().unwrap();
    let text = String::from_utf8(manifest.clone()).unwrap();
    let current = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
    assert!(text.contains(current), "{text}");
    store.write(Item::Manifest, text.replace(current, "\"version\": \"0.0.9\"").as_bytes()).unwrap();
    let versions =
        concat!("the version of ekernel there is \"0.0.9\", here \"", env!("CARGO_PKG_VERSION"), "\"");
    refused(both(), same(), options(), &[versions]);

    // Put right again, the store serves as before, whatever the backend is called to people.
    store.write(Item::Manifest, &manifest).unwrap();
    let fake = both();
    run(&fake, &x, &store).unwrap();
    assert_eq!(fake.tiles_computed(), 0);
}

#[test]
fn a_manifest_of_another_version_is_no_damage() {
    let x = samples(5);
    let store = full(&x);
    // As version 0.1.0 wrote them.
    let old = r#"{"format": 1, "computation": {"version": "0.1.0"}, "tile": [3, 4]}"#;
    store.write(Item::Manifest, old.as_bytes()).unwrap();
    let error = run(&Fake::new(KernelSet::Both), &x, &store).unwrap_err();
    let due = "the store in memory was written by another version of ekernel (format 1)";
    assert!(
        matches!(error, GramError::Format { format: 1, .. }) && error.to_string().starts_with(due),
        "{error}"
    );
}

#[test]
fn a_damaged_manifest_is_refused() {
    let x = samples(5);
    let store = full(&x);
    let text = String::from_utf8(store.read(Item::Manifest).unwrap().unwrap()).unwrap();
    let halved = &text[..text.len() / 2];
    for damaged in ["", "[]", "{\"format\": \"1\"}", halved, &text.replace("sha256", "sha512")] {
        store.write(Item::Manifest, damaged.as_bytes()).unwrap();
        let error = run(&Fake::new(KernelSet::Both), &x, &store).unwrap_err();
        assert!(matches!(error, GramError::Manifest { .. }), "{damaged}: {error}");
    }
}

#[test]
fn a_backend_that_names_no_network_cannot_be_kept() {
    let nameless = Fake { network: "", ..Fake::new(KernelSet::Both) };
    let error = run(&nameless, &samples(5), &Arc::new(MemoryStore::new())).unwrap_err();
    assert!(matches!(&error, GramError::Unidentified { backend } if backend == "fake"), "{error}");
}

/// A store of both kernels has the NNGP; one of the NNGP alone gets its tiles replaced.
#[test]
fn one_store_serves_both_kernels() {
    let x = samples(11);
    let pairs = Pairs::within(x.clone());
    let store = full(&x);
    let nngp = Fake::new(KernelSet::Nngp);
    assert_eq!(bits(&run(&nngp, &x, &store).unwrap()), bits(&expected(&pairs, KernelSet::Nngp)));
    assert_eq!(nngp.tiles_computed(), 0);

    let store = Arc::new(MemoryStore::new());
    run(&nngp, &x, &store).unwrap();
    let both = Fake::new(KernelSet::Both);
    let job = Job::prepare(&both, pairs.clone(), &with(&store, KernelSet::Both), &Control::new()).unwrap();
    assert_eq!((job.summary().finished, job.summary().discarded), (0, 0));
    let found = job.run(&Control::new()).unwrap();
    assert_eq!(bits(&found), bits(&expected(&pairs, KernelSet::Both)));
    for fake in [Fake::new(KernelSet::Nngp), Fake::new(KernelSet::Both)] {
        run(&fake, &x, &store).unwrap();
        assert_eq!(fake.tiles_computed(), 0);
    }
}

/// The rows of a streamed result, put together.
pub(crate) fn whole(stored: &ekernel_gram::Stored) -> Kernels {
    let [n, m] = stored.shape();
    let zeros = || Array2::zeros((n, m));
    let mut all = Kernels { nngp: zeros(), ntk: (stored.kinds() == KernelSet::Both).then(zeros) };
    let mut next = 0;
    for band in stored.bands() {
        let band = band.unwrap();
        assert_eq!(band.rows.start, next);
        next = band.rows.end;
        all.nngp.slice_mut(s![band.rows.clone(), ..]).assign(&band.kernels.nngp);
        if let (Some(all), Some(ntk)) = (&mut all.ntk, &band.kernels.ntk) {
            all.slice_mut(s![band.rows, ..]).assign(ntk);
        }
    }
    assert_eq!(next, n);
    all
}

#[test]
fn a_streamed_result_has_the_same_bits_for_every_tile_shape() {
    for kinds in [KernelSet::Nngp, KernelSet::Both] {
        for (n1, n2) in [(1, 1), (1, 7), (7, 1), (7, 5), (9, 9)] {
            for pairs in [Pairs::within(samples(n1)), Pairs::cross(samples(n1), samples(n2))] {
                let due = bits(&expected(&pairs, kinds));
                for shape in [[1, 1], [1, 100], [100, 1], [2, 3], [3, 2], [4, 4], [100, 100]] {
                    let options = Options { tile_shape: Some(shape), ..Options::new(kinds) };
                    let store = Arc::new(MemoryStore::new());
                    let control = Control::new();
                    let (fake, store) = (Fake::new(kinds), store as Arc<dyn TileStore>);
                    let job = Streaming::prepare(&fake, pairs.clone(), store, &options, &control).unwrap();
                    let found = whole(&job.run(&control).unwrap());
                    assert_eq!(bits(&found), due, "{n1} × {n2} in tiles of {shape:?}");
                }
            }
        }
    }
}

/// A limit of memory that holds a tenth of the result.
#[test]
fn a_streamed_result_is_never_in_memory_as_a_whole() {
    let x = samples(200);
    let pairs = || Pairs::within(x.clone());
    let limited = Options { memory_limit: Some(2 * 8 * 200 * 20), ..Options::new(KernelSet::Both) };
    let fake = Fake::new(KernelSet::Both);
    let error = gram(&fake, pairs(), &limited, &Control::new()).unwrap_err();
    assert!(matches!(error, GramError::Memory { .. }), "{error}");
    let store: Arc<dyn TileStore> = Arc::new(MemoryStore::new());
    let job = Streaming::prepare(&fake, pairs(), store, &limited, &Control::new()).unwrap();
    let summary = job.summary();
    // Bands of four rows, the longer side of a tile.
    assert_eq!(summary.memory.result, 2 * 8 * 200 * 4);
    let stored = job.run(&Control::new()).unwrap();
    let largest = stored.bands().map(|band| band.unwrap().rows.len()).max();
    assert_eq!(largest, Some(4));
    assert_eq!(bits(&whole(&stored)), bits(&expected(&pairs(), KernelSet::Both)));
}

/// A store with little room, whose disk is full once `tiles` tiles are written.
#[derive(Debug)]
struct Small {
    inner: MemoryStore,
    room: Room,
    tiles: usize,
}

impl TileStore for Small {
    fn place(&self, item: Option<Item>) -> String {
        self.inner.place(item)
    }

    fn read(&self, item: Item) -> io::Result<Option<Vec<u8>>> {
        self.inner.read(item)
    }

    fn write(&self, item: Item, bytes: &[u8]) -> io::Result<()> {
        match item {
            Item::Tile(index) if index >= self.tiles => Err(io::ErrorKind::StorageFull.into()),
            _ => self.inner.write(item, bytes),
        }
    }

    fn room(&self) -> Option<Room> {
        Some(self.room)
    }
}

#[test]
fn a_disk_that_would_be_full_is_known_at_the_start() {
    let pairs = || Pairs::within(samples(100));
    let small = |free, reserved| Small { inner: MemoryStore::new(), room: Room { free, reserved }, tiles: 0 };
    let refused = |store: Small, prepared| {
        let fake = Fake::new(KernelSet::Both);
        let options = Options { store: Some(Arc::new(store)), ..Options::new(KernelSet::Both) };
        let error = gram(&fake, pairs(), &options, &Control::new()).unwrap_err();
        assert_eq!(fake.calls.lock().unwrap().prepared, prepared, "{error}");
        assert_eq!(fake.tiles_computed(), 0);
        assert!(matches!(error, GramError::Room { .. }), "{error}");
        error.to_string()
    };
    let needed = 8 * 2 * 100 * 101 / 2;
    // Less than the pairs take: before the samples are prepared.
    let text = refused(small(needed - 1, 0), 0);
    let due = "take 78.9 KiB in the store in memory, where 78.9 KiB are free; make room";
    assert!(text.contains(due), "{text}");
    // With headers and whole diagonal tiles: before the first tile.
    refused(small(needed, 0), 1);
    // What the result needs on the same disk is not free.
    let text = refused(small(1 << 20, (1 << 20) - needed + 1), 0);
    assert!(text.contains("where 1.0 MiB are free, 945.1 KiB of them for the result"), "{text}");
}

#[test]
fn a_disk_that_is_full_all_the_same_ends_the_run_and_the_finished_tiles_stay() {
    let x = samples(11);
    let pairs = || Pairs::within(x.clone());
    let store =
        Arc::new(Small { inner: MemoryStore::new(), room: Room { free: u64::MAX, reserved: 0 }, tiles: 3 });
    let options = Options { store: Some(Arc::clone(&store) as _), ..Options::new(KernelSet::Both) };
    let error = gram(&Fake::new(KernelSet::Both), pairs(), &options, &Control::new()).unwrap_err();
    let GramError::Store { place, source, .. } = &error else { panic!("{error}") };
    assert_eq!((place.as_str(), source.kind()), ("tile-000003.bin in memory", io::ErrorKind::StorageFull));
    assert!(error.to_string().contains("make room"), "{error}");
    let job = Job::prepare(&Fake::new(KernelSet::Both), pairs(), &options, &Control::new()).unwrap();
    assert_eq!(job.summary().finished, 3);
}
