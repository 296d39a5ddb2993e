//! A Gram matrix from samples to result.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ekernel_core::{Backend, BackendError, Control, KernelSet, Kernels, Pairs, Prepared, Progress};

use crate::{
    GramError, Grid, Identity, Memory, Options, Summary, TileStore,
    allowance::Allowance,
    assemble,
    identity::Unidentified,
    kept::{Fresh, Kept, Opened},
    memory, schedule,
    store::Found,
    stored::{Stored, memory_of_band},
};

/// A Gram matrix that is ready to be computed.
pub struct Job {
    backend: String,
    kinds: KernelSet,
    grid: Grid,
    memory: Memory,
    discarded: usize,
    work: Option<Work>,
    kept: Option<Kept>,
    /// Absent if it stays in the store.
    result: Option<Kernels>,
}

/// A Gram matrix that is ready to be computed into a store; it is never in memory as a whole.
pub struct Streaming {
    job: Job,
    kept: Kept,
}

/// What is left to do.
struct Work {
    session: Box<dyn Prepared>,
    /// Positions in the grid.
    missing: Vec<usize>,
    threads: usize,
}

/// Tiles of the store, before the samples are prepared.
struct Known {
    kept: Kept,
    grid: Grid,
    missing: Vec<usize>,
    discarded: usize,
}

/// Where a result goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Destination {
    Memory,
    Store,
}

/// Computes K\[i, j\] = k(x₁ᵢ, x₂ⱼ), shape (n₁, n₂), for all `pairs` and the kernels of `options`.
///
/// Reports [`Progress::Pairs`] before the first and after every tile, in rising order; tiles found
/// finished count as done, and what the session reports of a tile under way comes in between. For
/// what is known before the work begins, take [`Job::prepare`] and [`Job::run`] one after the
/// other.
///
/// # Errors
/// See [`GramError`]; of several failing tiles the first one's is returned.
pub fn gram(
    backend: &dyn Backend,
    pairs: Pairs,
    options: &Options,
    control: &Control,
) -> Result<Kernels, GramError> {
    Job::prepare(backend, pairs, options, control)?.run(control)
}

impl Job {
    /// Checks the options, the memory and the store, reads the tiles in it, and, if any are
    /// missing, prepares the samples.
    ///
    /// # Errors
    /// An empty set or an option of 0; a store that cannot be read or belongs to another
    /// computation; more memory or disk space needed than there is; whatever the backend says of
    /// the samples.
    pub fn prepare(
        backend: &dyn Backend,
        pairs: Pairs,
        options: &Options,
        control: &Control,
    ) -> Result<Job, GramError> {
        Job::new(backend, pairs, options, control, Destination::Memory)
    }

