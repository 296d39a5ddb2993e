//! What is to be predicted: classes or numbers.

use std::collections::BTreeSet;

use ndarray::{Array2, ArrayD, Axis, Ix1, Ix2};

use crate::class_keys::Keys;
use crate::error::DataError;
use crate::npy::NpyArray;
use crate::place::Place;

/// The targets of a batch of samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// One class per sample.
    Classes {
        /// The class of each sample, counted from 0.
        labels: Vec<usize>,
        /// How many classes there are: at least the largest label plus one.
        n_classes: usize,
        /// Their names, `n_classes` of them, where the data have names.
        names: Option<Vec<String>>,
        /// Whether the data hold these numbers; where they hold names alone, the sorted names are numbered. Labels -1 and 1
        /// are names, in this order.
        numbered: bool,
    },
    /// Shape (n, outputs).
    Regression(Array2<f64>),
}

/// Labels from here on are taken for a mistake: a one-hot matrix of as many columns serves nobody.
pub(crate) const CLASS_LIMIT: u64 = 1 << 16;

impl Targets {
    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Targets::Classes { labels, .. } => labels.len(),
            Targets::Regression(values) => values.nrows(),
        }
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The targets of the samples at `indices`, in that order; the classes stay the same.
    ///
    /// # Panics
    /// If an index is not below [`Targets::len`].
    pub fn select(&self, indices: &[usize]) -> Targets {
        match self {
            Targets::Classes { labels, n_classes, names, numbered } => Targets::Classes {
                labels: indices.iter().map(|&index| labels[index]).collect(),
                n_classes: *n_classes,
                names: names.clone(),
                numbered: *numbered,
            },
            Targets::Regression(values) => Targets::Regression(values.select(Axis(0), indices)),
        }
    }

    /// These targets with the classes of `train`.
    ///
    /// Classes are matched by name where both sets have names (two folders may lack different classes), else by number.
    /// Names that are numbers, of folders 0, 1, …, match the numbers of labels.
    ///
    /// # Errors
    /// [`DataError::Mismatch`] for a class that `train` does not know, names against numbers, another number of regression
    /// targets, or classes against regression.
    pub fn in_terms_of(self, train: &Targets) -> Result<Targets, DataError> {
        let mismatch = |reason: String| Err(DataError::Mismatch { reason });
        match (self, train) {
            (Targets::Regression(values), Targets::Regression(known)) => {
                if values.ncols() == known.ncols() {
                    return Ok(Targets::Regression(values));
                }
                mismatch(format!("{} per sample, {} in training", values.ncols(), known.ncols()))
            }
            (Targets::Classes { .. }, Targets::Regression(_)) => mismatch(
                "they are integers (classes), the training targets are floats (regression); --targets reads both alike"
                    .to_owned(),
            ),
            (Targets::Regression(_), Targets::Classes { .. }) => mismatch(
                "they are floats (regression), the training targets are integers (classes); --targets reads both alike"
                    .to_owned(),
            ),
            (
                Targets::Classes { labels, n_classes: count, names, numbered },
                Targets::Classes { n_classes, names: known, numbered: known_numbered, .. },
            ) => {
                let tested = Keys::new(count, names.as_deref(), numbered);
                let trained = Keys::new(*n_classes, known.as_deref(), *known_numbered);
                let new = tested.places_in(&trained).map_err(|reason| DataError::Mismatch { reason })?;
                let renamed: Option<Vec<usize>> = labels.iter().map(|&label| new[label]).collect();
                let Some(renamed) = renamed else {
                    let numbers = names.is_none() && numbered;
                    return mismatch(unknown(&labels, &new, &tested, numbers));
                };
                let (n_classes, names, numbered) = (*n_classes, known.clone(), *known_numbered);
                Ok(Targets::Classes { labels: renamed, n_classes, names, numbered })
            }
        }
    }

    /// The classes of these targets, in words, of which `train` has no sample; both have the same classes.
    pub fn untrained(&self, train: &Targets) -> Vec<String> {
        let (Targets::Classes { labels, n_classes, names, numbered }, Targets::Classes { labels: known, .. }) =
            (self, train)
        else {
            return Vec::new();
        };
        let keys = Keys::new(*n_classes, names.as_deref(), *numbered);
        let known: BTreeSet<usize> = known.iter().copied().collect();
        let tested: BTreeSet<usize> = labels.iter().copied().collect();
        tested.difference(&known).map(|&label| keys.describe(label)).collect()
    }

    /// Targets from an array as stored.
    pub(crate) fn from_array(array: NpyArray, place: &Place) -> Result<Targets, DataError> {
        if array.shape().first().is_none_or(|&n| n == 0) || array.shape().contains(&0) {
            return match array.shape() {
                [] => Err(wrong_shape(place, &[])),
                shape => Err(DataError::NoRows { place: place.clone(), shape: shape.to_vec() }),
            };
        }
        match array {
            NpyArray::Floats(values) => regression(values, place),
            NpyArray::Bools(values) => classes(column(values, place)?.into_iter().map(i64::from), place),
            NpyArray::Bytes(values) => classes(column(values, place)?.into_iter().map(i64::from), place),
            NpyArray::Integers(values) => classes(column(values, place)?.into_iter(), place),
            NpyArray::Texts(values) => Ok(named(column(values, place)?)),
        }
    }

    /// The same targets with names for the classes.
    ///
    /// # Errors
    /// [`DataError::ClassNames`] if there are fewer names than classes.
    pub(crate) fn with_names(self, names: Vec<String>, place: &Place) -> Result<Targets, DataError> {
        match self {
            Targets::Classes { labels, n_classes, names: None, numbered } => {
                if names.len() < n_classes {
                    let (names, largest) = (names.len(), n_classes - 1);
                    return Err(DataError::ClassNames { place: place.clone(), names, largest });
                }
                Ok(Targets::Classes { labels, n_classes: names.len(), names: Some(names), numbered })
            }
            other => Ok(other),
        }
    }
}

