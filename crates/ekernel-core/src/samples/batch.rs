//! The inputs of a kernel: a batch of samples of one kind, validated once.

use ndarray::{Array2, Array4, ArrayView, ArrayViewD, Axis, Dimension};

use super::{error::SamplesError, molecule::Molecule};
use crate::GroupElement;

/// A batch of network inputs in float64, all of one shape (molecules may differ in their numbers of atoms).
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// Shape (n, features).
    Vectors(Array2<f64>),
    /// Shape (n, height, width, channels).
    Images(Array4<f64>),
    /// Shape (n, 2L, 2L−1, channels): n signals on the grid of [`Input::Sphere`](crate::Input::Sphere).
    Spheres(Array4<f64>),
    /// Molecules.
    Molecules(Vec<Molecule>),
}

impl Samples {
    /// The largest magnitude of an entry that [`Samples::validate`] accepts.
    pub const LIMIT: f64 = 1e15;

    /// The least that the largest magnitude of a sample may be, unless it is 0: kernels are squares, and float64 begins at 1e-308.
    pub const SMALLEST: f64 = 1e-150;

    /// √(mean x²) of a sample's entries, whose squares may leave the range of f64; 1 for zeros alone and for molecules.
    pub fn root_mean_square(&self, index: usize) -> f64 {
        fn of<'a>(values: impl Iterator<Item = &'a f64> + Clone) -> f64 {
            let largest = values.clone().fold(0.0, |largest: f64, x| largest.max(x.abs()));
            if largest == 0.0 {
                return 1.0;
            }
            let (sum, count) =
                values.fold((0.0, 0), |(sum, count), x| (sum + (x / largest).powi(2), count + 1));
            largest * (sum / f64::from(count)).sqrt()
        }
        match self {
            Samples::Vectors(x) => of(x.row(index).iter()),
            Samples::Images(x) | Samples::Spheres(x) => of(x.index_axis(Axis(0), index).iter()),
            Samples::Molecules(_) => 1.0,
        }
    }

    /// The numbers of g·f divided by `size`, of a sample that is a vector or an image: `[position][channel]`. Nothing for others.
    pub fn copy(&self, index: usize, element: GroupElement, size: f64) -> Vec<f64> {
        let mut numbers: Vec<f64> = match self {
            Samples::Vectors(x) => x.row(index).to_vec(),
            Samples::Images(x) => element.apply(x.index_axis(Axis(0), index)).iter().copied().collect(),
            Samples::Spheres(_) | Samples::Molecules(_) => vec![],
        };
        if size != 1.0 {
            numbers.iter_mut().for_each(|x| *x /= size);
        }
        numbers
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Samples::Vectors(x) => x.nrows(),
            Samples::Images(x) | Samples::Spheres(x) => x.len_of(Axis(0)),
            Samples::Molecules(molecules) => molecules.len(),
        }
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shape of one sample: `[features]`, `[height, width, channels]` or `[2L, 2L−1, channels]`; empty for molecules.
    pub fn sample_shape(&self) -> Vec<usize> {
        match self {
            Samples::Vectors(x) => vec![x.ncols()],
            Samples::Images(x) | Samples::Spheres(x) => x.shape()[1..].to_vec(),
            Samples::Molecules(_) => vec![],
        }
    }

    /// The samples at `indices`, in that order.
    ///
    /// # Panics
    /// If an index is not below [`Samples::len`].
    pub fn select(&self, indices: &[usize]) -> Samples {
        match self {
            Samples::Vectors(x) => Samples::Vectors(x.select(Axis(0), indices)),
            Samples::Images(x) => Samples::Images(x.select(Axis(0), indices)),
            Samples::Spheres(x) => Samples::Spheres(x.select(Axis(0), indices)),
            Samples::Molecules(molecules) => {
                Samples::Molecules(indices.iter().map(|&i| molecules[i].clone()).collect())
            }
        }
    }

    /// Checks that there is at least one sample, no empty dimension, and only finite entries of at most
    /// [`Samples::LIMIT`] in magnitude, of which one in each sample is at least [`Samples::SMALLEST`] or all are 0; of molecules, that they have at least two atoms, all at different places.
    pub fn validate(&self) -> Result<(), SamplesError> {
        let (shape, values): (&[usize], Vec<ArrayViewD<'_, f64>>) = match self {
            Samples::Vectors(x) => (x.shape(), x.outer_iter().map(ArrayView::into_dyn).collect()),
            Samples::Images(x) | Samples::Spheres(x) => {
                (x.shape(), x.outer_iter().map(ArrayView::into_dyn).collect())
            }
            Samples::Molecules(molecules) if molecules.is_empty() => (&[0], vec![]),
            Samples::Molecules(molecules) => {
                return molecules.iter().enumerate().try_for_each(|(i, molecule)| molecule.validate(i));
            }
        };
        if shape.contains(&0) {
            return Err(SamplesError::Empty { shape: shape.to_vec() });
        }
        for (sample, values) in values.iter().enumerate() {
            let refused = |x: &f64| x.is_nan() || x.abs() > Self::LIMIT;
            if values.iter().any(refused)
                && let Some((index, &value)) = values.indexed_iter().find(|(_, x)| refused(x))
            {
                let index = index.slice().to_vec();
                return Err(if value.is_finite() {
                    SamplesError::TooLarge { sample, index, value, limit: Self::LIMIT }
                } else {
                    SamplesError::NotFinite { sample, index, value }
                });
            }
            let largest = values.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
            if largest != 0.0 && largest < Self::SMALLEST {
                return Err(SamplesError::TooSmall { sample, largest, limit: Self::SMALLEST });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_sample_whose_squares_underflow_is_refused() {
        let of = |values: Array2<f64>| Samples::Vectors(values).validate();
        for kept in [array![[0.0, 0.0], [1.0, 1e-300]], array![[-1e-150, 0.0]], array![[1e15, -1e15]]] {
            assert_eq!(of(kept), Ok(()));
        }
        let refused = of(array![[1.0, 2.0], [1e-170, -9.9e-151]]);
        let expected = SamplesError::TooSmall { sample: 1, largest: 9.9e-151, limit: Samples::SMALLEST };
        assert_eq!(refused, Err(expected));
    }

    #[test]
    fn the_place_of_a_refused_number_is_named() {
        let mut images = Array4::zeros((3, 2, 2, 2));
        images[[2, 1, 0, 1]] = f64::NAN;
        let refused = Samples::Images(images).validate().unwrap_err().to_string();
        assert!(refused.starts_with("sample 2 holds NaN at index [1, 0, 1]"), "{refused}");
        let refused = Samples::Vectors(array![[0.0, -2e15]]).validate();
        let expected = SamplesError::TooLarge { sample: 0, index: vec![1], value: -2e15, limit: 1e15 };
        assert_eq!(refused, Err(expected));
    }
}
