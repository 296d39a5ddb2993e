//! Training and test sets as the command line names them.

use ekernel_core::{ArchError, Samples};
use ekernel_data::{Dataset, Normalizer, Source, Targets, channels_first_hint, read_dataset};

use crate::{architecture::Architecture, args::Reading, failure::mistake};

/// A training set and a test set, prepared alike.
pub(crate) struct Problem {
    pub(crate) train: Samples,
    pub(crate) train_targets: Targets,
    pub(crate) test: Samples,
    /// Absent where nothing is known about the test set.
    pub(crate) test_targets: Option<Targets>,
    pub(crate) normalizer: Normalizer,
    /// What the readers did beside reading.
    pub(crate) notes: Vec<String>,
}

impl Problem {
    /// Reads both sets; the normalisation's parameters come from the training samples alone.
    pub(crate) fn read(train: &str, test: &str, reading: &Reading) -> anyhow::Result<Problem> {
        let options = reading.options();
        let (train_source, test_source) = (Source::parse(train)?, Source::parse(test)?);
        let train_set = read_dataset(&train_source, &options)?;
        let Dataset { samples: train_samples, targets, note: train_note } = train_set;
        let train_targets = targets.ok_or_else(|| {
            mistake(format!("--train {train}: it names no targets; write FILE.npz:X,Y or X.npy,Y.npy"))
        })?;
        let test_set = read_dataset(&test_source, &options)?;
        if train_samples.sample_shape() != test_set.samples.sample_shape() {
            return Err(mistake(format!(
                "the training samples (--train {train}) have shape {:?}, the test samples (--test {test}) {:?}; both must \
                 have the same",
                train_samples.sample_shape(),
                test_set.samples.sample_shape()
            )));
        }
        let test_targets = test_set.targets.map(|targets| targets.in_terms_of(&train_targets)).transpose()?;
        let normalizer = reading.normalize.fit(&train_samples)?;
        let notes = [("--train", train_note), ("--test", test_set.note)]
            .into_iter()
            .filter(|(_, note)| !note.is_empty())
            .map(|(set, note)| format!("{set}: {note}"))
            .collect();
        Ok(Problem {
            train: normalizer.apply(train_samples)?,
            train_targets,
            test: normalizer.apply(test_set.samples)?,
            test_targets,
            normalizer,
            notes,
        })
    }

    /// Keeps `indices` of the test set.
    pub(crate) fn keep_test(&mut self, indices: &[usize]) {
        self.test = self.test.select(indices);
        self.test_targets = self.test_targets.take().map(|targets| targets.select(indices));
    }
}

/// Checks samples against a network before anything is computed.
pub(crate) fn ensure_fits(
    architecture: &Architecture,
    samples: &Samples,
    option: &str,
    source: &str,
) -> anyhow::Result<()> {
    architecture.network.input().check(samples).map_err(|mut error| {
        if let (ArchError::Samples { hint, .. }, Some(better)) = (&mut error, channels_first_hint(samples)) {
            *hint = format!("; {better}");
        }
        mistake(format!("{} and {option} {source}: {error}", architecture.path.display()))
    })
}

/// The name of each class, numbers where the data have no names; empty for regression.
pub(crate) fn class_names(targets: &Targets) -> Vec<String> {
    match targets {
        Targets::Regression(_) => Vec::new(),
        Targets::Classes { names: Some(names), .. } => names.clone(),
        Targets::Classes { n_classes, .. } => (0..*n_classes).map(|class| class.to_string()).collect(),
    }
}
