//! What can keep a Gram matrix from being computed.

use std::{io, path::PathBuf};

use ekernel_core::{BackendError, Bytes};
use thiserror::Error;

use crate::{identity::Difference, memory::Memory, store::Room};

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
    #[error("cancelled {}; {}", when(*done, *of), kept(store))]
    Cancelled {
        /// Tiles that are finished.
        done: usize,
        /// Tiles in all; 0 if the work had not come to tiles yet.
        of: usize,
        /// Where the finished tiles are kept, if anywhere.
        store: Option<String>,
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
        "the Gram matrix of {rows} × {cols} pairs needs {memory}, more than the {} {reason}; compute fewer samples at a \
         time, ask for the NNGP alone, use smaller tiles or fewer threads, or raise the limit",
        Bytes(*available)
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
        /// What the limit is: `that may be used`, `free on this machine`.
        reason: &'static str,
    },
    /// The allocator has no room.
    #[error("the system refuses the {} of memory for {what}; end other programs or raise the limit", Bytes(*needed))]
    Allocation {
        /// What needs it.
        what: &'static str,
        /// Bytes needed.
        needed: u64,
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
    /// The store cannot be read or written.
    #[error("cannot {action} {place}: {source}; {remedy}")]
    Store {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        place: String,
        /// What the system said.
        source: io::Error,
        /// What would do.
        remedy: &'static str,
    },
    /// The disk of the store would be full before all tiles are kept.
    #[error(
        "the tiles of this Gram matrix take {} in {store}, where {} are free{}; make room, or give a folder on another \
         disk",
        Bytes(*needed),
        Bytes(room.free),
        reserved(*room)
    )]
    Room {
        /// The store.
        store: String,
        /// Bytes that will be written.
        needed: u64,
        /// Bytes that may be.
        room: Room,
    },
    /// A backend whose tiles cannot be kept.
    #[error(
        "the backend \"{backend}\" does not say which network it computes, so its tiles cannot be kept: it needs a plan, \
         or a fact `network` among its numerics"
    )]
    Unidentified {
        /// The backend's description.
        backend: String,
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
    /// The folder of a Zarr store is a folder of something else.
    #[error(
        "{} is not a store of kernels: it has no zarr.json but holds \"{found}\"; give a new or an empty folder",
        folder.display()
    )]
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// A file in it.
        found: String,
    },
    /// A kernel value that float32 does not hold.
    #[error(
        "the {kernel} of sample {row} of the first set and sample {col} of the second is {value:e}, which float32 does \
         not hold; compute in f64, whose store has float64, or rescale the samples"
    )]
    Range {
        /// Which kernel: nngp or ntk.
        kernel: &'static str,
        /// Index into the first set.
        row: usize,
        /// Index into the second set.
        col: usize,
        /// Its value.
        value: f64,
    },
    /// The manifest of a store cannot be understood.
    #[error(
        "{place} is damaged ({problem}), so its tiles cannot be trusted; give another folder, or delete this one"
    )]
    Manifest {
        /// The manifest.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Another version of ekernel wrote the store.
    #[error(
        "{store} was written by another version of ekernel (format {format}), which does not say all that this one \
         compares; finish it with that version, give another folder, or delete this one"
    )]
    Format {
        /// The store.
        store: String,
        /// The format of its manifest.
        format: u64,
    },
    /// The store belongs to another computation.
    #[error(
        "{store} holds tiles of another computation: {}; give another folder, or delete this one",
        listed(differences)
    )]
    Differs {
        /// The store.
        store: String,
        /// Everything that differs.
        differences: Vec<Difference>,
    },
}

impl GramError {
    /// What an error of the backend is to a job of which `done` tiles are finished.
    pub(crate) fn stopped(error: BackendError, [done, of]: [usize; 2], store: Option<String>) -> GramError {
        match error {
            BackendError::Cancelled => GramError::Cancelled { done, of, store },
            other => GramError::Backend(other),
        }
    }
}

fn listed(differences: &[Difference]) -> String {
    differences.iter().map(Difference::to_string).collect::<Vec<_>>().join("; ")
}

fn reserved(room: Room) -> String {
    if room.reserved == 0 {
        return String::new();
    }
    format!(", {} of them for the result", Bytes(room.reserved))
}

fn when(done: usize, of: usize) -> String {
    if of == 0 { "before the first tile".to_owned() } else { format!("after {done} of {of} tiles") }
}

fn kept(store: &Option<String>) -> String {
    match store {
        Some(store) => {
            format!("the finished tiles are kept in {store}: the same run goes on from there")
        }
        None => "nothing is kept: a resume folder would keep the finished tiles".to_owned(),
    }
}
