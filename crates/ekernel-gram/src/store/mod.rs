//! Where finished tiles are kept.

#[cfg(feature = "fs")]
mod folder;
mod manifest;
mod memory;
mod tile_bytes;
mod tile_store;

#[cfg(feature = "fs")]
pub use folder::FolderStore;
pub(crate) use manifest::{Manifest, Unreadable};
pub use memory::MemoryStore;
pub(crate) use tile_bytes::{Found, decode, encode, size};
pub use tile_store::{Item, Room, Shared, TileStore};
