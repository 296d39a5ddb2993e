//! Some rows of an array: `x[0:2000]`, as Python writes it.

use std::ops::Range;

use ndarray::{ArrayD, Axis, Slice};

use crate::error::DataError;
use crate::npy::NpyArray;
use crate::place::Place;

/// From start (included) to end (excluded, the end of the array if there is none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    start: usize,
    end: Option<usize>,
}

/// The name and the rows of `x[0:2000]`, `x[2000:]` or `x[:10]`; without brackets at the end the name alone.
pub(crate) fn parse(key: &str) -> (&str, Option<Cut>) {
    let cut = || {
        let (name, rows) = key.strip_suffix(']')?.rsplit_once('[')?;
        let (start, end) = rows.split_once(':')?;
        let number = |text: &str| text.trim().parse::<usize>().ok();
        let start = if start.trim().is_empty() { 0 } else { number(start)? };
        let end = if end.trim().is_empty() { None } else { Some(number(end)?) };
        Some((name, Cut { start, end }))
    };
    match cut() {
        Some((name, cut)) => (name, Some(cut)),
        None => (key, None),
    }
}

impl Cut {
    /// The rows of an array of `rows` rows.
    ///
    /// # Errors
    /// [`DataError::RowOutOfRange`], also where there are none.
    pub(crate) fn of(self, rows: usize, place: &Place) -> Result<Range<usize>, DataError> {
        let end = self.end.unwrap_or(rows);
        if self.start < end && end <= rows {
            return Ok(self.start..end);
        }
        let row = if end > rows { end - 1 } else { self.start } as u64;
        Err(DataError::RowOutOfRange { place: place.clone(), row, rows })
    }

    /// These rows of an array.
    pub(crate) fn apply(self, array: NpyArray, place: &Place) -> Result<NpyArray, DataError> {
        let Some(&rows) = array.shape().first() else { return Ok(array) };
        let rows = self.of(rows, place)?;
        Ok(match array {
            NpyArray::Bools(values) => NpyArray::Bools(cut(values, rows)),
            NpyArray::Bytes(values) => NpyArray::Bytes(cut(values, rows)),
            NpyArray::Integers(values) => NpyArray::Integers(cut(values, rows)),
            NpyArray::Floats(values) => NpyArray::Floats(cut(values, rows)),
            NpyArray::Texts(values) => NpyArray::Texts(cut(values, rows)),
        })
    }
}

fn cut<T: Clone>(values: ArrayD<T>, rows: Range<usize>) -> ArrayD<T> {
    if rows == (0..values.shape()[0]) {
        return values;
    }
    values.slice_axis(Axis(0), Slice::from(rows)).to_owned()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn rows_are_named_as_in_python() {
        let cut = |start, end| Some(Cut { start, end });
        assert_eq!(parse("x[0:2000]"), ("x", cut(0, Some(2000))));
        assert_eq!(parse("x[5:]"), ("x", cut(5, None)));
        assert_eq!(parse("x[:3]"), ("x", cut(0, Some(3))));
        for name in ["x", "x[3]", "x[-3:]", "x[a:b]", "x[1:2"] {
            assert_eq!(parse(name), (name, None));
        }
    }

    #[test]
    fn rows_must_be_there() {
        let place = Place::entry("d.npz", "x");
        let array = NpyArray::Floats(array![[1.0], [2.0], [3.0]].into_dyn());
        let of = |key| parse(key).1.unwrap().apply(array.clone(), &place);
        assert_eq!(of("x[1:]").unwrap(), NpyArray::Floats(array![[2.0], [3.0]].into_dyn()));
        for (key, row) in [("x[0:4]", 3), ("x[3:]", 3), ("x[2:2]", 2)] {
            assert!(
                matches!(of(key), Err(DataError::RowOutOfRange { row: found, rows: 3, .. }) if found == row),
                "{key}"
            );
        }
    }
}
