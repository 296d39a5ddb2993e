//! Samples from an array as it was stored.

use ekernel_core::Samples;
use ndarray::{ArrayD, Axis, Ix2, Ix4};

use crate::error::DataError;
use crate::memory;
use crate::npy::NpyArray;
use crate::place::Place;

/// The largest integer up to which float64 holds every integer.
const EXACT: i64 = 1 << 53;

/// Samples from an array: (n, d) vectors, (n, h, w) images of one channel, (n, h, w, c) images.
///
/// uint8 x means x/255; every other type is taken as it is.
pub(crate) fn from_array(array: NpyArray, place: &Place) -> Result<Samples, DataError> {
    memory::ensure_fits(place, array.shape().iter().product::<usize>() as u128 * 8)?;
    let values = match array {
        NpyArray::Floats(values) => values,
        NpyArray::Bytes(values) => memory::map(place, &values, unit)?,
        NpyArray::Bools(values) => memory::map(place, &values, |value| if value { 1.0 } else { 0.0 })?,
        NpyArray::Integers(values) => {
            if let Some((position, &value)) =
                values.iter().enumerate().find(|(_, value)| !(-EXACT..=EXACT).contains(*value))
            {
                return Err(DataError::Inexact { place: place.clone(), position, value });
            }
            memory::map(place, &values, |value| value as f64)?
        }
        NpyArray::Texts(_) => {
            return Err(DataError::Dtype {
                place: place.clone(),
                dtype: "string".to_owned(),
                wanted: "samples are numbers: uint8 images, or floats",
            });
        }
    };
    checked(shaped(values, place)?, place)
}

/// A byte of an image as a number in [0, 1].
pub(crate) fn unit(byte: u8) -> f64 {
    f64::from(byte) / 255.0
}

/// The samples themselves if they are fit for a kernel.
pub(crate) fn checked(samples: Samples, place: &Place) -> Result<Samples, DataError> {
    match samples.validate() {
        Ok(()) => Ok(samples),
        Err(source) => Err(DataError::Samples { place: place.clone(), source }),
    }
}

fn shaped(values: ArrayD<f64>, place: &Place) -> Result<Samples, DataError> {
    let shape = values.shape().to_vec();
    let wrong = |_| DataError::Shape {
        place: place.clone(),
        shape: shape.clone(),
        wanted: "samples are vectors (n, d) or images (n, h, w) or (n, h, w, c)",
    };
    Ok(match values.ndim() {
        2 => Samples::Vectors(standard(values.into_dimensionality::<Ix2>().map_err(wrong)?)),
        3 => Samples::Images(standard(
            values.insert_axis(Axis(3)).into_dimensionality::<Ix4>().map_err(wrong)?,
        )),
        _ => Samples::Images(standard(values.into_dimensionality::<Ix4>().map_err(wrong)?)),
    })
}

/// In C order, copied only if it is not.
fn standard<D: ndarray::Dimension>(values: ndarray::Array<f64, D>) -> ndarray::Array<f64, D> {
    if values.is_standard_layout() { values } else { values.as_standard_layout().into_owned() }
}

/// Says so if the images look like (n, channels, height, width), which nothing here reads: 1 to 4 rows, and more
/// than four channels.
pub fn channels_first_hint(samples: &Samples) -> Option<String> {
    let Samples::Images(images) = samples else { return None };
    let (n, h, w, c) = images.dim();
    ((1..=4).contains(&h) && c > 4).then(|| {
        format!(
            "the images have shape ({n}, {h}, {w}, {c}), which looks like channels first; ekernel reads (n, height, \
             width, channels): save x.transpose(0, 2, 3, 1)"
        )
    })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, array};

    use super::*;

    fn place() -> Place {
        Place::entry("d.npz", "x")
    }

    #[test]
    fn only_bytes_are_scaled() {
        let read = |array| from_array(array, &place()).unwrap();
        assert_eq!(
            read(NpyArray::Bytes(array![[0u8, 51, 255]].into_dyn())),
            Samples::Vectors(array![[0.0, 0.2, 1.0]])
        );
        assert_eq!(
            read(NpyArray::Integers(array![[0, 51, -255]].into_dyn())),
            Samples::Vectors(array![[0.0, 51.0, -255.0]])
        );
        assert_eq!(
            read(NpyArray::Bools(array![[true, false]].into_dyn())),
            Samples::Vectors(array![[1.0, 0.0]])
        );
    }

    #[test]
    fn images_without_channels_have_one() {
        let samples = from_array(NpyArray::Floats(Array::zeros(vec![2, 5, 4])), &place()).unwrap();
        assert_eq!(samples.sample_shape(), [5, 4, 1]);
    }

    #[test]
    fn faults() {
        let fault = |array| from_array(array, &place()).unwrap_err();
        for shape in [vec![], vec![3], vec![1, 1, 1, 1, 1]] {
            assert!(matches!(fault(NpyArray::Floats(Array::zeros(shape))), DataError::Shape { .. }));
        }
        for shape in [vec![0, 3], vec![2, 0], vec![0, 3, 3, 1]] {
            assert!(matches!(fault(NpyArray::Floats(Array::zeros(shape))), DataError::Samples { .. }));
        }
        let message = fault(NpyArray::Floats(array![[0.0, 1.0], [f64::NAN, 0.0]].into_dyn())).to_string();
        assert_eq!(message, "d.npz:x: sample 1 holds NaN at index [0]; remove or replace it");
        assert!(matches!(
            fault(NpyArray::Integers(array![[0, EXACT + 1]].into_dyn())),
            DataError::Inexact { position: 1, .. }
        ));
        assert!(matches!(
            fault(NpyArray::Texts(array![["a".to_owned()]].into_dyn())),
            DataError::Dtype { .. }
        ));
    }

    #[test]
    fn channels_first_is_recognised() {
        let images = |shape| Samples::Images(Array::zeros(shape));
        assert!(channels_first_hint(&images((7, 3, 32, 32))).unwrap().contains("(7, 3, 32, 32)"));
        assert!(channels_first_hint(&images((7, 1, 28, 28))).is_some());
        assert_eq!(channels_first_hint(&images((7, 32, 32, 3))), None);
        assert_eq!(channels_first_hint(&images((7, 1, 1, 3))), None);
        assert_eq!(channels_first_hint(&Samples::Vectors(Array::zeros((7, 3)))), None);
    }
}
