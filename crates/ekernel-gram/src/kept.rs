//! A store that belongs to this computation.

use std::{io, sync::Arc};

use ekernel_core::{KernelSet, Kernels};
use sha2::{Digest, Sha256};

use crate::{
    Difference, GramError, Grid, Identity, Tile,
    store::{Found, Item, Manifest, TileStore, Unreadable, decode, encode, size},
};

const MAKE_ROOM: &str = "make room or mend the disk and run again: the tiles finished so far are kept";
const USE_ANOTHER: &str = "give another folder";

/// A store and what ties its tiles to this computation.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    store: Arc<dyn TileStore>,
    tile_shape: [usize; 2],
    fingerprint: [u8; 32],
}

/// A store that has been asked for its manifest.
pub(crate) enum Opened {
    /// It has tiles of the same computation.
    Stored(Kept),
    /// It has none yet.
    Fresh(Fresh),
}

/// A store without a manifest.
pub(crate) struct Fresh {
    store: Arc<dyn TileStore>,
    identity: Identity,
}

impl Opened {
    /// Checks that a store belongs to `identity`, with tiles of the shape that was asked for, if
    /// one was.
    pub(crate) fn new(
        store: Arc<dyn TileStore>,
        identity: Identity,
        tile_shape: Option<[usize; 2]>,
    ) -> Result<Opened, GramError> {
        let bytes = store
            .read(Item::Manifest)
            .map_err(|source| error(&*store, "read", Item::Manifest, source, USE_ANOTHER))?;
        let Some(bytes) = bytes else { return Ok(Opened::Fresh(Fresh { store, identity })) };
        let stored = Manifest::parse(&bytes).map_err(|unreadable| match unreadable {
            Unreadable::Damaged(problem) => {
                GramError::Manifest { place: store.place(Some(Item::Manifest)), problem }
            }
            Unreadable::OtherFormat(format) => GramError::Format { store: store.place(None), format },
        })?;
        let mut differences = stored.identity.differences(&identity);
        if let Some(now) = tile_shape.filter(|now| *now != stored.tile) {
            differences.push(Difference::of_tiles(stored.tile, now));
        }
        if !differences.is_empty() {
            return Err(GramError::Differs { store: store.place(None), differences });
        }
        Ok(Opened::Stored(Kept::new(store, &stored.identity, stored.tile)))
    }
}

impl Fresh {
    /// Checks that the tiles of so many pairs fit, before their shape is known.
    pub(crate) fn ensure_room(&self, pairs: u64, kinds: KernelSet) -> Result<(), GramError> {
        fits(&*self.store, pairs.saturating_mul(8 * kinds.count() as u64))
    }

    /// Fixes the tile shape: from here on tiles can be kept.
    pub(crate) fn with_tiles(self, tile: [usize; 2]) -> Result<Kept, GramError> {
        let Fresh { store, identity } = self;
        let kept = Kept::new(store, &identity, tile);
        kept.write(Item::Manifest, &Manifest::new(identity, tile).to_bytes())?;
        Ok(kept)
    }
}

impl Kept {
    fn new(store: Arc<dyn TileStore>, identity: &Identity, tile_shape: [usize; 2]) -> Kept {
        let [rows, cols] = tile_shape.map(|side| (side as u64).to_le_bytes());
        let fingerprint = Sha256::digest([identity.fingerprint().as_slice(), &rows, &cols].concat()).into();
        Kept { store, tile_shape, fingerprint }
    }

    /// Where it is, for people.
    pub(crate) fn place(&self) -> String {
        self.store.place(None)
    }

    /// The shape of its tiles.
    pub(crate) fn tile_shape(&self) -> [usize; 2] {
        self.tile_shape
    }

    /// Checks that the tiles that are `missing` fit.
    pub(crate) fn ensure_room(
        &self,
        grid: &Grid,
        missing: &[usize],
        kinds: KernelSet,
    ) -> Result<(), GramError> {
        let sizes = missing.iter().map(|&index| size(grid.tiles()[index].shape(), kinds));
        fits(&*self.store, sizes.fold(0, u64::saturating_add))
    }

    /// Looks for tile number `index`.
    pub(crate) fn load(&self, index: usize, tile: &Tile, kinds: KernelSet) -> Found {
        match self.store.read(Item::Tile(index)) {
            Ok(Some(bytes)) => decode(&bytes, &self.fingerprint, tile, kinds),
            Ok(None) => Found::Missing,
            Err(_) => Found::Damaged,
        }
    }

    /// A tile that this run has found or written.
    pub(crate) fn read(&self, index: usize, tile: &Tile, kinds: KernelSet) -> Result<Kernels, GramError> {
        match self.load(index, tile, kinds) {
            Found::Whole(kernels) => Ok(kernels),
            Found::Damaged | Found::Missing => {
                let source =
                    io::Error::new(io::ErrorKind::InvalidData, "it changed while this run was at work");
                Err(error(&*self.store, "read", Item::Tile(index), source, "run again"))
            }
        }
    }

    /// Keeps tile number `index`.
    pub(crate) fn save(&self, index: usize, tile: &Tile, kernels: &Kernels) -> Result<(), GramError> {
        self.write(Item::Tile(index), &encode(&self.fingerprint, tile, kernels))
    }

    fn write(&self, item: Item, bytes: &[u8]) -> Result<(), GramError> {
        self.store.write(item, bytes).map_err(|source| error(&*self.store, "write", item, source, MAKE_ROOM))
    }
}

fn fits(store: &dyn TileStore, needed: u64) -> Result<(), GramError> {
    match store.room() {
        Some(room) if needed > room.free.saturating_sub(room.reserved) => {
            Err(GramError::Room { store: store.place(None), needed, room })
        }
        _ => Ok(()),
    }
}

fn error(
    store: &dyn TileStore,
    action: &'static str,
    item: Item,
    source: io::Error,
    remedy: &'static str,
) -> GramError {
    GramError::Store { action, place: store.place(Some(item)), source, remedy }
}
