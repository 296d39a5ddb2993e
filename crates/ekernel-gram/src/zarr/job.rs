//! One shard of a Gram matrix, from samples to the blocks of a Zarr store.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    ops::Range,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ekernel_core::{Backend, BackendError, Control, KernelSet, Kernels, Pairs, Prepared, Progress};
use ekernel_system::room;
use ndarray::{Array2, ArrayView2, s};
use serde_json::Value;

use super::{
    header::{Content, Element, Kernel},
    layout::{Block, Layout},
    shard::{Division, Shard},
    store::{Found, ZarrStore},
};
use crate::{
    GramError, Identity, Memory, Options, Room, Tile,
    allowance::Allowance,
    assemble,
    grid::{rectangle, upper_triangle},
    identity::Unidentified,
    memory, schedule,
};

/// What of a Gram matrix is computed into a Zarr store, and how.
#[derive(Clone, Debug)]
pub struct ZarrOptions {
    /// The arrays that the store has.
    pub kernels: Vec<Kernel>,
    /// Their numbers. Kernels that were computed in float32 lose nothing that they have as float32.
    pub element: Element,
    /// Rows and columns of a chunk; absent: those of the store or else [`Layout::CHUNK`].
    pub chunk: Option<usize>,
    /// The part that is computed.
    pub shard: Shard,
    /// Kept with the store when it is made: architecture, names of samples. It is not compared.
    pub notes: Value,
    /// Tiles computed at the same time; absent: as many as the backend can use.
    pub threads: Option<usize>,
    /// Bytes of memory that may be used; absent: what the system says is available.
    pub memory_limit: Option<u64>,
}

/// A shard that is ready to be computed.
pub struct ShardJob {
    backend: String,
    kinds: KernelSet,
    store: ZarrStore,
    kernels: Vec<Kernel>,
    summary: ShardSummary,
    /// Absent if every block of the shard is there.
    work: Option<Work>,
}

/// What a [`ShardJob`] will do and take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardSummary {
    /// Shape of the whole Gram matrix.
    pub shape: [usize; 2],
    /// Blocks of the whole Gram matrix.
    pub all_blocks: usize,
    /// Blocks of the shard.
    pub blocks: usize,
    /// Those of them that were found whole.
    pub finished: usize,
    /// Those that were found damaged; they are computed anew.
    pub damaged: usize,
    /// Different pairs of the shard.
    pub pairs: u64,
    /// Bytes that will be written.
    pub bytes: u64,
    /// Tiles computed at the same time.
    pub threads: usize,
    /// What it needs. The result is the blocks in the making.
    pub memory: Memory,
}

/// What is left to do.
struct Work {
    session: Box<dyn Prepared>,
    missing: Vec<Block>,
    /// How many tiles there are before each block, and in all.
    tiles_before: Vec<usize>,
}

/// A block in the making.
struct Open {
    tiles: Arc<[Tile]>,
    values: Kernels,
    /// Tiles that are still to come.
    left: usize,
}

