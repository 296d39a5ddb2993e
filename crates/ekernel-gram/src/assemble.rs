//! From tiles to the matrix.

use std::ops::Range;

use ekernel_core::{KernelSet, Kernels};
use ndarray::{Array2, s};

use crate::{GramError, Tile};

/// Zeros of a shape; `None` where the allocator has no room for them.
pub(crate) fn zeros([rows, cols]: [usize; 2], kinds: KernelSet) -> Option<Kernels> {
    let matrix = || {
        let entries = rows.checked_mul(cols)?;
        let mut values = Vec::new();
        values.try_reserve_exact(entries).ok()?;
        values.resize(entries, 0.0);
        Array2::from_shape_vec((rows, cols), values).ok()
    };
    let ntk = match kinds {
        KernelSet::Nngp => None,
        KernelSet::Both => Some(matrix()?),
    };
    Some(Kernels { nngp: matrix()?, ntk })
}

/// Writes a tile, and its mirror image if it has one, into the rows `band` of the matrix, as far as
/// they lie in the band.
pub(crate) fn place(into: &mut Kernels, band: &Range<usize>, tile: &Tile, kernels: &Kernels, mirrored: bool) {
    let put = |into: &mut Array2<f64>, values: &Array2<f64>| {
        let rows = shared(&tile.rows, band);
        if !rows.is_empty() {
            let from = values.slice(s![within(&rows, &tile.rows), ..]);
            into.slice_mut(s![within(&rows, band), tile.cols.clone()]).assign(&from);
        }
        let rows = shared(&tile.cols, band);
        if mirrored && !rows.is_empty() {
            let from = values.slice(s![.., within(&rows, &tile.cols)]);
            into.slice_mut(s![within(&rows, band), tile.rows.clone()]).assign(&from.t());
        }
    };
    put(&mut into.nngp, &kernels.nngp);
    if let (Some(into), Some(values)) = (&mut into.ntk, &kernels.ntk) {
        put(into, values);
    }
}

/// Checks that a backend returned the kernels that were asked for, all of them finite.
pub(crate) fn check(
    kernels: &Kernels,
    tile: &Tile,
    kinds: KernelSet,
    backend: &str,
) -> Result<(), GramError> {
    let named = [("NNGP", Some(&kernels.nngp)), ("NTK", kernels.ntk.as_ref())];
    let found = named.map(|(_, kernel)| kernel.map(Array2::dim));
    let dim = (tile.rows.len(), tile.cols.len());
    let needed = [Some(dim), (kinds == KernelSet::Both).then_some(dim)];
    if found != needed {
        let words = |[nngp, ntk]: [Option<(usize, usize)>; 2]| {
            let words =
                |dim: Option<_>| dim.map_or("none".to_owned(), |(rows, cols)| format!("{rows} × {cols}"));
            format!("a tile with NNGP {} and NTK {}", words(nngp), words(ntk))
        };
        let (found, needed) = (words(found), words(needed));
        return Err(GramError::Contract { backend: backend.to_owned(), found, needed });
    }
    for (kernel, values) in named {
        for ((i, j), &value) in values.into_iter().flat_map(|values| values.indexed_iter()) {
            if !value.is_finite() {
                let (row, col) = (tile.rows.start + i, tile.cols.start + j);
                return Err(GramError::NotFinite { kernel, row, col, value });
            }
        }
    }
    Ok(())
}

fn shared(one: &Range<usize>, other: &Range<usize>) -> Range<usize> {
    one.start.max(other.start)..one.end.min(other.end)
}

/// The range `inner`, counted from the start of `outer`.
fn within(inner: &Range<usize>, outer: &Range<usize>) -> Range<usize> {
    inner.start - outer.start..inner.end - outer.start
}
