//! A Gram matrix from samples to result.

use std::{
    fmt,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ekernel_core::{Backend, BackendError, Control, KernelSet, Kernels, Pairs, Prepared, Progress};
use ekernel_system::memory::{Available, Limit, available};
use ndarray::{Array2, s};

use crate::{
    GramError, Grid, Memory, Tile, estimate,
    resume::{Computation, Folder, Found, Opened},
    schedule,
};

/// How a Gram matrix is computed. None of it changes a bit of the result.
#[derive(Clone, Debug)]
pub struct Options {
    /// The kernels that the backend was made for.
    pub kinds: KernelSet,
    /// Rows and columns of a tile; absent: those of the resume folder or else of the backend.
    pub tile_shape: Option<[usize; 2]>,
    /// Tiles computed at the same time; absent: as many as the backend can use.
    pub threads: Option<usize>,
    /// Bytes of memory that may be used; absent: what the system says is available.
    pub memory_limit: Option<u64>,
    /// Keeps finished tiles in a folder and goes on from those that are there.
    pub resume: Option<Resume>,
}

/// A folder of finished tiles.
#[derive(Clone, Debug)]
pub struct Resume {
    /// Where; it is made if it is not there.
    pub folder: PathBuf,
    /// The architecture that the backend computes, as text. It is compared line by line: give the canonical form
    /// rather than a user's file, so that comments and blank lines do not count.
    pub architecture: String,
}

/// A Gram matrix that is ready to be computed.
pub struct Job {
    backend: String,
    kinds: KernelSet,
    grid: Grid,
    memory: Memory,
    discarded: usize,
    work: Option<Work>,
    folder: Option<Folder>,
    result: Kernels,
}

/// What is left to do.
struct Work {
    session: Box<dyn Prepared>,
    /// Positions in the grid.
    missing: Vec<usize>,
    threads: usize,
}

/// What a [`Job`] will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Shape of the Gram matrix.
    pub shape: [usize; 2],
    /// Number of different pairs.
    pub pairs: u64,
    /// The largest shape of a tile.
    pub tile_shape: [usize; 2],
    /// Number of tiles.
    pub tiles: usize,
    /// Tiles found finished in the resume folder.
    pub finished: usize,
    /// Tiles found damaged in the resume folder; they are computed anew.
    pub discarded: usize,
    /// Tiles computed at the same time; 0 if none are left.
    pub threads: usize,
    /// What it takes.
    pub memory: Memory,
}

/// Computes K\[i, j\] = k(x₁ᵢ, x₂ⱼ), shape (n₁, n₂), for all `pairs` and the kernels of `options`.
///
/// Reports [`Progress::Pairs`] before the first and after every tile, in rising order; tiles found finished count as
/// done, and what the session tells of a tile under way comes in between. For what is known before the work begins, take [`Job::prepare`] and [`Job::run`] one after the other.
///
/// Errors: see [`GramError`]; of several failing tiles the first one's is returned.
pub fn gram(
    backend: &dyn Backend,
    pairs: Pairs,
    options: &Options,
    control: &Control,
) -> Result<Kernels, GramError> {
    Job::prepare(backend, pairs, options, control)?.run(control)
}

impl Options {
    /// Everything left to the backend and the system; nothing is kept.
    pub fn new(kinds: KernelSet) -> Options {
        Options { kinds, tile_shape: None, threads: None, memory_limit: None, resume: None }
    }
}

