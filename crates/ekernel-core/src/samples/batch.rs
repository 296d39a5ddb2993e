//! The inputs of a kernel: a batch of samples of one kind, validated once.

use ndarray::{Array2, Array4, Axis};

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
    /// [`Samples::LIMIT`] in magnitude; of molecules, that they have at least two atoms, all at different places.
    pub fn validate(&self) -> Result<(), SamplesError> {
        let (shape, values): (&[usize], Box<dyn Iterator<Item = &f64>>) = match self {
            Samples::Vectors(x) => (x.shape(), Box::new(x.iter())),
            Samples::Images(x) | Samples::Spheres(x) => (x.shape(), Box::new(x.iter())),
            Samples::Molecules(molecules) if molecules.is_empty() => (&[0], Box::new([].iter())),
            Samples::Molecules(molecules) => {
                return molecules.iter().enumerate().try_for_each(|(i, molecule)| molecule.validate(i));
            }
        };
        if shape.contains(&0) {
            return Err(SamplesError::Empty { shape: shape.to_vec() });
        }
        let per_sample: usize = shape[1..].iter().product();
        for (position, &value) in values.enumerate() {
            if value.abs() <= Self::LIMIT {
                continue;
            }
            let sample = position / per_sample;
            let mut rest = position % per_sample;
            let mut index = vec![0; shape.len() - 1];
            for (slot, &extent) in index.iter_mut().zip(&shape[1..]).rev() {
                *slot = rest % extent;
                rest /= extent;
            }
            return Err(if value.is_finite() {
                SamplesError::TooLarge { sample, index, value, limit: Self::LIMIT }
            } else {
                SamplesError::NotFinite { sample, index, value }
            });
        }
        Ok(())
    }
}
