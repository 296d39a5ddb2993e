//! How a Gram matrix is cut into the objects of a Zarr store.

use std::ops::Range;

/// How a Gram matrix is cut: into blocks, each an object of the store that is written whole.
///
/// Of one set with itself only the blocks on and below the diagonal are stored; the others are
/// their mirror images. A block consists of chunks, the pieces that readers decode: of one, or of a
/// square of them in a large matrix, so that there are fewer files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    shape: [usize; 2],
    symmetric: bool,
    chunk: [usize; 2],
    block: [usize; 2],
}

/// A block of the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its place among the blocks, (row, column).
    pub place: [usize; 2],
    /// Samples of the first set.
    pub rows: Range<usize>,
    /// Samples of the second set.
    pub cols: Range<usize>,
}

impl Layout {
    /// Rows and columns of a chunk, where no other number is asked for.
    pub const CHUNK: usize = 1024;

    /// The number of samples above which a block consists of several chunks.
    pub const MANY: usize = 100_000;

    /// Chunks along the side of such a block.
    const CHUNKS_OF_MANY: usize = 4;

    /// The layout of a matrix with chunks of `chunk` rows and columns; 0 counts as 1.
    pub fn new(shape: [usize; 2], symmetric: bool, chunk: usize) -> Layout {
        let chunk = shape.map(|n| chunk.clamp(1, n.max(1)));
        let several = if shape[0].max(shape[1]) > Layout::MANY { Layout::CHUNKS_OF_MANY } else { 1 };
        Layout { shape, symmetric, chunk, block: chunk.map(|side| side * several) }
    }

    /// Samples of the first set and of the second.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Whether both sets are one.
    pub fn is_symmetric(&self) -> bool {
        self.symmetric
    }

    /// Rows and columns of a chunk.
    pub fn chunk(&self) -> [usize; 2] {
        self.chunk
    }

    /// Rows and columns of a block, multiples of the chunk's.
    pub fn block(&self) -> [usize; 2] {
        self.block
    }

    /// Chunks along the sides of a block.
    pub(super) fn inner(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.block[axis] / self.chunk[axis])
    }

    /// The number of blocks that are stored.
    pub fn len(&self) -> usize {
        let [rows, cols] = self.blocks();
        if self.symmetric { rows * (rows + 1) / 2 } else { rows * cols }
    }

    /// Whether there are no blocks.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Block number `index`: row by row.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    pub fn at(&self, index: usize) -> Block {
        assert!(index < self.len(), "block {index} of {}", self.len());
        let place = if self.symmetric {
            // The largest row with row (row + 1) / 2 ≤ index.
            let row = ((8 * index as u128 + 1).isqrt() as usize - 1) / 2;
            [row, index - row * (row + 1) / 2]
        } else {
            let [_, cols] = self.blocks();
            [index / cols, index % cols]
        };
        let range = |axis: usize| {
            let start = place[axis] * self.block[axis];
            start..self.shape[axis].min(start + self.block[axis])
        };
        Block { place, rows: range(0), cols: range(1) }
    }

    /// Number of different pairs in a block.
    pub fn pairs_of(&self, block: &Block) -> u64 {
        let [rows, cols] = [&block.rows, &block.cols].map(|range| range.len() as u64);
        if self.is_diagonal(block) { rows * (rows + 1) / 2 } else { rows * cols }
    }

    /// Whether the block lies on the diagonal of one set with itself.
    pub fn is_diagonal(&self, block: &Block) -> bool {
        self.symmetric && block.place[0] == block.place[1]
    }

    /// The chunk that holds the entries of chunk (row, column) of the whole matrix, and whether
    /// they are its mirror image.
    pub(super) fn stored(&self, chunk: [usize; 2]) -> ([usize; 2], bool) {
        let inner = self.inner();
        let [row, col] = [0, 1].map(|axis| chunk[axis] / inner[axis]);
        if self.symmetric && row < col { ([chunk[1], chunk[0]], true) } else { (chunk, false) }
    }

    fn blocks(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.shape[axis].div_ceil(self.block[axis]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_lies_in_one_block() {
        for (rows, cols, symmetric) in (1..9).flat_map(|n| [(n, n, true), (n, n, false), (n, 3, false)]) {
            for chunk in 0..11 {
                let layout = Layout::new([rows, cols], symmetric, chunk);
                let mut hits = vec![0; rows * cols];
                let mut pairs = 0;
                for block in (0..layout.len()).map(|index| layout.at(index)) {
                    pairs += layout.pairs_of(&block);
                    for (i, j) in block.rows.clone().flat_map(|i| block.cols.clone().map(move |j| (i, j))) {
                        hits[i * cols + j] += 1;
                        if symmetric && !layout.is_diagonal(&block) {
                            hits[j * cols + i] += 1;
                        }
                    }
                }
                assert_eq!(hits, vec![1; rows * cols], "{layout:?}");
                let n = rows as u64;
                assert_eq!(pairs, if symmetric { n * (n + 1) / 2 } else { n * cols as u64 }, "{layout:?}");
            }
        }
    }

    #[test]
    fn blocks_of_huge_matrices_are_found_exactly() {
        let layout = Layout::new([5_000_000; 2], true, 1);
        assert_eq!((layout.block(), layout.inner()), ([4; 2], [4; 2]));
        for row in [0, 1, 77_777, 1_249_999] {
            let first = row * (row + 1) / 2;
            assert_eq!(layout.at(first).place, [row, 0]);
            assert_eq!(layout.at(first + row).place, [row, row]);
        }
    }
}
