//! Whether targets are classes or values, where their type leaves it open.

use std::collections::BTreeSet;

use ndarray::{ArrayD, Axis, Ix2};

use crate::error::DataError;
use crate::npy::NpyArray;
use crate::place::Place;

/// What the targets in an array are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetKind {
    /// By their type: integers, bools and texts are classes, floats values.
    #[default]
    ByType,
    /// Classes: whole numbers, texts, or one-hot rows of any type.
    Classes,
    /// Values: numbers of any type.
    Values,
}

/// The array in the type by which it is what it is said to be.
///
/// # Errors
/// [`DataError::TargetKind`] where it cannot be that.
pub(crate) fn as_said(array: NpyArray, kind: TargetKind, place: &Place) -> Result<NpyArray, DataError> {
    let wrong = |wanted, reason| Err(DataError::TargetKind { place: place.clone(), wanted, reason });
    match (kind, array) {
        (TargetKind::ByType, array) => Ok(array),
        (TargetKind::Classes, NpyArray::Texts(texts)) => Ok(NpyArray::Texts(texts)),
        (TargetKind::Classes, array) => match floats(&array).and_then(labels) {
            Some(labels) => Ok(NpyArray::Integers(labels)),
            None => {
                wrong("classes", "classes are whole numbers of at least 0, texts, or rows of one 1 and zeros")
            }
        },
        (TargetKind::Values, array) => match floats(&array) {
            Some(values) => Ok(NpyArray::Floats(values)),
            None => wrong("values", "they are texts"),
        },
    }
}

/// What could be meant instead, in words, where the type of an array may mislead.
pub(crate) fn doubt(array: &NpyArray) -> Option<String> {
    /// More classes than this, seldom repeated, are rather numbers such as years.
    const MANY: usize = 50;
    let values = floats(array)?;
    let distinct: BTreeSet<u64> = values.iter().map(|value| value.to_bits()).collect();
    match array {
        NpyArray::Floats(_) if labels(values.clone()).is_some() && values.len() > 2 * distinct.len() => {
            Some("whole floats are taken for values; --targets classes takes them for classes".to_owned())
        }
        NpyArray::Integers(_) | NpyArray::Bytes(_)
            if distinct.len() > MANY && values.len() < 4 * distinct.len() =>
        {
            let n = distinct.len();
            Some(format!(
                "{n} different integers are taken for classes; --targets values takes them for values"
            ))
        }
        _ => None,
    }
}

/// Numbers as floats; nothing of texts.
fn floats(array: &NpyArray) -> Option<ArrayD<f64>> {
    Some(match array {
        NpyArray::Floats(values) => values.clone(),
        NpyArray::Bytes(values) => values.mapv(f64::from),
        NpyArray::Bools(values) => values.mapv(|value| f64::from(u8::from(value))),
        NpyArray::Integers(values) => values.mapv(|value| value as f64),
        NpyArray::Texts(_) => return None,
    })
}

/// The class of each sample: of whole numbers (n,) or (n, 1), or of one-hot rows (n, m).
fn labels(values: ArrayD<f64>) -> Option<ArrayD<i64>> {
    let is_class = |value: &f64| *value >= 0.0 && value.fract() == 0.0 && *value < 2f64.powi(31);
    if !values.iter().all(is_class) {
        return None;
    }
    match values.shape() {
        [_] | [_, 1] => Some(values.mapv(|value| value as i64)),
        [_, _] => {
            let rows = values.into_dimensionality::<Ix2>().ok()?;
            let one = |row: ndarray::ArrayView1<'_, f64>| {
                let class = row.iter().position(|value| *value == 1.0)?;
                (row.sum() == 1.0).then_some(class as i64)
            };
            let labels: Option<Vec<i64>> = rows.axis_iter(Axis(0)).map(one).collect();
            Some(ndarray::Array1::from(labels?).into_dyn())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn said(array: NpyArray, kind: TargetKind) -> Option<NpyArray> {
        as_said(array, kind, &Place::file("y.npy")).ok()
    }

    #[test]
    fn classes_come_in_many_types() {
        let labels = Some(NpyArray::Integers(array![1, 0, 2].into_dyn()));
        let hot = array![[0, 1, 0], [1, 0, 0], [0, 0, 1]];
        for array in [
            NpyArray::Floats(array![1.0, 0.0, 2.0].into_dyn()),
            NpyArray::Bytes(array![1, 0, 2].into_dyn()),
            NpyArray::Floats(hot.mapv(f64::from).into_dyn()),
            NpyArray::Integers(hot.mapv(i64::from).into_dyn()),
            NpyArray::Bools(hot.mapv(|x| x == 1).into_dyn()),
        ] {
            assert_eq!(said(array, TargetKind::Classes), labels);
        }
        for array in [
            array![0.5, 1.0].into_dyn(),
            array![-1.0].into_dyn(),
            array![[1.0, 1.0]].into_dyn(),
            array![[0.0, 0.0]].into_dyn(),
        ] {
            assert_eq!(said(NpyArray::Floats(array), TargetKind::Classes), None);
        }
    }

    #[test]
    fn values_are_numbers_of_any_type() {
        let years = NpyArray::Integers(array![1950, 2010].into_dyn());
        assert_eq!(
            said(years, TargetKind::Values),
            Some(NpyArray::Floats(array![1950.0, 2010.0].into_dyn()))
        );
        assert_eq!(said(NpyArray::Texts(array!["a".to_owned()].into_dyn()), TargetKind::Values), None);
    }

    #[test]
    fn doubt_is_said_where_the_type_may_mislead() {
        let repeated: Vec<f64> = (0..30).map(|i| f64::from(i % 3)).collect();
        assert!(
            doubt(&NpyArray::Floats(ndarray::Array1::from(repeated).into_dyn())).unwrap().contains("classes")
        );
        let years: Vec<i64> = (0..90).map(|i| 1900 + (i * 7) % 61).collect();
        assert!(doubt(&NpyArray::Integers(ndarray::Array1::from(years).into_dyn())).unwrap().contains("61"));
        for plain in [
            NpyArray::Floats(array![0.5, 1.5, 2.0].into_dyn()),
            NpyArray::Integers(array![0, 1, 2, 0, 1].into_dyn()),
            NpyArray::Texts(array!["a".to_owned()].into_dyn()),
        ] {
            assert_eq!(doubt(&plain), None);
        }
    }
}
