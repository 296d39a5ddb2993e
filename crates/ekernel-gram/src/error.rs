//! What can keep a Gram matrix from being computed.

use std::{fmt, io, path::PathBuf};

use ekernel_core::{BackendError, Bytes};
use ekernel_system::memory::Limit;
use thiserror::Error;

use crate::memory::Memory;

/// Why there is no Gram matrix.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GramError {
    /// A set without samples.
    #[error("the {set} samples are empty; a Gram matrix needs at least one sample on each side")]
    Empty {
        /// Which set: first or second.
        set: &'static str,
    },
    /// An option that must be at least 1.
    #[error("{option} is 0; it must be at least 1, or left to the backend")]
    Zero {
        /// Which option.
        option: &'static str,
    },
    /// The backend refused or failed.
    #[error(transparent)]
    Backend(BackendError),
    /// The work was cancelled.
    #[error("cancelled {}; {}", when(*done, *of), kept(folder))]
    Cancelled {
        /// Tiles that are finished.
        done: usize,
        /// Tiles in all; 0 if the work had not come to tiles yet.
        of: usize,
        /// The folder that keeps the finished tiles, if there is one.
        folder: Option<PathBuf>,
    },
    /// A kernel value that is NaN or infinite.
    #[error(
        "the {kernel} of sample {row} of the first set and sample {col} of the second is {value}; look at these two \
         samples (all-zero or very large ones have no finite kernel under some layers), or compute in f64"
    )]
    NotFinite {
        /// Which kernel: NNGP or NTK.
        kernel: &'static str,
        /// Index into the first set.
        row: usize,
        /// Index into the second set; in a symmetric Gram matrix both are the one set.
        col: usize,
        /// NaN or an infinity.
        value: f64,
    },
    /// More memory is needed than there is.
    #[error(
        "the Gram matrix of {rows} × {cols} pairs needs {memory}, more than the {} {}; compute fewer samples at a time, \
         ask for the NNGP alone, use smaller tiles or fewer threads, or raise the limit",
        Bytes(*available),
        limit.map_or_else(|| "that may be used".to_owned(), |limit| format!("that are {limit}"))
    )]
    Memory {
        /// Samples of the first set.
        rows: usize,
        /// Samples of the second set.
        cols: usize,
        /// What is needed.
        memory: Memory,
        /// Bytes that may be used.
        available: u64,
        /// What keeps this process from using more; absent if the caller set the limit.
        limit: Option<Limit>,
    },
    /// The backend broke the promises of [`Prepared`](ekernel_core::Prepared).
    #[error(
        "the backend \"{backend}\" returned {found} where {needed} was due; this is a bug of the backend: report it"
    )]
    Contract {
        /// The backend's description.
        backend: String,
        /// What it returned.
        found: String,
        /// What it should have returned.
        needed: String,
    },
    /// The operating system gave no thread.
    #[error("thread {index} of {wanted} could not be started: {source}; ask for fewer threads")]
    Threads {
        /// Which thread, from 1.
        index: usize,
        /// Threads wanted.
        wanted: usize,
        /// What the system said.
        source: io::Error,
    },
    /// The resume folder cannot be read or written.
    #[error("cannot {action} {}: {source}; {remedy}", path.display())]
    Store {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
        /// What would do.
        remedy: &'static str,
    },
    /// Another run writes the resume folder.
    #[error(
        "another run is writing the resume folder {}; wait until it ends, or give this run another folder",
        folder.display()
    )]
    Locked {
        /// The resume folder.
        folder: PathBuf,
    },
    /// The resume folder is a folder of something else.
    #[error(
        "{} is not a resume folder: it has no manifest.json but holds \"{found}\"; give a new or an empty folder",
        folder.display()
    )]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// A file in it.
        found: String,
    },
    /// The manifest of the resume folder cannot be understood.
    #[error(
        "{} is damaged ({problem}), so its tiles cannot be trusted; give another folder, or delete this one",
        path.display()
    )]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The resume folder belongs to another computation.
    #[error(
        "the resume folder {} holds tiles of another computation: {}; give another folder, or delete this one",
        folder.display(),
        listed(differences)
    )]
    Differs {
        /// The resume folder.
        folder: PathBuf,
        /// Everything that differs.
        differences: Vec<Difference>,
    },
}

/// One thing in which a resume folder and this run differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs: version, architecture, kernels, backend, first samples, second samples, tile shape.
    pub what: String,
    /// Its value in the folder.
    pub stored: String,
    /// Its value in this run.
    pub now: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} there is {}, here {}", self.what, self.stored, self.now)
    }
}

fn listed(differences: &[Difference]) -> String {
    differences.iter().map(Difference::to_string).collect::<Vec<_>>().join("; ")
}

fn when(done: usize, of: usize) -> String {
    if of == 0 { "before the first tile".to_owned() } else { format!("after {done} of {of} tiles") }
}

fn kept(folder: &Option<PathBuf>) -> String {
    match folder {
        Some(folder) => format!(
            "the finished tiles are kept in {}: the same run with the same folder goes on from there",
            folder.display()
        ),
        None => "nothing is kept: a resume folder would keep the finished tiles".to_owned(),
    }
}
