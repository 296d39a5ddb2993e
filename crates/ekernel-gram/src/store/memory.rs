//! Tiles in memory.

use std::{
    collections::BTreeMap,
    io,
    sync::{Mutex, PoisonError},
};

use super::{Item, TileStore};

/// Keeps tiles in memory: for tests, and for results that are read in bands.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<Item, Vec<u8>>>);

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }
}

impl TileStore for MemoryStore {
    fn place(&self, item: Option<Item>) -> String {
        item.map_or("the store in memory".to_owned(), |item| format!("{item} in memory"))
    }

    fn read(&self, item: Item) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&item).cloned())
    }

    fn write(&self, item: Item, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(item, bytes.to_vec());
        Ok(())
    }
}
