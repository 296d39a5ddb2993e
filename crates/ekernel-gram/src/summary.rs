//! What a job will do.

use crate::Memory;

/// What a [`Job`](crate::Job) will do.
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
    /// Tiles found finished in the store.
    pub finished: usize,
    /// Tiles found damaged in the store; they are computed anew.
    pub discarded: usize,
    /// Tiles computed at the same time; 0 if none are left.
    pub threads: usize,
    /// What it takes.
    pub memory: Memory,
}