impl ShardJob {
    /// Checks the options, the memory and the store, looks for the blocks of the shard that are
    /// there, and, if any are missing, prepares the samples.
    ///
    /// The store is made if there is none. Any number of processes may run shards, also the same one,
    /// at the same time: each block is written whole, and always with the same bytes.
    ///
    /// # Errors
    /// An empty set, no kernels or 0 threads; a store that cannot be read or belongs to another
    /// computation; more memory or disk space needed than there is; those of the backend.
    pub fn prepare(
        backend: &dyn Backend,
        pairs: Pairs,
        path: &Path,
        options: &ZarrOptions,
        control: &Control,
    ) -> Result<ShardJob, GramError> {
        for (set, samples) in [("first", pairs.first()), ("second", pairs.second())] {
            if samples.is_empty() {
                return Err(GramError::Empty { set });
            }
        }
        let zero = |option| Err(GramError::Zero { option });
        match options {
            ZarrOptions { threads: Some(0), .. } => return zero("the number of threads"),
            ZarrOptions { chunk: Some(0), .. } => return zero("the number of rows of a chunk"),
            ZarrOptions { kernels, .. } if kernels.is_empty() => return zero("the number of kernels"),
            _ => {}
        }
        let identity = Identity::new(backend, &pairs, control)
            .map_err(|error| GramError::stopped(error, [0, 0], None))?
            .map_err(|Unidentified| GramError::Unidentified { backend: backend.describe() })?;
        let chunk = match options.chunk {
            Some(chunk) => chunk,
            None => ZarrStore::chunk_of(path)?.unwrap_or(Layout::CHUNK),
        };
        let shape = [pairs.first().len(), pairs.second().len()];
        let layout = Layout::new(shape, pairs.is_symmetric(), chunk);
        let content = Content { layout, element: options.element, identity, notes: options.notes.clone() };
        let store = ZarrStore::prepare(path, content, &options.kernels)?;
        let layout = store.layout();

        let mut kernels = options.kernels.clone();
        kernels.sort_unstable();
        kernels.dedup();
        let blocks: Vec<Block> = Division::new(layout, options.shard.of())
            .blocks(options.shard)
            .into_iter()
            .map(|index| layout.at(index))
            .collect();
        let (mut missing, mut damaged) = (Vec::new(), 0);
        for block in &blocks {
            control.check().map_err(|error| GramError::stopped(error, [0, 0], None))?;
            let mut found = Vec::new();
            for &kernel in &kernels {
                found.push(store.look(kernel, block, true)?);
            }
            damaged += usize::from(found.contains(&Found::Damaged));
            if found.iter().any(|found| *found != Found::Whole) {
                missing.push(block.clone());
            }
        }
        let bytes = missing.iter().map(|block| store.bytes_of(block) * kernels.len() as u64).sum();
        if let Some(free) = room::free(path).filter(|free| bytes > *free) {
            let room = Room { free, reserved: 0 };
            return Err(GramError::Room { store: path.display().to_string(), needed: bytes, room });
        }

        let kinds = if kernels.contains(&Kernel::Ntk) { KernelSet::Both } else { KernelSet::Nngp };
        let mut summary = ShardSummary {
            shape,
            all_blocks: layout.len(),
            blocks: blocks.len(),
            finished: blocks.len() - missing.len(),
            damaged,
            pairs: blocks.iter().map(|block| layout.pairs_of(block)).sum(),
            bytes,
            threads: 0,
            memory: Memory::default(),
        };
        let description = backend.describe();
        if missing.is_empty() {
            return Ok(ShardJob { backend: description, kinds, store, kernels, summary, work: None });
        }
        let place = path.display().to_string();
        let session = backend
            .prepare(pairs, control)
            .map_err(|error| GramError::stopped(error, [summary.finished, summary.blocks], Some(place)))?;
        let tile_shape = session.tile_shape();
        // Large matrices have too many tiles for a list. Blocks of one shape have the same number.
        let mut counts = HashMap::new();
        let mut tiles_before = vec![0];
        let mut fewest = usize::MAX;
        for block in &missing {
            let shape = (block.rows.len(), block.cols.len(), layout.is_diagonal(block));
            let count = *counts.entry(shape).or_insert_with(|| cut(block, layout, tile_shape).len());
            tiles_before.push(tiles_before[tiles_before.len() - 1] + count);
            fewest = fewest.min(count);
        }
        let tiles = tiles_before[missing.len()];
        let threads = options.threads.unwrap_or_else(|| session.concurrency()).clamp(1, tiles);
        let threads = schedule::at_most(threads);
        // Tiles begin in order: those under way lie in so many blocks that follow each other. A block
        // is in memory as float64 and, while it is written, as its object.
        let open = (threads.saturating_sub(1).div_ceil(fewest) + 1).min(missing.len()) as u64;
        let entries = layout.block().iter().product::<usize>() as u64;
        let of_block = entries * (8 * kinds.count() as u64 + store.element().bytes() as u64);
        summary.threads = threads;
        summary.memory = Memory {
            result: of_block.saturating_mul(open),
            ..memory::of_work(Some(&*session), tile_shape, kinds, threads)
        };
        Allowance::of(&Options { memory_limit: options.memory_limit, ..Options::new(kinds) })
            .ensure(summary.memory, shape)?;
        let work = Some(Work { session, missing, tiles_before });
        Ok(ShardJob { backend: description, kinds, store, kernels, summary, work })
    }

    /// What the job will do and take.
    pub fn summary(&self) -> ShardSummary {
        self.summary
    }

