//! How a Gram matrix is computed.

use std::sync::Arc;

use ekernel_core::KernelSet;

use crate::store::TileStore;

/// How a Gram matrix is computed. None of it changes a bit of the result.
#[derive(Clone, Debug)]
pub struct Options {
    /// The kernels that the backend was made for.
    pub kinds: KernelSet,
    /// Rows and columns of a tile; absent: those of the store or else of the backend.
    pub tile_shape: Option<[usize; 2]>,
    /// Tiles computed at the same time; absent: as many as the backend can use.
    pub threads: Option<usize>,
    /// Bytes of memory that may be used; absent: what the system says is available.
    pub memory_limit: Option<u64>,
    /// Keeps finished tiles, and has those of earlier runs.
    pub store: Option<Arc<dyn TileStore>>,
}

impl Options {
    /// Everything left to the backend and the system; nothing is kept.
    pub fn new(kinds: KernelSet) -> Options {
        Options { kinds, tile_shape: None, threads: None, memory_limit: None, store: None }
    }
}
