//! The seam between a network and what computes its kernels.

use std::{
    fmt,
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
};

use ndarray::Array2;
use thiserror::Error;

use crate::{ArchError, Samples, SamplesError};

/// Something that computes kernels of one network: a CPU, a GPU, the literal reference.
pub trait Backend: Send + Sync {
    /// What computes, in words, with everything that can change a result: name, precision, instruction set or adapter.
    fn describe(&self) -> String;

    /// Does the work per sample once: checks the samples against the network's input, uploads, variance maps, each
    /// sample's value with itself where the head needs it.
    fn prepare<'a>(
        &'a self,
        pairs: Pairs<'a>,
        control: &Control,
    ) -> Result<Box<dyn Prepared + 'a>, BackendError>;
}

/// Prepared samples, ready for tiles.
pub trait Prepared: Send + Sync {
    /// Computes the kernel of samples `rows` of x1 against samples `cols` of x2.
    ///
    /// Every entry is bit for bit the same in whatever tile it is computed. In a symmetric session entry (j, i) is
    /// entry (i, j).
    fn tile(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        control: &Control,
    ) -> Result<Kernels, BackendError>;

    /// Rows and columns of a tile that keeps the device busy without holding up progress and cancelling.
    fn tile_shape(&self) -> [usize; 2];

    /// How many tiles may usefully be computed at the same time; the caller makes that many threads.
    fn concurrency(&self) -> usize;

    /// Bytes of memory the session holds, and bytes each tile computed at the same time adds.
    fn memory(&self) -> [u64; 2];
}

/// Which pairs a Gram matrix is made of.
#[derive(Clone, Copy, Debug)]
pub enum Pairs<'a> {
    /// All pairs of one set. Entry (i, i) is a sample with itself, which is what dropout asks about.
    Within(&'a Samples),
    /// Each sample of the first against each of the second; equal rows of the two are different draws to dropout.
    Cross(&'a Samples, &'a Samples),
}

/// Kernel values of a block of pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernels {
    /// The NNGP, shape (rows, cols).
    pub nngp: Array2<f64>,
    /// The NTK, shape (rows, cols), if it was asked for.
    pub ntk: Option<Array2<f64>>,
}

/// Stops long work and counts what is done. Shared between threads by reference.
#[derive(Default)]
pub struct Control {
    cancelled: AtomicBool,
    progress: Option<Box<dyn Fn(Progress) + Send + Sync>>,
}

/// What long work reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// So many samples, of so many, have been prepared.
    Prepared {
        /// Samples done.
        done: usize,
        /// Samples in all.
        of: usize,
    },
    /// So many pairs, of so many, have been computed.
    Pairs {
        /// Pairs done.
        done: u64,
        /// Pairs in all.
        of: u64,
    },
    /// So much of a tile under way has been computed. Sessions report it where a tile may take long, each of its own tile; the pairs
    /// of finished tiles are counted in [`Progress::Pairs`].
    Tile {
        /// Pairs, whole and in part: 0.25 is a quarter of a single pair.
        pairs: f64,
    },
}

/// What can go wrong in a backend.
#[derive(Debug, Error)]
pub enum BackendError {
    /// The samples do not fit the network, or the network the backend.
    #[error(transparent)]
    Arch(#[from] ArchError),
    /// The samples themselves are not fit for computing.
    #[error("{set}: {source}")]
    Samples {
        /// Which set: the first or the second.
        set: &'static str,
        /// What is wrong.
        source: SamplesError,
    },
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A kernel value is not finite: the network's kernel does not exist there, or overflows.
    #[error("the kernel of sample {row} and sample {col} is {value}: {reason}")]
    NotFinite {
        /// Index of the first sample.
        row: usize,
        /// Index of the second sample.
        col: usize,
        /// NaN or an infinity.
        value: f64,
        /// What would do.
        reason: String,
    },
    /// More memory is needed than there is.
    #[error(
        "{what} needs {needed} bytes of memory, more than the {available} bytes that are available; {remedy}"
    )]
    Memory {
        /// What needs it.
        what: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes available.
        available: u64,
        /// What would do.
        remedy: String,
    },
    /// The device failed.
    #[error("{device}: {problem}; {remedy}")]
    Device {
        /// Which device.
        device: String,
        /// What happened.
        problem: String,
        /// What would do.
        remedy: String,
    },
}

impl Pairs<'_> {
    /// The first set.
    pub fn first(&self) -> &Samples {
        match self {
            Pairs::Within(x) | Pairs::Cross(x, _) => x,
        }
    }

    /// The second set; the first again if symmetric.
    pub fn second(&self) -> &Samples {
        match self {
            Pairs::Within(x) | Pairs::Cross(_, x) => x,
        }
    }

    /// Whether both sets are one.
    pub fn is_symmetric(&self) -> bool {
        matches!(self, Pairs::Within(_))
    }

    /// Checks both sets against what a network reads.
    pub fn check(&self, input: &crate::Input) -> Result<(), BackendError> {
        let sets = [("the first samples", self.first()), ("the second samples", self.second())];
        for (set, samples) in sets.into_iter().take(if self.is_symmetric() { 1 } else { 2 }) {
            samples.validate().map_err(|source| BackendError::Samples { set, source })?;
            input.check(samples)?;
        }
        Ok(())
    }
}

impl Control {
    /// Nothing is reported.
    pub fn new() -> Control {
        Control::default()
    }

    /// Calls `progress` now and then, from any thread.
    pub fn with_progress(progress: impl Fn(Progress) + Send + Sync + 'static) -> Control {
        Control { cancelled: AtomicBool::new(false), progress: Some(Box::new(progress)) }
    }

    /// Asks the work to stop soon; it ends with [`BackendError::Cancelled`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the work was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// An error once the work was asked to stop; long loops call it every few milliseconds.
    pub fn check(&self) -> Result<(), BackendError> {
        if self.is_cancelled() { Err(BackendError::Cancelled) } else { Ok(()) }
    }

    /// Reports progress.
    pub fn report(&self, progress: Progress) {
        if let Some(callback) = &self.progress {
            callback(progress);
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("cancelled", &self.cancelled).finish_non_exhaustive()
    }
}
