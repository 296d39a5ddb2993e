//! What every array is checked for before a number is computed.

use ndarray::{ArrayView1, ArrayView2, s};

use crate::PredictError;

/// Largest |K - Kᵀ| allowed, in units of the largest entry: a kernel computed in f32 as two separate triangles agrees to
/// about 1e-7, the kernel of two different sets does not agree at all.
const SYMMETRY: f64 = 1e-6;

pub(crate) fn not_empty(what: &'static str, view: &ArrayView2<'_, f64>) -> Result<(), PredictError> {
    if view.is_empty() { Err(PredictError::Empty { what }) } else { Ok(()) }
}

pub(crate) fn finite(what: &'static str, view: &ArrayView2<'_, f64>) -> Result<(), PredictError> {
    match view.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some(((row, column), &value)) => Err(PredictError::NonFinite { what, row, column, value }),
    }
}

pub(crate) fn finite_vector(what: &'static str, view: &ArrayView1<'_, f64>) -> Result<(), PredictError> {
    finite(what, &view.view().insert_axis(ndarray::Axis(1)))
}

pub(crate) fn length(
    what: &'static str,
    axis: &'static str,
    found: usize,
    needed: usize,
    like: &'static str,
) -> Result<(), PredictError> {
    if found == needed { Ok(()) } else { Err(PredictError::Mismatch { what, axis, found, needed, like }) }
}

/// A finite array of this shape, where `like` names what set the (rows, columns).
pub(crate) fn array(
    what: &'static str,
    view: &ArrayView2<'_, f64>,
    (rows, columns): (usize, usize),
    like: (&'static str, &'static str),
) -> Result<(), PredictError> {
    length(what, "rows", view.nrows(), rows, like.0)?;
    length(what, "columns", view.ncols(), columns, like.1)?;
    not_empty(what, view)?;
    finite(what, view)
}

/// Not empty, square, finite.
pub(crate) fn square(what: &'static str, view: &ArrayView2<'_, f64>) -> Result<(), PredictError> {
    not_empty(what, view)?;
    if !view.is_square() {
        return Err(PredictError::NotSquare { what, rows: view.nrows(), columns: view.ncols() });
    }
    finite(what, view)
}

/// Not empty, square, finite, symmetric.
pub(crate) fn symmetric(what: &'static str, view: &ArrayView2<'_, f64>) -> Result<(), PredictError> {
    square(what, view)?;
    let (n, block) = (view.nrows(), 64);
    let (mut worst, mut at, mut largest) = (0.0_f64, (0, 0), 0.0_f64);
    // In blocks, because one of the two triangles is read across its rows.
    for i0 in (0..n).step_by(block) {
        for j0 in (i0..n).step_by(block) {
            let (rows, columns) = (i0..n.min(i0 + block), j0..n.min(j0 + block));
            let upper = view.slice(s![rows.clone(), columns.clone()]);
            let lower = view.slice(s![columns, rows]);
            for ((i, j), &value) in upper.indexed_iter() {
                largest = largest.max(value.abs());
                let gap = (value - lower[(j, i)]).abs();
                if gap > worst {
                    (worst, at) = (gap, (i0 + i, j0 + j));
                }
            }
        }
    }
    if worst > SYMMETRY * largest {
        let (row, column) = at;
        let (value, mirrored) = (view[(row, column)], view[(column, row)]);
        return Err(PredictError::Asymmetric { what, row, column, value, mirrored });
    }
    Ok(())
}

/// Refuses a result that left the range of f64.
pub(crate) fn representable<'a>(
    what: &'static str,
    mut values: impl Iterator<Item = &'a f64>,
) -> Result<(), PredictError> {
    if values.all(|value| value.is_finite()) { Ok(()) } else { Err(PredictError::Overflow { what }) }
}
