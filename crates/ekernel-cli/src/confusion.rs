//! The confusion of the classes that occur: labels may be years, and all numbers below are no classes.

use std::collections::BTreeSet;

use ekernel_data::Targets;
use ekernel_experiment::Problem;
use ndarray::{Array2, Axis};

/// Counts (true class, predicted class) and names of the classes that are trained, tested or predicted.
pub(crate) fn of_occurring(problem: &Problem, counts: &Array2<usize>) -> (Array2<usize>, Vec<String>) {
    let names = problem.class_names();
    let trained: BTreeSet<usize> = match &problem.train_targets {
        Targets::Classes { labels, .. } => labels.iter().copied().collect(),
        Targets::Regression(_) => BTreeSet::new(),
    };
    let occurs = |class: &usize| {
        trained.contains(class) || counts.row(*class).sum() > 0 || counts.column(*class).sum() > 0
    };
    let kept: Vec<usize> = (0..counts.nrows()).filter(occurs).collect();
    let counts = counts.select(Axis(0), &kept).select(Axis(1), &kept);
    (counts, kept.iter().map(|&class| names[class].clone()).collect())
}

#[cfg(test)]
mod tests {
    use ekernel_core::Samples;
    use ekernel_data::Normalizer;
    use ndarray::array;

    use super::*;

    #[test]
    fn numbers_that_are_no_class_are_left_out() {
        let classes = |labels: &[usize]| Targets::Classes {
            labels: labels.to_vec(),
            n_classes: 6,
            names: None,
            numbered: true,
        };
        let samples = |n: usize| Samples::Vectors(Array2::zeros((n, 1)));
        let (train, test) = ((samples(2), classes(&[3, 5])), (samples(2), Some(classes(&[5, 1]))));
        let problem = Problem::new(train, test, Normalizer::None);
        let mut counts = Array2::zeros((6, 6));
        counts[[5, 3]] = 1;
        counts[[1, 3]] = 1;
        let (counts, names) = of_occurring(&problem, &counts);
        assert_eq!(names, ["1", "3", "5"]);
        assert_eq!(counts, array![[0, 1, 0], [0, 0, 0], [0, 1, 0]]);
    }
}