    fn new(
        backend: &dyn Backend,
        pairs: Pairs,
        options: &Options,
        control: &Control,
        destination: Destination,
    ) -> Result<Job, GramError> {
        check(&pairs, options)?;
        let (description, kinds) = (backend.describe(), options.kinds);
        let shape = [pairs.first().len(), pairs.second().len()];
        let allowance = Allowance::of(options);
        if destination == Destination::Memory {
            allowance.ensure(Memory::of_result(shape, kinds), shape)?;
        }

        // The store first: a run that is refused should not have prepared its samples in vain.
        let (kept, fresh) = match &options.store {
            Some(store) => open(Arc::clone(store), backend, &pairs, options, control)?,
            None => (None, None),
        };
        let mut result = match destination {
            Destination::Memory => Some(
                assemble::zeros(shape, kinds)
                    .ok_or_else(|| allowance.exceeded(Memory::of_result(shape, kinds), shape))?,
            ),
            Destination::Store => None,
        };
        let known = kept.map(|kept| {
            let grid = Grid::new(&pairs, kept.tile_shape());
            let (missing, discarded) = load(&grid, &kept, kinds, result.as_mut());
            Known { kept, grid, missing, discarded }
        });
        let memory_of = |session, grid: &Grid, threads: usize| Memory {
            result: match destination {
                Destination::Memory => Memory::of_result(shape, kinds).result,
                Destination::Store => memory_of_band(grid, kinds),
            },
            ..memory::of_work(session, grid.tile_shape(), kinds, threads.min(grid.tiles().len()))
        };
        let known = match known {
            Some(Known { kept, grid, missing, discarded }) if missing.is_empty() => {
                let memory = memory_of(None, &grid, 0);
                allowance.ensure(memory, shape)?;
                let backend = description;
                return Ok(Job {
                    backend,
                    kinds,
                    grid,
                    memory,
                    discarded,
                    work: None,
                    kept: Some(kept),
                    result,
                });
            }
            Some(known) => {
                known.kept.ensure_room(&known.grid, &known.missing, kinds)?;
                Some(known)
            }
            None => None,
        };

        let session = backend.prepare(pairs.clone(), control).map_err(|error| {
            let (done, of) = known.as_ref().map_or((0, 0), |known| {
                let of = known.grid.tiles().len();
                (of - known.missing.len(), of)
            });
            GramError::stopped(error, [done, of], known.as_ref().map(|known| known.kept.place()))
        })?;
        let (grid, missing, discarded, kept) = match known {
            Some(Known { kept, grid, missing, discarded }) => (grid, missing, discarded, Some(kept)),
            None => {
                let grid = Grid::new(&pairs, options.tile_shape.unwrap_or_else(|| session.tile_shape()));
                let all = (0..grid.tiles().len()).collect();
                (grid, all, 0, None)
            }
        };
        let threads = options.threads.unwrap_or_else(|| session.concurrency()).clamp(1, missing.len());
        let threads = schedule::at_most(threads);
        let memory = memory_of(Some(&*session), &grid, threads);
        allowance.ensure(memory, shape)?;
        let kept = match fresh {
            Some(fresh) => {
                let kept = fresh.with_tiles(grid.tile_shape())?;
                kept.ensure_room(&grid, &missing, kinds)?;
                Some(kept)
            }
            None => kept,
        };
        let work = Some(Work { session, missing, threads });
        Ok(Job { backend: description, kinds, grid, memory, discarded, work, kept, result })
    }

    /// What the job will do and take.
    pub fn summary(&self) -> Summary {
        let tiles = self.grid.tiles().len();
        let (missing, threads) = self.work.as_ref().map_or((0, 0), |work| (work.missing.len(), work.threads));
        Summary {
            shape: self.grid.shape(),
            pairs: self.grid.pairs(),
            tile_shape: self.grid.tile_shape(),
            tiles,
            finished: tiles - missing,
            discarded: self.discarded,
            threads,
            memory: self.memory,
        }
    }

