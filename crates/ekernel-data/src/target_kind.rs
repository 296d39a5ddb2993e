//! Whether targets are classes or values, where their type leaves it open.

use std::collections::BTreeSet;

use ndarray::{ArrayD, Axis, Ix2};

use crate::error::DataError;
use crate::npy::NpyArray;
use crate::place::Place;
use crate::targets::CLASS_LIMIT;

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
            None => wrong(
                "classes",
                "classes are whole numbers of at least 0, or -1 and 1, texts, or rows of one 1 and zeros",
            ),
        },
        (TargetKind::Values, array) => match floats(&array) {
            Some(values) => Ok(NpyArray::Floats(values)),
            None => wrong("values", "they are texts"),
        },
    }
}

/// What could be meant instead, in words, where the type of an array may mislead.
///
/// Integers are classes by their type, and numbers such as years, counts and prices are integers too. Without a word remain
/// what is numbered as classes are: from 0 or 1, few, hardly a number left out, and most of them repeated.
pub(crate) fn doubt(array: &NpyArray) -> Option<String> {
    let values = floats(array)?;
    let distinct = different(&values);
    match array {
        NpyArray::Floats(_) if values.len() > 2 * distinct && labels(values.clone()).is_some() => {
            Some("whole floats are taken for values; --targets classes takes them for classes".to_owned())
        }
        NpyArray::Integers(_) | NpyArray::Bytes(_)
            if !is_signs(&values) && !numbered_like_classes(&values, distinct) =>
        {
            Some(format!(
                "{distinct} different integers are taken for classes (--targets classes says so); --targets values takes them \
                 for values"
            ))
        }
        _ => None,
    }
}

/// Whether integers of `distinct` different values look like the numbers of classes.
fn numbered_like_classes(values: &ArrayD<f64>, distinct: usize) -> bool {
    /// More are as likely ages, hours or counts.
    const FEW: usize = 20;
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    distinct <= FEW
        && (low == 0.0 || low == 1.0)
        && 2.0 * distinct as f64 > high - low
        && 2 * values.len() >= 3 * distinct
}

/// How many different numbers there are, if all could be the numbers of classes.
pub(crate) fn whole_numbers(array: &NpyArray) -> Option<usize> {
    let values = floats(array)?;
    let distinct = different(&values);
    let small = values.iter().all(|value| *value < CLASS_LIMIT as f64);
    labels(values).filter(|_| small).map(|_| distinct)
}

fn different(values: &ArrayD<f64>) -> usize {
    values.iter().map(|value| value.to_bits()).collect::<BTreeSet<u64>>().len()
}

/// Whether these are -1 and 1 alone, as two classes are often written.
fn is_signs(values: &ArrayD<f64>) -> bool {
    values.iter().all(|value| value.abs() == 1.0) && values.iter().any(|value| *value < 0.0)
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

/// The class of each sample: of whole numbers (n,) or (n, 1), or of one-hot rows (n, m); -1 and 1 as they are.
fn labels(values: ArrayD<f64>) -> Option<ArrayD<i64>> {
    if is_signs(&values) {
        return Some(values.mapv(|value| value as i64));
    }
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
            array![-1.0, 0.0].into_dyn(),
            array![[1.0, 1.0]].into_dyn(),
            array![[0.0, 0.0]].into_dyn(),
        ] {
            assert_eq!(said(NpyArray::Floats(array), TargetKind::Classes), None);
        }
    }

    #[test]
    fn minus_one_and_one_are_two_classes() {
        let signs = NpyArray::Integers(array![-1, 1, -1].into_dyn());
        assert_eq!(
            said(NpyArray::Floats(array![-1.0, 1.0, -1.0].into_dyn()), TargetKind::Classes),
            Some(signs)
        );
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
        let integers = |n: i64, value: &dyn Fn(i64) -> i64| {
            doubt(&NpyArray::Integers((0..n).map(value).collect::<ndarray::Array1<_>>().into_dyn()))
        };
        // (different values, samples): years however often repeated, numbers from 0 hardly repeated, and many.
        for (distinct, n) in [(60, 1000), (61, 90), (30, 40), (50, 1000), (50, 50), (2, 1000), (1, 8)] {
            let years = integers(n, &|i| 1950 + i % distinct).expect("years are doubted");
            assert!(years.starts_with(&format!("{distinct} different integers")), "{years}");
        }
        for (distinct, n) in [(30, 40), (50, 1000), (21, 9000), (10, 14), (10, 10)] {
            assert!(integers(n, &|i| i % distinct).is_some(), "{distinct} of {n}");
        }
        assert!(integers(100, &|i| 100 * (i % 5)).is_some(), "prices");
        for (distinct, n) in [(2, 4), (10, 20), (20, 1000), (1, 8)] {
            for first in [0, 1] {
                assert_eq!(integers(n, &|i| first + i % distinct), None, "{distinct} of {n} from {first}");
            }
        }
        // Classes with a gap, and two classes as signs.
        assert_eq!(integers(100, &|i| [0, 1, 3][i as usize % 3]), None);
        assert_eq!(integers(100, &|i| 2 * (i % 2) - 1), None);
        let signs = ndarray::Array1::from_shape_fn(30, |i| f64::from(i as u8 % 2) * 2.0 - 1.0);
        assert!(doubt(&NpyArray::Floats(signs.into_dyn())).unwrap().contains("--targets classes"));
        for plain in [
            NpyArray::Floats(array![0.5, 1.5, 2.0].into_dyn()),
            NpyArray::Integers(array![0, 1, 2, 0, 1].into_dyn()),
            NpyArray::Texts(array!["a".to_owned()].into_dyn()),
        ] {
            assert_eq!(doubt(&plain), None);
        }
    }
}
