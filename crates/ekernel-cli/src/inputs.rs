//! Training and test sets as the command line names them.

use std::sync::Arc;

use ekernel_core::{ArchError, Samples};
use ekernel_data::{
    DataError, Dataset, Molecules, Normalizer, Source, Targets, channels_first_hint, molecules::Unit,
    read_dataset,
};
use ndarray::{Array1, Axis};

use crate::{
    architecture::Architecture,
    args::Reading,
    composition::{Composition, References},
    failure::mistake,
    measure::Measure,
    space::{Space, molecules, on_sphere},
};

/// A training set and a test set, prepared alike.
pub(crate) struct Problem {
    pub(crate) train: Arc<Samples>,
    pub(crate) train_targets: Targets,
    pub(crate) test: Arc<Samples>,
    /// Absent where nothing is known about the test set.
    pub(crate) test_targets: Option<Targets>,
    pub(crate) normalizer: Normalizer,
    /// What the readers did beside reading.
    pub(crate) notes: Vec<String>,
    /// How predictions are compared.
    pub(crate) measure: Measure,
    /// Of molecules, what their numbers of atoms say.
    pub(crate) composition: Option<Composition>,
    /// Of molecules, the name of the property.
    pub(crate) property: Option<String>,
}

/// How molecules and their property are taken.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Property {
    /// Of molecules: what their numbers of atoms alone say, taken off the property before training [default: fit]
    #[arg(long, value_enum)]
    references: Option<References>,
    /// Of molecules: the unit of the property; errors are told in meV [default: by name, QM9's energies are in Hartree]
    #[arg(long, value_enum)]
    unit: Option<UnitName>,
}

/// Units on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum UnitName {
    Hartree,
    Ev,
    KcalPerMol,
    AsStored,
}

impl Property {
    /// Refuses what only molecules have.
    fn ensure_unsaid(self) -> anyhow::Result<()> {
        for (option, said) in [("--references", self.references.is_some()), ("--unit", self.unit.is_some())] {
            if said {
                return Err(mistake(format!("{option}: these networks do not read molecules; leave it out")));
            }
        }
        Ok(())
    }

    fn unit(self, name: &str) -> Unit {
        match self.unit {
            None => Unit::of_property(name),
            Some(UnitName::Hartree) => Unit::Hartree,
            Some(UnitName::Ev) => Unit::ElectronVolt,
            Some(UnitName::KcalPerMol) => Unit::KcalPerMol,
            Some(UnitName::AsStored) => Unit::AsStored,
        }
    }
}

impl Problem {
    /// Reads both sets; the normalisation's parameters come from the training samples alone.
    pub(crate) fn read(
        space: &Space,
        train: &str,
        test: &str,
        reading: &Reading,
        property: Property,
    ) -> anyhow::Result<Problem> {
        match space {
            Space::Molecules { elements, centers } => {
                Problem::of_molecules((elements, centers), train, test, reading, property)
            }
            _ => {
                property.ensure_unsaid()?;
                Problem::of_arrays(space, train, test, reading)
            }
        }
    }

    fn of_arrays(space: &Space, train: &str, test: &str, reading: &Reading) -> anyhow::Result<Problem> {
        let options = reading.options();
        let (train_source, test_source) = (Source::parse(train)?, Source::parse(test)?);
        let read = |source: &Source| -> anyhow::Result<Dataset> {
            let mut set = read_dataset(source, &options)?;
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
        let normalizer = reading.normalize.fit(&train_samples)?;
        let notes = [("--train", train_note), ("--test", test_set.note)]
            .into_iter()
            .filter(|(_, note)| !note.is_empty())
            .map(|(set, note)| format!("{set}: {note}"))
            .collect();
        Ok(Problem {
            train: Arc::new(normalizer.apply(train_samples)?),
            measure: Measure::of_targets(&train_targets),
            train_targets,
            test: Arc::new(normalizer.apply(test_set.samples)?),
            test_targets,
            normalizer,
            notes,
            composition: None,
            property: None,
        })
    }

    fn of_molecules(
        (elements, centers): (&[u8], &[Vec<u8>]),
        train: &str,
        test: &str,
        reading: &Reading,
        property: Property,
    ) -> anyhow::Result<Problem> {
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
        let normalizer = reading.normalize.fit(&train_set.samples())?;
        Ok(Problem {
            train: Arc::new(train_set.samples()),
            train_targets,
            test: Arc::new(test_set.samples()),
            test_targets: values(&test_set),
            normalizer,
            notes: Vec::new(),
            measure: Measure::Mae { stored: property.unit(&name) },
            composition: Some(Composition::new(
                property.references.unwrap_or(References::Fit),
                (&train_set, train),
                &test_set,
            )?),
            property: Some(name),
        })
    }

    /// Keeps `indices` of the test set.
    pub(crate) fn keep_test(&mut self, indices: &[usize]) {
        self.test = Arc::new(self.test.select(indices));
        self.test_targets = self.test_targets.take().map(|targets| targets.select(indices));
        if let Some(composition) = &mut self.composition {
            composition.keep_test(indices);
        }
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