/// Which classes of a test set do not occur in training, and what could be meant.
fn unknown(labels: &[usize], places: &[Option<usize>], tested: &Keys<'_>, numbers: bool) -> String {
    const SHOWN: usize = 5;
    let lacking: BTreeSet<usize> = labels.iter().copied().filter(|&label| places[label].is_none()).collect();
    let first = labels.iter().position(|label| lacking.contains(label)).unwrap_or_default();
    let what = tested.describe(labels[first]);
    let others: Vec<String> = lacking
        .iter()
        .filter(|&&label| label != labels[first])
        .map(|&label| tested.describe(label))
        .collect();
    let others = match others.len() {
        0 => String::new(),
        n if n <= SHOWN => format!(", nor {} of others", others.join(", ")),
        n => format!(", nor {} and {} more of others", others[..SHOWN].join(", "), n - SHOWN),
    };
    let known = places.iter().filter(|place| place.is_some()).count();
    let hint = match (numbers, lacking.len()) {
        (false, _) => "",
        // Labels 1 to n against 0 to n - 1 lack the last alone.
        (true, 1)
            if known > 0 && labels.iter().min() == Some(&1) && lacking.last() == labels.iter().max() =>
        {
            "; the test labels begin at 1: are those of the training set counted from 0?"
        }
        (true, _) => "; numbers that are no classes, such as years or counts, are read by --targets values",
    };
    format!("{what} of sample {first} does not occur in training{others}{hint}")
}

/// Classes from one name per sample; they are numbered in the order of the sorted names.
pub(crate) fn named(values: Vec<String>) -> Targets {
    let names: Vec<String> = values.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let labels = values.iter().map(|value| names.partition_point(|name| name < value)).collect();
    of_sorted(labels, names)
}

/// Classes that are numbered in the order of their sorted names.
pub(crate) fn of_sorted(labels: Vec<usize>, names: Vec<String>) -> Targets {
    Targets::Classes { labels, n_classes: names.len(), names: Some(names), numbered: false }
}

/// The classes that are written as -1 and 1, in this order.
const SIGNS: [&str; 2] = ["-1", "1"];

fn classes(values: impl Iterator<Item = i64> + Clone, place: &Place) -> Result<Targets, DataError> {
    if values.clone().all(|value| matches!(value, -1 | 1)) && values.clone().any(|value| value < 0) {
        let labels = values.map(|value| usize::from(value > 0)).collect();
        return Ok(of_sorted(labels, SIGNS.map(str::to_owned).to_vec()));
    }
    let mut labels = Vec::new();
    for (sample, value) in values.enumerate() {
        let Ok(label) = u64::try_from(value) else {
            return Err(DataError::NegativeLabel { place: place.clone(), sample, value });
        };
        if label >= CLASS_LIMIT {
            return Err(DataError::LabelTooLarge {
                place: place.clone(),
                sample,
                value: label,
                limit: CLASS_LIMIT,
            });
        }
        labels.push(label as usize);
    }
    let n_classes = labels.iter().max().map_or(0, |largest| largest + 1);
    Ok(Targets::Classes { labels, n_classes, names: None, numbered: true })
}

fn regression(values: ArrayD<f64>, place: &Place) -> Result<Targets, DataError> {
    let shape = values.shape().to_vec();
    let values = match shape.len() {
        1 => values.insert_axis(Axis(1)),
        _ => values,
    };
    let values = values.into_dimensionality::<Ix2>().map_err(|_| wrong_shape(place, &shape))?;
    if let Some(((sample, column), &value)) = values.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(DataError::TargetNotFinite { place: place.clone(), sample, column, value });
    }
    Ok(Targets::Regression(values.as_standard_layout().into_owned()))
}

