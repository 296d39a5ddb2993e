//! The two precisions, and the matrix product that all layers are made of.

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};

/// A number that networks are computed in: f32 or f64.
pub trait Scalar:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + std::fmt::Debug
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::AddAssign
    + std::ops::MulAssign
    + 'static
{
    /// Bytes of a number.
    const BYTES: usize = size_of::<Self>();

    /// The nearest number of this precision.
    fn of(value: f64) -> Self;

    /// The number as f64.
    fn wide(self) -> f64;

    /// Adds (or, where `replace`, writes) `scale`·A·B to C. All are row by row; A has m×k entries and B k×n.
    fn product(c: &mut [Self], a: Matrix<'_, Self>, b: Matrix<'_, Self>, scale: Self, replace: bool);
}

/// A matrix of `rows` × `cols` entries, stored row by row, or the transpose of one.
#[derive(Clone, Copy)]
pub struct Matrix<'a, T> {
    /// The entries as stored.
    pub entries: &'a [T],
    /// Rows as stored.
    pub rows: usize,
    /// Columns as stored.
    pub cols: usize,
    /// Whether the transpose is meant.
    pub transposed: bool,
}

impl<'a, T> Matrix<'a, T> {
    /// The matrix itself.
    pub fn new(entries: &'a [T], rows: usize, cols: usize) -> Self {
        Matrix { entries, rows, cols, transposed: false }
    }

    /// Its transpose.
    pub fn t(self) -> Self {
        Matrix { transposed: !self.transposed, ..self }
    }

    /// Rows and columns as meant.
    pub fn shape(&self) -> [usize; 2] {
        if self.transposed { [self.cols, self.rows] } else { [self.rows, self.cols] }
    }
}

macro_rules! scalar {
    ($t:ty) => {
        impl Scalar for $t {
            fn of(value: f64) -> $t {
                value as $t
            }

            fn wide(self) -> f64 {
                self as f64
            }

            fn product(c: &mut [$t], a: Matrix<'_, $t>, b: Matrix<'_, $t>, scale: $t, replace: bool) {
                fn view<'a>(m: &Matrix<'a, $t>) -> MatRef<'a, $t> {
                    let view = MatRef::from_row_major_slice(m.entries, m.rows, m.cols);
                    if m.transposed { view.transpose() } else { view }
                }
                let ([rows, _], [_, cols]) = (a.shape(), b.shape());
                let c = MatMut::from_row_major_slice_mut(c, rows, cols);
                let accum = if replace { Accum::Replace } else { Accum::Add };
                matmul(c, accum, view(&a), view(&b), scale, Par::Seq);
            }
        }
    };
}
scalar!(f32);
scalar!(f64);
