//! A tile of a Gram matrix, put together from blocks of pairs.

use std::ops::Range;

use ndarray::Array2;

use crate::{BackendError, KernelSet, Kernels, plan::Scalar};

/// Values of the pairs (row, col) of a block.
pub type Entries = Vec<(usize, usize, Scalar)>;

/// The kernels of a tile, for backends: asks `block` for the pairs of rows × cols for which a predicate holds.
///
/// An entry of a symmetric Gram matrix is computed with the smaller index first, whatever tile asks for it.
pub fn assemble(
    symmetric: bool,
    kinds: KernelSet,
    (rows, cols): (&Range<usize>, &Range<usize>),
    mut block: impl FnMut(
        (&Range<usize>, &Range<usize>),
        &dyn Fn(usize, usize) -> bool,
    ) -> Result<Entries, BackendError>,
) -> Result<Kernels, BackendError> {
    let shape = (rows.len(), cols.len());
    let mut nngp = Array2::zeros(shape);
    let mut ntk = (kinds == KernelSet::Both).then(|| Array2::zeros(shape));
    let mut put = |row: usize, col: usize, value: &Scalar| {
        if rows.contains(&row) && cols.contains(&col) {
            let at = [row - rows.start, col - cols.start];
            nngp[at] = value.nngp;
            if let Some(ntk) = &mut ntk {
                ntk[at] = value.ntk;
            }
        }
    };
    let upper = |row: usize, col: usize| !symmetric || row <= col;
    for (row, col, value) in block((rows, cols), &upper)? {
        put(row, col, &value);
        if symmetric {
            put(col, row, &value);
        }
    }
    let mirrored = |row: usize, col: usize| rows.contains(&col) && cols.contains(&row);
    let lower = |col: usize, row: usize| symmetric && col < row && !mirrored(row, col);
    if rows.clone().any(|row| cols.clone().any(|col| lower(col, row))) {
        for (col, row, value) in block((cols, rows), &lower)? {
            put(row, col, &value);
        }
    }
    Ok(Kernels { nngp, ntk })
}
