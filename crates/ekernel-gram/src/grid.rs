//! How a Gram matrix is cut into tiles.

use std::ops::Range;

use ekernel_core::Pairs;

/// A block of the Gram matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Samples of the first set.
    pub rows: Range<usize>,
    /// Samples of the second set.
    pub cols: Range<usize>,
}

/// The tiles of a Gram matrix, in the order in which they are computed.
///
/// Of two sets, the tiles cover every pair once. Of one set with itself they cover every pair i ≤ j
/// once: square tiles on the diagonal (their lower half is the session's to mirror) and rectangles
/// strictly above it. The diagonal tiles have the shorter side of the tile shape, so no tile holds
/// more pairs than the shape says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    rows: usize,
    cols: usize,
    symmetric: bool,
    shape: [usize; 2],
    tiles: Vec<Tile>,
}

impl Tile {
    /// Whether the tile lies on the diagonal of a symmetric grid.
    pub fn is_diagonal(&self) -> bool {
        self.rows == self.cols
    }

    /// Shape (rows, cols).
    pub fn shape(&self) -> [usize; 2] {
        [self.rows.len(), self.cols.len()]
    }
}

impl Grid {
    /// Cuts `pairs` into tiles of at most `shape` (rows, cols); a side of 0 counts as 1.
    pub fn new(pairs: &Pairs, shape: [usize; 2]) -> Grid {
        Grid::of(pairs.first().len(), pairs.second().len(), pairs.is_symmetric(), shape)
    }

    pub(crate) fn of(rows: usize, cols: usize, symmetric: bool, shape: [usize; 2]) -> Grid {
        let shape = [shape[0].clamp(1, rows.max(1)), shape[1].clamp(1, cols.max(1))];
        let tiles =
            if symmetric { upper_triangle(0..rows, shape) } else { rectangle(0..rows, 0..cols, shape) };
        Grid { rows, cols, symmetric, shape, tiles }
    }

    /// The tiles, in order.
    pub fn tiles(&self) -> &[Tile] {
        &self.tiles
    }

    /// The largest shape of a tile.
    pub fn tile_shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Shape of the Gram matrix.
    pub fn shape(&self) -> [usize; 2] {
        [self.rows, self.cols]
    }

    /// Whether the tiles cover the upper triangle only.
    pub fn is_symmetric(&self) -> bool {
        self.symmetric
    }

    /// Whether the tile stands for its mirror image too.
    pub fn is_mirrored(&self, tile: &Tile) -> bool {
        self.symmetric && !tile.is_diagonal()
    }

    /// Number of different pairs: n₁ n₂, or n (n + 1) / 2 of one set with itself.
    pub fn pairs(&self) -> u64 {
        let (rows, cols) = (self.rows as u64, self.cols as u64);
        if self.symmetric { rows * (rows + 1) / 2 } else { rows * cols }
    }

    /// Number of different pairs in `tile`.
    pub fn pairs_of(&self, tile: &Tile) -> u64 {
        let [rows, cols] = tile.shape().map(|n| n as u64);
        if self.symmetric && tile.is_diagonal() { rows * (rows + 1) / 2 } else { rows * cols }
    }
}

/// The tiles that cover the upper triangle of some samples with themselves.
pub(crate) fn upper_triangle(samples: Range<usize>, [height, width]: [usize; 2]) -> Vec<Tile> {
    let mut tiles = Vec::new();
    for band in chunks(samples.clone(), height.min(width)) {
        tiles.push(Tile { rows: band.clone(), cols: band.clone() });
        // What is left of the band above the diagonal: beside a band of rows, or on top of a band
        // of columns.
        tiles.extend(if height <= width {
            rectangle(band.clone(), band.end..samples.end, [height, width])
        } else {
            rectangle(samples.start..band.start, band, [height, width])
        });
    }
    tiles
}

/// The tiles that cover a rectangle.
pub(crate) fn rectangle(rows: Range<usize>, cols: Range<usize>, [height, width]: [usize; 2]) -> Vec<Tile> {
    chunks(rows, height)
        .flat_map(|rows| chunks(cols.clone(), width).map(move |cols| Tile { rows: rows.clone(), cols }))
        .collect()
}

fn chunks(range: Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(size).map(move |start| start..end.min(start + size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_lies_in_exactly_one_tile_of_at_most_the_shape() {
        for (rows, cols, symmetric) in
            (1..9).flat_map(|n| [(n, n, true), (n, n, false), (n, 5, false), (1, n, false), (n, 1, false)])
        {
            for shape in (1..11).flat_map(|h| (1..11).map(move |w| [h, w])) {
                let grid = Grid::of(rows, cols, symmetric, shape);
                let mut hits = vec![0; rows * cols];
                let mut pairs = 0;
                for tile in grid.tiles() {
                    assert!(
                        tile.rows.len() <= shape[0] && tile.cols.len() <= shape[1],
                        "{tile:?} in {shape:?}"
                    );
                    pairs += grid.pairs_of(tile);
                    for (i, j) in tile.rows.clone().flat_map(|i| tile.cols.clone().map(move |j| (i, j))) {
                        hits[i * cols + j] += 1;
                    }
                }
                assert_eq!(pairs, grid.pairs(), "{grid:?}");
                for (i, j) in (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j))) {
                    let in_diagonal_tile = grid
                        .tiles()
                        .iter()
                        .any(|t| t.is_diagonal() && t.rows.contains(&i) && t.cols.contains(&j));
                    let due = usize::from(!symmetric || i <= j || in_diagonal_tile);
                    assert_eq!(hits[i * cols + j], due, "pair ({i}, {j}) of {grid:?}");
                }
            }
        }
    }
}