    /// Computes the missing blocks and writes each when it is whole.
    ///
    /// # Errors
    /// A tile that fails, is not finite or is beyond the numbers of the store, a block that cannot be
    /// written; cancelled. Blocks finished before that stay in the store.
    pub fn run(self, control: &Control) -> Result<ZarrStore, GramError> {
        let ShardJob { backend, kinds, store, kernels, summary, work } = self;
        let of = summary.pairs;
        let Some(Work { session, missing, tiles_before }) = work else {
            control.report(Progress::Pairs { done: of, of });
            return Ok(store);
        };
        let layout = store.layout();
        let left: u64 = missing.iter().map(|block| layout.pairs_of(block)).sum();
        control.report(Progress::Pairs { done: of - left, of });
        let tile_shape = session.tile_shape();
        let done = Mutex::new((summary.finished, of - left));
        let open: Mutex<HashMap<usize, Open>> = Mutex::default();

        let begin = |block: &Block| {
            let shape = [block.rows.len(), block.cols.len()];
            let tiles: Arc<[Tile]> = cut(block, layout, tile_shape).into();
            let values = assemble::zeros(shape, kinds).ok_or(GramError::Allocation {
                what: "a block of the Gram matrix",
                needed: (shape[0] * shape[1] * 8 * kinds.count()) as u64,
            })?;
            Ok(Open { left: tiles.len(), tiles, values })
        };
        let step = |position: usize| {
            let index = tiles_before.partition_point(|&before| before <= position) - 1;
            let block = &missing[index];
            let tiles = match lock(&open).entry(index) {
                Entry::Occupied(entry) => Arc::clone(&entry.get().tiles),
                Entry::Vacant(entry) => Arc::clone(&entry.insert(begin(block)?).tiles),
            };
            let tile = &tiles[position - tiles_before[index]];
            let found = match session.tile(tile.rows.clone(), tile.cols.clone(), control) {
                Ok(found) => found,
                // Not a failure: the count of finished blocks shows it.
                Err(BackendError::Cancelled) => return Ok(()),
                Err(error) => return Err(GramError::Backend(error)),
            };
            assemble::check(&found, tile, kinds, &backend)?;
            let mirrored = layout.is_symmetric() && tile.is_diagonal();
            if store.element() == Element::F32 {
                ensure_in_range(&found, tile, &kernels, mirrored)?;
            }
            let whole = {
                let mut open = lock(&open);
                let entry = open.get_mut(&index).expect("a block is open until its last tile is placed");
                place(&mut entry.values, block, tile, &found, layout);
                entry.left -= 1;
                if entry.left == 0 { open.remove(&index) } else { None }
            };
            if let Some(Open { values, .. }) = whole {
                for &kernel in &kernels {
                    store.write(kernel, block, matrix(&values, kernel).view())?;
                }
                lock(&done).0 += 1;
            }
            let [rows, cols] = tile.shape().map(|side| side as u64);
            // Held while reporting, so that reports come in rising order.
            let mut done = lock(&done);
            done.1 += if mirrored { rows * (rows + 1) / 2 } else { rows * cols };
            control.report(Progress::Pairs { done: done.1, of });
            Ok(())
        };
        let no_thread =
            |index, source| GramError::Threads { index: index + 1, wanted: summary.threads, source };
        schedule::run(
            tiles_before[missing.len()],
            summary.threads,
            step,
            || control.is_cancelled(),
            no_thread,
        )?;
        let finished = lock(&done).0;
        if finished < summary.blocks {
            let place = Some(store.path().display().to_string());
            return Err(GramError::stopped(BackendError::Cancelled, [finished, summary.blocks], place));
        }
        Ok(store)
    }
}

impl fmt::Debug for ShardJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardJob")
            .field("backend", &self.backend)
            .field("store", &self.store.path())
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}

/// The tiles of a block.
fn cut(block: &Block, layout: &Layout, tile_shape: [usize; 2]) -> Vec<Tile> {
    match (layout.is_symmetric(), layout.is_diagonal(block)) {
        (_, true) => upper_triangle(block.rows.clone(), tile_shape),
        // Of one set pairs are computed with the earlier sample first, as everywhere.
        (true, false) => rectangle(block.cols.clone(), block.rows.clone(), tile_shape),
        (false, false) => rectangle(block.rows.clone(), block.cols.clone(), tile_shape),
    }
}

/// Writes a tile into its block: as it is, of one set its mirror image into a block below the
/// diagonal, and both into one on it.
fn place(into: &mut Kernels, block: &Block, tile: &Tile, found: &Kernels, layout: &Layout) {
    let put = |into: &mut Array2<f64>, values: &Array2<f64>| {
        let mut assign = |rows: &Range<usize>, cols: &Range<usize>, values: ArrayView2<'_, f64>| {
            let (top, left) = (rows.start - block.rows.start, cols.start - block.cols.start);
            into.slice_mut(s![top..top + rows.len(), left..left + cols.len()]).assign(&values);
        };
        if !layout.is_symmetric() || layout.is_diagonal(block) {
            assign(&tile.rows, &tile.cols, values.view());
        }
        if layout.is_symmetric() && !tile.is_diagonal() {
            assign(&tile.cols, &tile.rows, values.t());
        }
    };
    put(&mut into.nngp, &found.nngp);
    if let (Some(into), Some(values)) = (&mut into.ntk, &found.ntk) {
        put(into, values);
    }
}

/// Checks that float32 holds the values: that none is beyond the largest, and that
/// no sample's variance is among those that float32 has few bits for.
fn ensure_in_range(
    found: &Kernels,
    tile: &Tile,
    kernels: &[Kernel],
    has_variances: bool,
) -> Result<(), GramError> {
    /// 24 bits above the smallest number of full precision.
    const SMALLEST: f64 = f32::MIN_POSITIVE as f64 * (1 << 24) as f64;
    for &kernel in kernels {
        for ((i, j), &value) in matrix(found, kernel).indexed_iter() {
            let (row, col) = (tile.rows.start + i, tile.cols.start + j);
            let faint = has_variances && row == col && value != 0.0 && value.abs() < SMALLEST;
            if value.abs() > f64::from(f32::MAX) || faint {
                return Err(GramError::Range { kernel: kernel.name(), row, col, value });
            }
        }
    }
    Ok(())
}

fn matrix(kernels: &Kernels, kernel: Kernel) -> &Array2<f64> {
    match kernel {
        Kernel::Nngp => &kernels.nngp,
        Kernel::Ntk => kernels.ntk.as_ref().expect("`kinds` has both where the NTK is wanted"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
