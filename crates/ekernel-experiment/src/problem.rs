//! A training set and a test set, prepared alike.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hasher},
    sync::Arc,
};

use ekernel_core::Samples;
use ekernel_data::{Normalizer, Targets};
use ndarray::{Array1, Axis};

use crate::{composition::Composition, measure::Measure};

/// A training set and a test set, prepared alike.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Samples to train on.
    pub train: Arc<Samples>,
    /// What they are.
    pub train_targets: Targets,
    /// Samples to predict.
    pub test: Arc<Samples>,
    /// What they are, where it is known; in terms of `train_targets`.
    pub test_targets: Option<Targets>,
    /// A name for each test sample, its row where the data have no names.
    pub test_names: Vec<String>,
    /// Standard deviation of the noise of each training target, where it is known: its square is added to the diagonal of the
    /// training kernel.
    pub noise: Option<Array1<f64>>,
    /// How the kernels of training samples are averaged, `flip` for each image and its mirror image.
    pub augment: Option<&'static str>,
    /// How both were prepared.
    pub normalizer: Normalizer,
    /// What the readers did beside reading.
    pub notes: Vec<String>,
    /// How predictions are compared.
    pub measure: Measure,
    /// Of molecules, what their numbers of atoms say.
    pub composition: Option<Composition>,
    /// Of molecules, the name of the property.
    pub property: Option<String>,
}

impl Problem {
    /// A problem that is not of molecules.
    pub fn new(
        (train, train_targets): (Samples, Targets),
        (test, test_targets): (Samples, Option<Targets>),
        normalizer: Normalizer,
    ) -> Problem {
        Problem {
            test_names: (0..test.len()).map(|row| row.to_string()).collect(),
            measure: Measure::of_targets(&train_targets),
            train: Arc::new(train),
            train_targets,
            test: Arc::new(test),
            test_targets,
            noise: None,
            augment: None,
            normalizer,
            notes: Vec::new(),
            composition: None,
            property: None,
        }
    }

    /// Keeps the test samples at `indices`.
    ///
    /// # Panics
    /// If an index is not below the number of test samples.
    pub fn keep_test(&mut self, indices: &[usize]) {
        self.test = Arc::new(self.test.select(indices));
        self.test_names = indices.iter().map(|&index| self.test_names[index].clone()).collect();
        self.test_targets = self.test_targets.take().map(|targets| targets.select(indices));
        if let Some(composition) = &mut self.composition {
            composition.keep_test(indices);
        }
    }

    /// Keeps the training samples at `indices`.
    ///
    /// # Panics
    /// If an index is not below the number of training samples.
    pub fn keep_train(&mut self, indices: &[usize]) {
        self.train = Arc::new(self.train.select(indices));
        self.train_targets = self.train_targets.select(indices);
        self.noise = self.noise.take().map(|noise| noise.select(Axis(0), indices));
        if let Some(composition) = &mut self.composition {
            composition.keep_train(indices);
        }
    }

    /// How many of the test samples are training samples too: scores of these say how well they are fitted.
    pub fn trained_test_samples(&self) -> usize {
        let place = |samples: &Samples, index: usize| {
            let mut hasher = DefaultHasher::new();
            each_bit_pattern(samples, index, |bits| hasher.write_u64(bits));
            hasher.finish()
        };
        let mut trained: HashMap<u64, Vec<usize>> = HashMap::new();
        for index in 0..self.train.len() {
            trained.entry(place(&self.train, index)).or_default().push(index);
        }
        let same = |test: usize, train: usize| {
            let patterns = [(&self.test, test), (&self.train, train)].map(|(samples, index)| {
                let mut patterns = Vec::new();
                each_bit_pattern(samples, index, |bits| patterns.push(bits));
                patterns
            });
            patterns[0] == patterns[1]
        };
        let is_trained = |test: &usize| {
            let near = trained.get(&place(&self.test, *test));
            near.is_some_and(|near| near.iter().any(|&train| same(*test, train)))
        };
        (0..self.test.len()).filter(is_trained).count()
    }

    /// The name of each class, numbers where the data have no names; empty for regression.
    pub fn class_names(&self) -> Vec<String> {
        match &self.train_targets {
            Targets::Regression(_) => Vec::new(),
            Targets::Classes { names: Some(names), .. } => names.clone(),
            Targets::Classes { n_classes, .. } => (0..*n_classes).map(|class| class.to_string()).collect(),
        }
    }
}

/// Hands over the numbers of a sample.
fn each_bit_pattern(samples: &Samples, index: usize, mut take: impl FnMut(u64)) {
    match samples {
        Samples::Vectors(x) => x.row(index).iter().for_each(|x| take(x.to_bits())),
        Samples::Images(x) | Samples::Spheres(x) => {
            x.index_axis(Axis(0), index).iter().for_each(|x| take(x.to_bits()));
        }
        Samples::Molecules(molecules) => {
            let molecule = &molecules[index];
            molecule.charges.iter().for_each(|charge| take(u64::from(*charge)));
            molecule.positions.iter().for_each(|x| take(x.to_bits()));
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn test_samples_that_are_trained_are_counted() {
        let problem = |test: Array2<f64>| {
            let train = array![[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]];
            let values = |n: usize| Targets::Regression(Array2::zeros((n, 1)));
            let n = test.nrows();
            Problem::new(
                (Samples::Vectors(train), values(3)),
                (Samples::Vectors(test), Some(values(n))),
                Normalizer::None,
            )
        };
        assert_eq!(problem(array![[1.0, 2.0], [2.0, 1.0], [3.0, 4.0], [1.0, 2.0]]).trained_test_samples(), 3);
        assert_eq!(problem(array![[4.0, 3.0]]).trained_test_samples(), 0);
    }
}
