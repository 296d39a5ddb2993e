//! Gram matrices, tile by tile, over any [`Backend`](ekernel_core::Backend).
//!
//! A Gram matrix is K\[i, j\] = k(x₁ᵢ, x₂ⱼ), shape (n₁, n₂), one for each of
//! [`KernelSet`](ekernel_core::KernelSet). [`gram`] cuts it into tiles, computes them on as many
//! threads as the backend can use and puts them together:
//!
//! - The result is bit for bit the same for every tile shape and number of threads; of a set with
//!   itself each pair is computed once and mirrored.
//! - [`Job::summary`] says how much memory the work takes. A job that needs more than there is
//!   returns an error before it begins.
//! - [`Control`](ekernel_core::Control) hears of progress in pairs, also within a tile where a
//!   backend reports it; [`Pace`] makes a rate and the time left of it. Cancelling stops within a
//!   tile.
//! - A [`TileStore`] keeps finished tiles: a [`FolderStore`] on disk, a [`MemoryStore`], or one's
//!   own. A run that was killed goes on from there and ends with the same bytes. A store of another
//!   computation is refused, and the error says what differs: the network, the numerics of the
//!   backend, the samples. NNGP tiles are read from a store of both kernels.
//! - A [`Streaming`] job leaves the result in its store and never holds it whole: [`Stored::bands`]
//!   reads it some rows at a time.
//! - A [`ShardJob`] computes a part of a large matrix into a [`ZarrStore`], which many processes fill
//!   without knowing of each other.
//!
//! Features, all on by default: `fs` has the folder of tiles and the Zarr store, `system` asks how much memory is
//! free, `threads` computes several tiles at a time. Without them the crate builds for WebAssembly.

mod allowance;
mod assemble;
mod error;
mod grid;
mod identity;
mod job;
mod kept;
mod memory;
mod options;
mod pace;
mod schedule;
mod store;
mod stored;
mod summary;
#[cfg(feature = "fs")]
mod zarr;

pub use error::GramError;
pub use grid::{Grid, Tile};
pub use identity::{Difference, Identity, describe_samples};
pub use job::{Job, Streaming, gram};
pub use memory::{Memory, estimate};
pub use options::Options;
pub use pace::{Pace, Reached, Speed};
#[cfg(feature = "fs")]
pub use store::FolderStore;
pub use store::{Item, MemoryStore, Room, Shared, TileStore};
pub use stored::{Band, Stored};
pub use summary::Summary;
#[cfg(feature = "fs")]
pub use zarr::{
    Block, Division, Element, Kernel, Layout, Shard, ShardJob, ShardSummary, Status, ZarrOptions, ZarrStore,
};
