//! Gram matrices in a Zarr store, which many processes fill without knowing of each other.

mod header;
mod job;
mod layout;
mod object;
mod shard;
mod store;

pub use header::{Element, Kernel};
pub use job::{ShardJob, ShardSummary, ZarrOptions};
pub use layout::{Block, Layout};
pub use shard::{Division, Shard};
pub use store::{Status, ZarrStore};
