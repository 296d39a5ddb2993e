//! What a store of tiles does.

use std::{fmt, io};

/// Keeps finished tiles of one Gram matrix, so that a run that was killed goes on from there.
///
/// A store keeps a few named pieces of bytes; what they mean, whether they belong to this
/// computation and whether they are damaged is checked in one place for all stores.
pub trait TileStore: fmt::Debug + Shared {
    /// Where an item is, or the store itself, in words for people.
    fn place(&self, item: Option<Item>) -> String;

    /// The bytes of an item; `None` if it was never written.
    ///
    /// # Errors
    /// What the system says. A tile that cannot be read is computed anew.
    fn read(&self, item: Item) -> io::Result<Option<Vec<u8>>>;

    /// Writes an item, in place of what it was. Whatever happens, the item is afterwards there
    /// whole, as it was before or as it is now. Tiles are written by several threads.
    ///
    /// # Errors
    /// What the system says.
    fn write(&self, item: Item, bytes: &[u8]) -> io::Result<()>;

    /// What may still be written; `None` if that is not known.
    fn room(&self) -> Option<Room> {
        None
    }
}

/// A piece of bytes in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// What the tiles belong to.
    Manifest,
    /// A tile, by its place in the grid.
    Tile(usize),
}

/// Bytes that may still be written to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes that are free.
    pub free: u64,
    /// Bytes of them that something else will need.
    pub reserved: u64,
}

impl fmt::Display for Item {
    /// `manifest.json` or `tile-000042.bin`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Manifest => f.write_str("manifest.json"),
            Item::Tile(index) => write!(f, "tile-{index:06}.bin"),
        }
    }
}

/// `Send + Sync` where the target has threads, and no condition where it has none.
#[cfg(any(not(target_family = "wasm"), target_feature = "atomics"))]
pub trait Shared: Send + Sync {}

#[cfg(any(not(target_family = "wasm"), target_feature = "atomics"))]
impl<T: Send + Sync + ?Sized> Shared for T {}

/// `Send + Sync` where the target has threads, and no condition where it has none.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
pub trait Shared {}

#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
impl<T: ?Sized> Shared for T {}