/// Shape (n,), or (n, 1) as some collections store their labels.
fn column<T: Clone>(values: ArrayD<T>, place: &Place) -> Result<Vec<T>, DataError> {
    let shape = values.shape().to_vec();
    let values = match shape[..] {
        [_, 1] => values.index_axis_move(Axis(1), 0),
        _ => values,
    };
    let values = values.into_dimensionality::<Ix1>().map_err(|_| wrong_shape(place, &shape))?;
    Ok(values.to_vec())
}

fn wrong_shape(place: &Place, shape: &[usize]) -> DataError {
    DataError::Shape {
        place: place.clone(),
        shape: shape.to_vec(),
        wanted: "targets are integers (n,) for classes, or floats (n,) or (n, m) for regression; --targets classes \
                 reads one-hot rows, --targets values a column of 0 and 1 for each of several labels",
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, array};

    use super::*;

    fn place() -> Place {
        Place::entry("d.npz", "y")
    }

    fn classes_of(labels: &[usize], n_classes: usize, names: Option<&[&str]>) -> Targets {
        let names = names.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        let numbered = names.is_none();
        Targets::Classes { labels: labels.to_vec(), n_classes, names, numbered }
    }

    #[test]
    fn integers_are_classes_and_floats_are_not() {
        let read = |array| Targets::from_array(array, &place()).unwrap();
        assert_eq!(read(NpyArray::Integers(array![2, 0, 1].into_dyn())), classes_of(&[2, 0, 1], 3, None));
        assert_eq!(read(NpyArray::Bytes(array![[2], [0]].into_dyn())), classes_of(&[2, 0], 3, None));
        assert_eq!(read(NpyArray::Bools(array![true, false].into_dyn())), classes_of(&[1, 0], 2, None));
        assert_eq!(
            read(NpyArray::Texts(array!["dog".to_owned(), "cat".to_owned(), "dog".to_owned()].into_dyn())),
            classes_of(&[1, 0, 1], 2, Some(&["cat", "dog"]))
        );
        assert_eq!(
            read(NpyArray::Floats(array![1.5, -2.0].into_dyn())),
            Targets::Regression(array![[1.5], [-2.0]])
        );
        assert_eq!(
            read(NpyArray::Floats(array![[1.0, 2.0], [3.0, 4.0]].into_dyn())),
            Targets::Regression(array![[1.0, 2.0], [3.0, 4.0]])
        );
    }

    #[test]
    fn faults_name_the_sample() {
        let fault = |array| Targets::from_array(array, &place()).unwrap_err();
        assert!(matches!(
            fault(NpyArray::Integers(array![0, -1].into_dyn())),
            DataError::NegativeLabel { sample: 1, value: -1, .. }
        ));
        assert!(matches!(
            fault(NpyArray::Integers(array![0, 70_000].into_dyn())),
            DataError::LabelTooLarge { sample: 1, value: 70_000, .. }
        ));
        assert!(matches!(
            fault(NpyArray::Floats(array![[0.0, 1.0], [f64::INFINITY, 0.0]].into_dyn())),
            DataError::TargetNotFinite { sample: 1, column: 0, .. }
        ));
        assert!(matches!(fault(NpyArray::Integers(array![[0, 1]].into_dyn())), DataError::Shape { .. }));
        assert!(matches!(fault(NpyArray::Floats(Array::zeros(vec![2, 2, 2]))), DataError::Shape { .. }));
        assert!(matches!(fault(NpyArray::Floats(Array::zeros(vec![]))), DataError::Shape { .. }));
        assert!(matches!(fault(NpyArray::Floats(Array::zeros(vec![0]))), DataError::NoRows { .. }));
        assert!(matches!(fault(NpyArray::Floats(Array::zeros(vec![3, 0]))), DataError::NoRows { .. }));
    }

    #[test]
    fn classes_are_matched_by_name() {
        let train = classes_of(&[0, 1, 2], 3, Some(&["a", "b", "c"]));
        let test = classes_of(&[0, 1, 0], 2, Some(&["c", "a"]));
        assert_eq!(test.in_terms_of(&train).unwrap(), classes_of(&[2, 0, 2], 3, Some(&["a", "b", "c"])));
        let unknown = classes_of(&[0], 1, Some(&["d"])).in_terms_of(&train).unwrap_err();
        assert!(unknown.to_string().contains("class 'd' of sample 0 does not occur in training"));
        let Targets::Classes { labels, n_classes, names, .. } = train.clone() else {
            panic!("classes expected")
        };
        let numbered = Targets::Classes { labels, n_classes, names, numbered: true };
        assert_eq!(classes_of(&[1], 2, None).in_terms_of(&numbered).unwrap(), numbered.select(&[1]));
        assert!(classes_of(&[3], 4, None).in_terms_of(&numbered).is_err());
        assert!(Targets::Regression(array![[1.0]]).in_terms_of(&train).is_err());
        assert!(
            Targets::Regression(array![[1.0]]).in_terms_of(&Targets::Regression(array![[1.0, 2.0]])).is_err()
        );
    }

    /// Folders or texts 0, 1, …, 11 are sorted as 0, 1, 10, 11, 2, …: their place in that order is not their number.
    #[test]
    fn names_that_are_numbers_match_numbers() {
        let numbers: Vec<usize> = (0..12).collect();
        let texts = named(numbers.iter().map(usize::to_string).collect());
        let ints = classes_of(&numbers, 12, None);
        assert_eq!(texts.clone().in_terms_of(&ints).unwrap(), ints);
        assert_eq!(ints.clone().in_terms_of(&texts).unwrap(), texts);
        let some = named(["7", "11", "2"].map(str::to_owned).to_vec());
        assert_eq!(some.clone().in_terms_of(&ints).unwrap(), ints.select(&[7, 11, 2]));
        let padded = named(["07", "11", "2"].map(str::to_owned).to_vec());
        assert_eq!(padded.clone().in_terms_of(&ints).unwrap(), ints.select(&[7, 11, 2]));
        let places = padded.in_terms_of(&texts).unwrap();
        assert_eq!(places, some.in_terms_of(&texts).unwrap());
        let beyond = named(vec!["12".to_owned()]).in_terms_of(&ints).unwrap_err().to_string();
        assert!(beyond.contains("class '12' of sample 0 does not occur"), "{beyond}");
    }

    #[test]
    fn what_training_lacks_is_named_with_what_could_be_meant() {
        let numbers = |labels: &[usize], n_classes| Targets::Classes {
            labels: labels.to_vec(),
            n_classes,
            names: None,
            numbered: true,
        };
        let said = |test: Targets, train: &Targets| test.in_terms_of(train).unwrap_err().to_string();
        let train = numbers(&[0, 1, 2, 3], 4);
        let from_one = said(numbers(&[1, 2, 3, 4], 5), &train);
        assert!(from_one.contains("class 4 of sample 3") && from_one.contains("begin at 1"), "{from_one}");
        let years = said(numbers(&[2009, 3, 2011], 2012), &train);
        assert!(years.contains("class 2009 of sample 0") && years.contains("nor class 2011"), "{years}");
        assert!(years.contains("--targets values"), "{years}");
        let names = said(classes_of(&[0, 1], 2, Some(&["a", "q"])), &classes_of(&[0], 1, Some(&["a"])));
        assert!(names.ends_with("class 'q' of sample 1 does not occur in training"), "{names}");
    }

    #[test]
    fn names_do_not_match_numbers() {
        let (words, ints) = (named(vec!["cat".to_owned(), "dog".to_owned()]), classes_of(&[0, 1], 2, None));
        for (one, other) in [(&words, &ints), (&ints, &words)] {
            let refused = one.clone().in_terms_of(other).unwrap_err().to_string();
            assert!(
                refused.contains("'cat'") && refused.contains("numbers in both, or names in both"),
                "{refused}"
            );
        }
        let twice = named(["7", "07"].map(str::to_owned).to_vec());
        assert!(twice.in_terms_of(&ints).unwrap_err().to_string().contains("'7'"));
    }

    /// File systems of macOS decompose names, others leave them composed.
    #[test]
    fn composed_and_decomposed_names_are_one() {
        let train = named(["M\u{fc}ll", "\u{d6}l"].map(str::to_owned).to_vec());
        let test = named(["Mu\u{308}ll", "O\u{308}l"].map(str::to_owned).to_vec());
        assert_eq!(test.in_terms_of(&train).unwrap(), train);
    }

    #[test]
    fn classes_without_a_training_sample_are_named() {
        let (train, test) = (classes_of(&[1, 2, 3], 4, None), classes_of(&[0, 1, 2], 3, None));
        assert_eq!(test.in_terms_of(&train).unwrap().untrained(&train), ["class 0"]);
        let train = classes_of(&[0, 0], 2, Some(&["a", "b"]));
        let test = classes_of(&[0, 1], 2, Some(&["a", "b"])).in_terms_of(&train).unwrap();
        assert_eq!(test.untrained(&train), ["class 'b'"]);
        assert!(Targets::Regression(array![[1.0]]).untrained(&train).is_empty());
    }
}
