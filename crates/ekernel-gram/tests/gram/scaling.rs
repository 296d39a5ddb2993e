//! Work grows with the pairs and no faster: calls and bytes are counted, not seconds.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ekernel_core::{Control, KernelSet, Pairs};
use ekernel_gram::{Grid, Item, MemoryStore, Options, Streaming, TileStore, gram};

use crate::{
    fake::{Fake, samples},
    store::whole,
};

/// Counts what a store is asked for.
#[derive(Debug, Default)]
struct Counting {
    inner: MemoryStore,
    reads: AtomicU64,
    writes: AtomicU64,
    bytes: AtomicU64,
}

impl TileStore for Counting {
    fn place(&self, item: Option<Item>) -> String {
        self.inner.place(item)
    }

    fn read(&self, item: Item) -> io::Result<Option<Vec<u8>>> {
        let bytes = self.inner.read(item)?;
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes.as_ref().map_or(0, Vec::len) as u64, Ordering::Relaxed);
        Ok(bytes)
    }

    fn write(&self, item: Item, bytes: &[u8]) -> io::Result<()> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.inner.write(item, bytes)
    }
}

#[derive(Debug)]
struct Work {
    pairs: u64,
    tiles: u64,
    computed: u64,
    calls: u64,
    bytes: u64,
}

/// Computes a Gram matrix of `n` samples into a store, goes on from it, and reads the result in
/// bands.
fn work(n: usize, shape: [usize; 2], symmetric: bool) -> Work {
    let pairs = || if symmetric { Pairs::within(samples(n)) } else { Pairs::cross(samples(n), samples(n)) };
    let grid = Grid::new(&pairs(), shape);
    let store = Arc::new(Counting::default());
    let options = Options { tile_shape: Some(shape), threads: Some(1), ..Options::new(KernelSet::Both) };
    let fake = Fake::new(KernelSet::Both);
    let control = Control::new();
    let dynamic = || Arc::clone(&store) as Arc<dyn TileStore>;
    let job = Streaming::prepare(&fake, pairs(), dynamic(), &options, &control).unwrap();
    whole(&job.run(&control).unwrap());
    gram(&fake, pairs(), &Options { store: Some(dynamic()), ..options }, &control).unwrap();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    Work {
        pairs: grid.pairs(),
        tiles: grid.tiles().len() as u64,
        computed: fake.calls.lock().unwrap().pairs.values().map(|&times| times as u64).sum(),
        calls: count(&store.reads) + count(&store.writes),
        bytes: count(&store.bytes),
    }
}

#[test]
fn calls_and_bytes_are_linear_in_the_pairs() {
    for symmetric in [true, false] {
        for shape in [[4, 4], [2, 8], [8, 2], [1, 16]] {
            let [small, large] = [48, 192].map(|n| work(n, shape, symmetric));
            // Sixteen times the pairs: the work of a pair may shrink with the diagonal's share, and
            // not grow.
            for (what, one, other) in [
                ("tiles", small.tiles, large.tiles),
                ("pairs computed", small.computed, large.computed),
                ("calls", small.calls, large.calls),
                ("bytes", small.bytes, large.bytes),
            ] {
                let [one, other] =
                    [(one, small.pairs), (other, large.pairs)].map(|(n, of)| n as f64 / of as f64);
                assert!(
                    other <= 1.05 * one,
                    "{what} of {shape:?}, symmetric {symmetric}: {one} and {other} a pair"
                );
            }
            // Written once, read once by the run that goes on, and at most four times for the
            // bands.
            assert!(large.calls <= 6 * large.tiles + 4, "{large:?}");
        }
    }
}

/// The digest of the samples looks at each value once; a cancelled control is heard within it.
#[test]
fn the_digest_of_many_samples_hears_a_cancel() {
    let control = Control::new();
    control.cancel();
    let options = Options { store: Some(Arc::new(MemoryStore::new())), ..Options::new(KernelSet::Both) };
    let fake = Fake::new(KernelSet::Both);
    let error = gram(&fake, Pairs::within(samples(10_000)), &options, &control).unwrap_err();
    assert!(error.to_string().starts_with("cancelled before the first tile"), "{error}");
    assert_eq!(fake.calls.lock().unwrap().prepared, 0);
}
