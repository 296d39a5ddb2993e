//! A result that lies in a store.

use std::ops::Range;

use ekernel_core::{KernelSet, Kernels};

use crate::{GramError, Grid, assemble, kept::Kept};

/// A Gram matrix in a store, to be read some rows at a time.
#[derive(Clone, Debug)]
pub struct Stored {
    kept: Kept,
    grid: Grid,
    kinds: KernelSet,
    /// Rows of a band.
    height: usize,
    /// The tiles that have a part in each band.
    bands: Vec<Vec<usize>>,
}

/// Some rows of a Gram matrix, all columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// Which rows.
    pub rows: Range<usize>,
    /// Their kernels, shape (rows, n₂).
    pub kernels: Kernels,
}

impl Stored {
    pub(crate) fn new(kept: Kept, grid: Grid, kinds: KernelSet) -> Stored {
        let height = band_height(&grid);
        let mut bands = vec![Vec::new(); grid.shape()[0].div_ceil(height)];
        for (index, tile) in grid.tiles().iter().enumerate() {
            let mirrored = grid.is_mirrored(tile).then_some(&tile.cols);
            for rows in [Some(&tile.rows), mirrored].into_iter().flatten() {
                for band in &mut bands[rows.start / height..=(rows.end - 1) / height] {
                    if band.last() != Some(&index) {
                        band.push(index);
                    }
                }
            }
        }
        Stored { kept, grid, kinds, height, bands }
    }

    /// Shape of the Gram matrix.
    pub fn shape(&self) -> [usize; 2] {
        self.grid.shape()
    }

    /// The kernels it holds.
    pub fn kinds(&self) -> KernelSet {
        self.kinds
    }

    /// The rows of the Gram matrix from the first to the last, as many at a time as a tile has at
    /// most. A tile is read at most four times.
    ///
    /// # Errors
    /// Each band that needs a tile which was changed since it was written, or for which there is no
    /// memory.
    pub fn bands(&self) -> impl Iterator<Item = Result<Band, GramError>> + '_ {
        (0..self.bands.len()).map(|band| self.band(band))
    }

    fn band(&self, band: usize) -> Result<Band, GramError> {
        let [n, cols] = self.grid.shape();
        let rows = band * self.height..n.min((band + 1) * self.height);
        let needed = memory_of_band(&self.grid, self.kinds);
        let mut kernels = assemble::zeros([rows.len(), cols], self.kinds)
            .ok_or(GramError::Allocation { what: "some rows of the Gram matrix", needed })?;
        for &index in &self.bands[band] {
            let tile = &self.grid.tiles()[index];
            let found = self.kept.read(index, tile, self.kinds)?;
            assemble::place(&mut kernels, &rows, tile, &found, self.grid.is_mirrored(tile));
        }
        Ok(Band { rows, kernels })
    }
}

/// The longer side of a tile: a tile, lying or mirrored, has a part in two bands at most.
fn band_height(grid: &Grid) -> usize {
    let [rows, cols] = grid.tile_shape();
    if grid.is_symmetric() { rows.max(cols) } else { rows }
}

/// Bytes of a band.
pub(crate) fn memory_of_band(grid: &Grid, kinds: KernelSet) -> u64 {
    (band_height(grid).min(grid.shape()[0]) as u64)
        .saturating_mul(grid.shape()[1] as u64)
        .saturating_mul(8 * kinds.count() as u64)
}
