//! What can be wrong with a grid, a bandlimit or the arrays of a transform.

use thiserror::Error;

/// Why a grid, a table or a transform was refused. Every variant names the object, what it got and what it needs.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum HarmonicError {
    /// A bandlimit of zero, or one beyond what the recursions are tested for.
    #[error("{what}: bandlimit {bandlimit} is not in 1..={max}; a bandlimit L keeps the degrees 0..=L-1")]
    Bandlimit {
        /// The object asked for.
        what: &'static str,
        /// The bandlimit asked for.
        bandlimit: usize,
        /// The largest accepted.
        max: usize,
    },
    /// A grid with no nodes along one axis, or with absurdly many.
    #[error("{what}: {count} nodes along {axis} are not in 1..={max}")]
    Nodes {
        /// The object asked for.
        what: &'static str,
        /// The axis: `theta`, `phi`, `alpha`, `beta` or `gamma`.
        axis: &'static str,
        /// The number of nodes asked for.
        count: usize,
        /// The largest accepted.
        max: usize,
    },
    /// The grid cannot resolve the bandlimit: two functions below it would be confused, or their product
    /// integrated wrongly.
    #[error(
        "a grid with {count} nodes along {axis} cannot carry bandlimit {bandlimit}: it needs at least {needed}"
    )]
    GridTooSmall {
        /// The bandlimit asked for.
        bandlimit: usize,
        /// The axis that is too coarse.
        axis: &'static str,
        /// Its nodes.
        count: usize,
        /// The nodes it would need.
        needed: usize,
    },
    /// The table of Wigner functions of a transform would not fit a sensible amount of memory.
    #[error(
        "Wigner functions of bandlimit {bandlimit} at {angles} angles take {bytes} bytes, more than the limit of {limit}; lower the bandlimit or the grid"
    )]
    TableTooLarge {
        /// The bandlimit.
        bandlimit: usize,
        /// The number of tabulated angles (half of the rings: the other half follows by symmetry).
        angles: usize,
        /// What the table would take.
        bytes: usize,
        /// The largest table that is built.
        limit: usize,
    },
    /// A packed array of the wrong length.
    #[error("{what} has {length} entries where {needed} are needed")]
    Length {
        /// Which argument.
        what: &'static str,
        /// Its length.
        length: usize,
        /// The length the transform was planned for.
        needed: usize,
    },
    /// An array on a grid of the wrong shape.
    #[error("{what} has shape {shape:?}, but the grid of the transform has {needed:?}")]
    Shape {
        /// Which argument.
        what: &'static str,
        /// Its shape.
        shape: Vec<usize>,
        /// The shape of the grid.
        needed: Vec<usize>,
    },
    /// A NaN or an infinity among the numbers given.
    #[error("{what} holds {value} at index {index:?}; every entry must be finite")]
    NotFinite {
        /// Which argument.
        what: &'static str,
        /// Where: the index of the array, or the position in a packed one.
        index: Vec<usize>,
        /// NaN, inf or -inf.
        value: f64,
    },
    /// Finite numbers whose transform is not.
    #[error(
        "{what} overflows: entries up to {largest:e} leave the range of the scalar type; rescale the data"
    )]
    Overflow {
        /// Which argument.
        what: &'static str,
        /// The largest magnitude found in it.
        largest: f64,
    },
    /// A 3×3 matrix that is not a rotation.
    #[error(
        "the matrix is not a rotation: R R^T differs from 1 by {defect:e} and det R is {determinant}; orthonormalise it"
    )]
    NotARotation {
        /// The largest entry of |R Rᵀ - 1|.
        defect: f64,
        /// The determinant.
        determinant: f64,
    },
    /// The zero vector, which points nowhere.
    #[error("the direction [0, 0, 0] points nowhere; two points coincide")]
    ZeroDirection,
    /// A ring beyond the last one.
    #[error("ring {ring} does not exist: the grid has {rings}")]
    Ring {
        /// The ring asked for.
        ring: usize,
        /// The number of rings.
        rings: usize,
    },
}

/// The largest bandlimit any table or transform is built for.
///
/// The seeds of the upward recursion stay far inside the range of `f64` below it, and orthogonality is tested up to it.
pub const MAX_BANDLIMIT: usize = 256;

/// The largest number of nodes along one axis of a grid.
pub const MAX_NODES: usize = 8192;

pub(crate) fn check_bandlimit(what: &'static str, bandlimit: usize) -> Result<(), HarmonicError> {
    if (1..=MAX_BANDLIMIT).contains(&bandlimit) {
        Ok(())
    } else {
        Err(HarmonicError::Bandlimit { what, bandlimit, max: MAX_BANDLIMIT })
    }
}

pub(crate) fn check_nodes(what: &'static str, axis: &'static str, count: usize) -> Result<(), HarmonicError> {
    if (1..=MAX_NODES).contains(&count) {
        Ok(())
    } else {
        Err(HarmonicError::Nodes { what, axis, count, max: MAX_NODES })
    }
}

pub(crate) fn check_length(what: &'static str, length: usize, needed: usize) -> Result<(), HarmonicError> {
    if length == needed { Ok(()) } else { Err(HarmonicError::Length { what, length, needed }) }
}

pub(crate) fn check_shape(
    what: &'static str,
    shape: &[usize],
    needed: &[usize],
) -> Result<(), HarmonicError> {
    if shape == needed {
        Ok(())
    } else {
        Err(HarmonicError::Shape { what, shape: shape.to_vec(), needed: needed.to_vec() })
    }
}

pub(crate) fn check_resolution(
    bandlimit: usize,
    axis: &'static str,
    count: usize,
    needed: usize,
) -> Result<(), HarmonicError> {
    if count >= needed { Ok(()) } else { Err(HarmonicError::GridTooSmall { bandlimit, axis, count, needed }) }
}
