//! Training and test sets as the command line names them.

use ekernel_core::{ArchError, Samples};
use ekernel_data::{
    DataError, Dataset, Molecules, Normalization, ReadOptions, Source, Targets, channels_first_hint,
    molecules::Unit, read_dataset,
};
use ekernel_experiment::{Composition, Measure, Problem, References};
use ndarray::{Array1, Axis};

use crate::{
    architecture::Architecture,
    failure::mistake,
    space::{Space, molecules, on_sphere},
};

/// What an experiment reads.
pub(crate) struct Inputs<'a> {
    /// The training data as they were named.
    pub(crate) train: &'a str,
    /// The test data as they were named.
    pub(crate) test: &'a str,
    pub(crate) reading: ReadOptions,
    pub(crate) normalization: Normalization,
    /// Of molecules, what is taken off the property.
    pub(crate) references: References,
    /// Of molecules, the unit of the property; by its name where none is given.
    pub(crate) unit: Option<Unit>,
}

impl Inputs<'_> {
    /// Reads both sets; the normalisation's parameters come from the training samples alone.
    pub(crate) fn read(&self, space: &Space) -> anyhow::Result<Problem> {
        match space {
            Space::Molecules { elements, centers } => self.of_molecules(elements, centers),
            Space::Arrays | Space::Spheres => self.of_arrays(space),
        }
    }

    fn of_arrays(&self, space: &Space) -> anyhow::Result<Problem> {
        let Inputs { train, test, reading, .. } = self;
        let (train_source, test_source) = (Source::parse(train)?, Source::parse(test)?);
        let read = |source: &Source| -> anyhow::Result<Dataset> {
            let mut set = read_dataset(source, reading)?;
            if *space == Space::Spheres {
                set.samples = on_sphere(set.samples, source)?;
            }
            Ok(set)
        };
        let train_set = read(&train_source)?;
        let Dataset { samples: train_samples, targets, note: train_note } = train_set;
        let train_targets = targets.ok_or_else(|| {
            mistake(format!("--train {train}: it names no targets; write FILE.npz:X,Y or X.npy,Y.npy"))
        })?;
        let test_set = read(&test_source)?;
        if train_samples.sample_shape() != test_set.samples.sample_shape() {
            return Err(mistake(format!(
                "the training samples (--train {train}) have shape {:?}, the test samples (--test {test}) {:?}; both must \
                 have the same",
                train_samples.sample_shape(),
                test_set.samples.sample_shape()
            )));
        }
        let test_targets = test_set.targets.map(|targets| targets.in_terms_of(&train_targets)).transpose()?;
        let normalizer = self.normalization.fit(&train_samples)?;
        let notes = [("--train", train_note), ("--test", test_set.note)]
            .into_iter()
            .filter(|(_, note)| !note.is_empty())
            .map(|(set, note)| format!("{set}: {note}"))
            .collect();
        let train = (normalizer.apply(train_samples)?, train_targets);
        let test = (normalizer.apply(test_set.samples)?, test_targets);
        Ok(Problem { notes, ..Problem::new(train, test, normalizer) })
    }

    fn of_molecules(&self, elements: &[u8], centers: &[Vec<u8>]) -> anyhow::Result<Problem> {
        let Inputs { train, test, .. } = self;
        let train_set = molecules(&Source::parse(train)?, elements, centers)?;
        let test_set = molecules(&Source::parse(test)?, elements, centers)?;
        let name = match (&train_set.property, &test_set.property) {
            (None, _) => {
                return Err(anyhow::Error::new(DataError::NoProperty).context(format!("--train {train}")));
            }
            (Some(learned), Some(asked)) if learned.name != asked.name => {
                return Err(mistake(format!(
                    "--train {train} and --test {test} name different properties, {} and {}; name the same",
                    learned.name, asked.name
                )));
            }
            (Some(learned), _) => learned.name.clone(),
        };
        let values = |molecules: &Molecules| {
            let property = molecules.property.as_ref()?;
            Some(Targets::Regression(Array1::from(property.values.clone()).insert_axis(Axis(1))))
        };
        let train_targets = values(&train_set).ok_or(DataError::NoProperty)?;
        let normalizer = self.normalization.fit(&train_set.samples())?;
        let composition =
            Composition::new(self.references, (&train_set, train), &test_set).map_err(|error| {
                let (asked, instead) = match self.references {
                    References::Atoms => ("atoms", " (--references fit)"),
                    References::Fit => ("fit", ""),
                    References::None => ("none", ""),
                };
                mistake(format!("--references {asked}: {error}{instead}"))
            })?;
        Ok(Problem {
            train: train_set.samples().into(),
            train_targets,
            test: test_set.samples().into(),
            test_targets: values(&test_set),
            normalizer,
            notes: Vec::new(),
            measure: Measure::Mae { stored: self.unit.unwrap_or_else(|| Unit::of_property(&name)) },
            composition: Some(composition),
            property: Some(name),
        })
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