impl Job {
    /// Checks the options and the memory, opens the resume folder and reads the tiles in it, and, if any are missing,
    /// prepares the samples.
    ///
    /// Errors: an empty set or an option of 0; a folder that cannot be written, is in use, or belongs to another
    /// computation; more memory needed than there is; whatever the backend says of the samples.
    pub fn prepare(
        backend: &dyn Backend,
        pairs: Pairs,
        options: &Options,
        control: &Control,
    ) -> Result<Job, GramError> {
        check(&pairs, options)?;
        let description = backend.describe();
        let kinds = options.kinds;
        let shape = [pairs.first().len(), pairs.second().len()];
        let limit = Allowed::of(options);
        limit.ensure(Memory::of_result(shape, kinds), shape)?;

        // The folder first: a run that is refused should not have prepared its samples in vain.
        let opened = match &options.resume {
            Some(resume) => {
                let computation =
                    Computation::new(&resume.architecture, kinds, &description, &pairs, control)
                        .map_err(|error| stopped(error, 0, 0, None))?;
                let tile_shape = options.tile_shape.map(|shape| Grid::new(&pairs, shape).tile_shape());
                Some(Opened::new(&resume.folder, computation, tile_shape)?)
            }
            None => None,
        };
        let mut result =
            zeros(shape, kinds).ok_or_else(|| limit.exceeded(Memory::of_result(shape, kinds), shape))?;
        let (stored, fresh) = match opened {
            Some(Opened::Stored(folder)) => (Some(folder), None),
            Some(Opened::Fresh(folder)) => (None, Some(folder)),
            None => (None, None),
        };
        let known = stored.as_ref().map(|folder| {
            let grid = Grid::new(&pairs, folder.tile_shape());
            let (missing, discarded) = load(&grid, folder, kinds, &mut result);
            (grid, missing, discarded)
        });
        if let Some((grid, missing, discarded)) = &known
            && missing.is_empty()
        {
            return Ok(Job {
                backend: description,
                kinds,
                grid: grid.clone(),
                memory: Memory::of_result(shape, kinds),
                discarded: *discarded,
                work: None,
                folder: stored,
                result,
            });
        }

        let session = backend.prepare(pairs.clone(), control).map_err(|error| {
            let (done, of) = known.as_ref().map_or((0, 0), |(grid, missing, _)| {
                (grid.tiles().len() - missing.len(), grid.tiles().len())
            });
            stopped(error, done, of, stored.as_ref())
        })?;
        let (grid, missing, discarded) = known.unwrap_or_else(|| {
            let grid = Grid::new(&pairs, options.tile_shape.unwrap_or_else(|| session.tile_shape()));
            let all = (0..grid.tiles().len()).collect();
            (grid, all, 0)
        });
        let threads = options.threads.unwrap_or_else(|| session.concurrency()).clamp(1, missing.len());
        let memory = estimate(&*session, &grid, kinds, threads);
        limit.ensure(memory, shape)?;
        let folder = match fresh {
            Some(fresh) => Some(fresh.with_tiles(grid.tile_shape())?),
            None => stored,
        };
        let work = Some(Work { session, missing, threads });
        Ok(Job { backend: description, kinds, grid, memory, discarded, work, folder, result })
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
    /// Errors: a tile that fails, is not finite, or cannot be kept; cancelled. Tiles finished before that stay in the
    /// resume folder.
    pub fn run(self, control: &Control) -> Result<Kernels, GramError> {
        let Job { backend, kinds, grid, work, folder, result, .. } = self;
        let of = grid.pairs();
        let Some(Work { session, missing, threads }) = work else {
            control.report(Progress::Pairs { done: of, of });
            return Ok(result);
        };
        let tiles = grid.tiles();
        let left: u64 = missing.iter().map(|&index| grid.pairs_of(&tiles[index])).sum();
        control.report(Progress::Pairs { done: of - left, of });

        let result = Mutex::new(result);
        let done = Mutex::new(Done { tiles: tiles.len() - missing.len(), pairs: of - left });
        let step = |position: usize| {
            let index = missing[position];
            let tile = &tiles[index];
            let kernels = match session.tile(tile.rows.clone(), tile.cols.clone(), control) {
                Ok(kernels) => kernels,
                // Not a failure: the count of finished tiles tells, and a failure of another tile matters more.
                Err(BackendError::Cancelled) => return Ok(()),
                Err(error) => return Err(GramError::Backend(error)),
            };
            check_tile(&kernels, tile, kinds, &backend)?;
            if let Some(folder) = &folder {
                folder.save(index, tile, &kernels)?;
            }
            place(&mut lock(&result), tile, &kernels, grid.is_symmetric());
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
            return Err(stopped(BackendError::Cancelled, finished, tiles.len(), folder.as_ref()));
        }
        Ok(result.into_inner().unwrap_or_else(PoisonError::into_inner))
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

/// The memory that may be used.
#[derive(Clone, Copy)]
struct Allowed {
    bytes: u64,
    limit: Option<Limit>,
}

impl Allowed {
    fn of(options: &Options) -> Allowed {
        match (options.memory_limit, available()) {
            (Some(bytes), _) => Allowed { bytes, limit: None },
            (None, Some(Available { bytes, limit })) => Allowed { bytes, limit: Some(limit) },
            (None, None) => Allowed { bytes: isize::MAX as u64, limit: None },
        }
    }

    fn ensure(self, memory: Memory, shape: [usize; 2]) -> Result<(), GramError> {
        if memory.total() > self.bytes { Err(self.exceeded(memory, shape)) } else { Ok(()) }
    }

    fn exceeded(self, memory: Memory, [rows, cols]: [usize; 2]) -> GramError {
        GramError::Memory { rows, cols, memory, available: self.bytes, limit: self.limit }
    }
}

fn stopped(error: BackendError, done: usize, of: usize, folder: Option<&Folder>) -> GramError {
    match error {
        BackendError::Cancelled => {
            GramError::Cancelled { done, of, folder: folder.map(|folder| folder.path().to_owned()) }
        }
        other => GramError::Backend(other),
    }
}

/// Zeros of the shape of the result; `None` where the allocator has no room for them.
fn zeros([rows, cols]: [usize; 2], kinds: KernelSet) -> Option<Kernels> {
    let matrix = || {
        let entries = rows.checked_mul(cols)?;
        let mut values = Vec::new();
        values.try_reserve_exact(entries).ok()?;
        values.resize(entries, 0.0);
        Array2::from_shape_vec((rows, cols), values).ok()
    };
    let ntk = match kinds {
        KernelSet::Nngp => None,
        KernelSet::Both => Some(matrix()?),
    };
    Some(Kernels { nngp: matrix()?, ntk })
}

/// Puts the finished tiles of `folder` into `result`; returns the positions of the others and how many were damaged.
fn load(grid: &Grid, folder: &Folder, kinds: KernelSet, result: &mut Kernels) -> (Vec<usize>, usize) {
    let mut missing = Vec::new();
    let mut damaged = 0;
    for (index, tile) in grid.tiles().iter().enumerate() {
        match folder.load(index, tile, kinds) {
            Found::Whole(kernels) => place(result, tile, &kernels, grid.is_symmetric()),
            Found::Damaged => {
                damaged += 1;
                missing.push(index);
            }
            Found::Missing => missing.push(index),
        }
    }
    (missing, damaged)
}

fn check_tile(kernels: &Kernels, tile: &Tile, kinds: KernelSet, backend: &str) -> Result<(), GramError> {
    let named = [("NNGP", Some(&kernels.nngp)), ("NTK", kernels.ntk.as_ref())];
    let found = named.map(|(_, kernel)| kernel.map(Array2::dim));
    let dim = (tile.rows.len(), tile.cols.len());
    let needed = [Some(dim), (kinds == KernelSet::Both).then_some(dim)];
    if found != needed {
        let words = |[nngp, ntk]: [Option<(usize, usize)>; 2]| {
            let words =
                |dim: Option<_>| dim.map_or("none".to_owned(), |(rows, cols)| format!("{rows} × {cols}"));
            format!("a tile with NNGP {} and NTK {}", words(nngp), words(ntk))
        };
        return Err(GramError::Contract {
            backend: backend.to_owned(),
            found: words(found),
            needed: words(needed),
        });
    }
    for (kernel, values) in named {
        for ((i, j), &value) in values.into_iter().flat_map(|values| values.indexed_iter()) {
            if !value.is_finite() {
                let (row, col) = (tile.rows.start + i, tile.cols.start + j);
                return Err(GramError::NotFinite { kernel, row, col, value });
            }
        }
    }
    Ok(())
}

/// Writes a tile into the result and, above the diagonal of a symmetric one, its mirror image.
fn place(result: &mut Kernels, tile: &Tile, kernels: &Kernels, symmetric: bool) {
    let mirrored = symmetric && !tile.is_diagonal();
    let put = |result: &mut Array2<f64>, values: &Array2<f64>| {
        result.slice_mut(s![tile.rows.clone(), tile.cols.clone()]).assign(values);
        if mirrored {
            result.slice_mut(s![tile.cols.clone(), tile.rows.clone()]).assign(&values.t());
        }
    };
    put(&mut result.nngp, &kernels.nngp);
    if let (Some(result), Some(values)) = (&mut result.ntk, &kernels.ntk) {
        put(result, values);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