    /// Computes the missing tiles and returns the whole Gram matrix.
    ///
    /// # Errors
    /// A tile that fails, is not finite, or cannot be kept; cancelled. Tiles finished before that
    /// stay in the store.
    pub fn run(mut self, control: &Control) -> Result<Kernels, GramError> {
        let [rows, _] = self.grid.shape();
        let result = self
            .result
            .take()
            .expect("only the job of a stream has no result, and that is not run by itself");
        let result = Mutex::new(result);
        self.compute(control, |grid, index, kernels| {
            let tile = &grid.tiles()[index];
            assemble::place(&mut lock(&result), &(0..rows), tile, kernels, grid.is_mirrored(tile));
        })?;
        Ok(result.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Computes the missing tiles, keeps them and hands them to `take`.
    fn compute(
        &mut self,
        control: &Control,
        take: impl Fn(&Grid, usize, &Kernels) + schedule::AcrossThreads,
    ) -> Result<(), GramError> {
        let Job { backend, kinds, grid, work, kept, .. } = self;
        let of = grid.pairs();
        let Some(Work { session, missing, threads }) = work.take() else {
            control.report(Progress::Pairs { done: of, of });
            return Ok(());
        };
        let tiles = grid.tiles();
        let left: u64 = missing.iter().map(|&index| grid.pairs_of(&tiles[index])).sum();
        control.report(Progress::Pairs { done: of - left, of });

        let done = Mutex::new(Done { tiles: tiles.len() - missing.len(), pairs: of - left });
        let step = |position: usize| {
            let index = missing[position];
            let tile = &tiles[index];
            let kernels = match session.tile(tile.rows.clone(), tile.cols.clone(), control) {
                Ok(kernels) => kernels,
                // Not a failure: the count of finished tiles shows it, and a failure of another
                // tile matters more.
                Err(BackendError::Cancelled) => return Ok(()),
                Err(error) => return Err(GramError::Backend(error)),
            };
            assemble::check(&kernels, tile, *kinds, backend)?;
            if let Some(kept) = &kept {
                kept.save(index, tile, &kernels)?;
            }
            take(grid, index, &kernels);
            // Held while reporting, so that reports come in rising order.
            let mut done = lock(&done);
            done.tiles += 1;
            done.pairs += grid.pairs_of(tile);
            control.report(Progress::Pairs { done: done.pairs, of });
            Ok(())
        };
        let no_thread = |index, source| GramError::Threads { index: index + 1, wanted: threads, source };
        schedule::run(missing.len(), threads, step, || control.is_cancelled(), no_thread)?;
        let finished = lock(&done).tiles;
        if finished < tiles.len() {
            let store = kept.as_ref().map(Kept::place);
            return Err(GramError::stopped(BackendError::Cancelled, [finished, tiles.len()], store));
        }
        Ok(())
    }
}

impl Streaming {
    /// The same as [`Job::prepare`] for a result that stays in `store`.
    ///
    /// # Errors
    /// As [`Job::prepare`].
    pub fn prepare(
        backend: &dyn Backend,
        pairs: Pairs,
        store: Arc<dyn TileStore>,
        options: &Options,
        control: &Control,
    ) -> Result<Streaming, GramError> {
        let options = Options { store: Some(store), ..options.clone() };
        let job = Job::new(backend, pairs, &options, control, Destination::Store)?;
        let kept = job.kept.clone().expect("a job with a store keeps its tiles there");
        Ok(Streaming { job, kept })
    }

    /// What the job will do and take.
    pub fn summary(&self) -> Summary {
        self.job.summary()
    }

    /// Computes the missing tiles and keeps them.
    ///
    /// # Errors
    /// As [`Job::run`].
    pub fn run(mut self, control: &Control) -> Result<Stored, GramError> {
        self.job.compute(control, |_, _, _| {})?;
        Ok(Stored::new(self.kept, self.job.grid, self.job.kinds))
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("backend", &self.backend)
            .field("summary", &self.summary())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Streaming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Streaming").field(&self.job).finish()
    }
}

struct Done {
    tiles: usize,
    pairs: u64,
}

fn check(pairs: &Pairs, options: &Options) -> Result<(), GramError> {
    for (set, samples) in [("first", pairs.first()), ("second", pairs.second())] {
        if samples.is_empty() {
            return Err(GramError::Empty { set });
        }
    }
    if options.threads == Some(0) {
        return Err(GramError::Zero { option: "the number of threads" });
    }
    match options.tile_shape {
        Some([0, _]) => Err(GramError::Zero { option: "the number of rows of a tile" }),
        Some([_, 0]) => Err(GramError::Zero { option: "the number of columns of a tile" }),
        _ => Ok(()),
    }
}

/// Checks that a store belongs to this computation; it has a manifest or is fresh.
fn open(
    store: Arc<dyn TileStore>,
    backend: &dyn Backend,
    pairs: &Pairs,
    options: &Options,
    control: &Control,
) -> Result<(Option<Kept>, Option<Fresh>), GramError> {
    let identity = Identity::new(backend, pairs, control)
        .map_err(|error| GramError::stopped(error, [0, 0], None))?
        .map_err(|Unidentified| GramError::Unidentified { backend: backend.describe() })?;
    let tile_shape = options.tile_shape.map(|shape| Grid::new(pairs, shape).tile_shape());
    match Opened::new(store, identity, tile_shape)? {
        Opened::Stored(kept) => Ok((Some(kept), None)),
        Opened::Fresh(fresh) => {
            fresh.ensure_room(Grid::new(pairs, [usize::MAX; 2]).pairs(), options.kinds)?;
            Ok((None, Some(fresh)))
        }
    }
}

/// Looks for the finished tiles of a store and puts them into `result`, if there is one; returns
/// the positions of the others and how many were damaged.
fn load(grid: &Grid, kept: &Kept, kinds: KernelSet, mut result: Option<&mut Kernels>) -> (Vec<usize>, usize) {
    let all = 0..grid.shape()[0];
    let mut missing = Vec::new();
    let mut damaged = 0;
    for (index, tile) in grid.tiles().iter().enumerate() {
        match kept.load(index, tile, kinds) {
            Found::Whole(kernels) => {
                if let Some(result) = &mut result {
                    assemble::place(result, &all, tile, &kernels, grid.is_mirrored(tile));
                }
            }
            Found::Damaged => {
                damaged += 1;
                missing.push(index);
            }
            Found::Missing => missing.push(index),
        }
    }
    (missing, damaged)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
