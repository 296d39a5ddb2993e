//! Training and test sets as the command line names them.

use ekernel_core::{ArchError, Input, Samples};
use ekernel_data::{
    DataError, Dataset, Molecules, Normalization, ReadOptions, Source, TargetKind, Targets,
    channels_first_hint,
    molecules::{EnergyScale, Unit},
    read_dataset, scale_mismatch,
};
use ekernel_experiment::{Composition, Measure, Problem, References};
use ndarray::{Array1, Axis};

use crate::{
    architecture::Architecture,
    augment::Augment,
    failure::mistake,
    output,
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
    /// Whether training samples stand for their mirror images too.
    pub(crate) augment: Option<Augment>,
    /// Of molecules, what is taken off the property.
    pub(crate) references: References,
    /// Of molecules, the unit of the property; by its name where none is given.
    pub(crate) unit: Option<Unit>,
    /// Whether notes are left out.
    pub(crate) quiet: bool,
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
        let read = |source: &Source, reading: &ReadOptions| -> anyhow::Result<Dataset> {
            let mut set = read_dataset(source, reading)?;
            if *space == Space::Spheres {
                set = on_sphere(set, source)?;
            }
            Ok(set)
        };
        let mut train_set = read(&train_source, reading)?;
        let targets = train_set.targets.take();
        let train_targets = targets.ok_or_else(|| {
            mistake(format!("--train {train}: it names no targets; write FILE.npz:X,Y, X.npy,Y.npy or TABLE.csv:all,COLUMN"))
        })?;
        // What is learned of a table is no feature of another that holds it too.
        let ignored_columns = train_set.target_columns.clone();
        // A column of a table is in the test set what it is in the training set, however few rows are tested.
        let targets = match (reading.targets, &train_targets) {
            (TargetKind::ByType, _) if ignored_columns.is_empty() => TargetKind::ByType,
            (TargetKind::ByType, Targets::Classes { .. }) => TargetKind::Classes,
            (TargetKind::ByType, Targets::Regression(_)) => TargetKind::Values,
            (said, _) => said,
        };
        let test_set = read(&test_source, &ReadOptions { ignored_columns, targets, ..reading.clone() })?;
        let test_set = test_set.aligned_with(&train_set).map_err(|error| {
            anyhow::Error::new(error).context(format!("--train {train} and --test {test}"))
        })?;
        let Dataset { samples: train_samples, note: train_note, doubt, noise, .. } = train_set;
        if train_samples.sample_shape() != test_set.samples.sample_shape() {
            let [one, other] = [&train_samples, &test_set.samples].map(Samples::sample_shape);
            let colors = matches!((&one[..], &other[..]), ([a, b, 1], [c, d, 3]) | ([a, b, 3], [c, d, 1]) if a == c && b == d);
            let hint = if colors {
                "; folders of images are read alike with --color grey or --color rgb"
            } else {
                ""
            };
            return Err(mistake(format!(
                "the training samples (--train {train}) have shape {one:?}, the test samples (--test {test}) {other:?}; both \
                 must have the same{hint}"
            )));
        }
        let names = [format!("--train {train}: the samples"), format!("those of --test {test}")];
        let both = [&train_samples, &test_set.samples];
        ensure_same_scale(both, [&names[0], &names[1]], self.normalization, self.quiet)?;
        let test_targets = test_set.targets.map(|targets| targets.in_terms_of(&train_targets)).transpose()?;
        let untrained = test_targets.as_ref().map(|targets| targets.untrained(&train_targets));
        let untrained = match untrained.unwrap_or_default().as_slice() {
            [] => String::new(),
            [class] => format!(
                "{class} has no training sample, so it is never predicted{}",
                counted_from_one(&train_targets)
            ),
            all => {
                format!(
                    "{} have no training sample, so they are never predicted{}",
                    listed(all),
                    counted_from_one(&train_targets)
                )
            }
        };
        // Mirrored before or after, a whitening of both gives the same.
        let normalizer = match (self.augment, self.normalization) {
            (Some(augment), Normalization::Zca { .. }) => {
                self.normalization.fit(&augment.with_copies(&train_samples))?
            }
            _ => self.normalization.fit(&train_samples)?,
        };
        // The test targets are taken for the same, or refused.
        let doubt = doubt.unwrap_or_default();
        let notes =
            [("--train", train_note), ("--train", doubt), ("--test", test_set.note), ("--test", untrained)]
                .into_iter()
                .filter(|(_, note)| !note.is_empty())
                .map(|(set, note)| format!("{set}: {note}"))
                .collect();
        let test_names = test_set.names;
        let train = (normalizer.apply(train_samples)?, train_targets);
        let test = (normalizer.apply(test_set.samples)?, test_targets);
        let augment = self.augment.map(Augment::name);
        let problem = Problem { notes, noise, augment, ..Problem::new(train, test, normalizer) };
        Ok(match test_names {
            Some(test_names) => Problem { test_names, ..problem },
            None => problem,
        })
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
        let notes = self.question_energies(&train_set, &name)?.into_iter().collect();
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
            test_names: test_set.names.clone(),
            noise: None,
            augment: None,
            normalizer,
            notes,
            measure: Measure::Mae { stored: self.unit.unwrap_or_else(|| Unit::of_property(&name)) },
            composition: Some(composition),
            property: Some(name),
        })
    }
}

impl Inputs<'_> {
    /// Refuses total energies that look like another unit than their name says, and questions those that look like none.
    fn question_energies(&self, molecules: &Molecules, property: &str) -> anyhow::Result<Option<String>> {
        let train = self.train;
        match molecules.energy_scale() {
            _ if self.unit.is_some() => Ok(None),
            None | Some(EnergyScale::Near(Unit::Hartree)) => Ok(None),
            Some(EnergyScale::Near(unit)) => {
                let word = if unit == Unit::ElectronVolt { "ev" } else { "kcal-per-mol" };
                Err(mistake(format!(
                    "--train {train}: {property} would be taken for Hartree by its name, but its values are the energies of such \
                     atoms in {unit}; say --unit {word} (or --unit hartree, if that is right)"
                )))
            }
            Some(EnergyScale::Far(ratio)) => Ok(Some(format!(
                "--train: {property} is taken for Hartree by its name; its values are about {ratio:.1e} of the sums of the \
                 energies of the atoms, so they are no total energies: --unit names another unit"
            ))),
        }
    }
}

/// The first names of a list, and how many more there are.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    match names.len() {
        n if n <= SHOWN => names.join(", "),
        n => format!("{} and {} more", names[..SHOWN].join(", "), n - SHOWN),
    }
}

/// A guess where the training labels begin at 1.
fn counted_from_one(train: &Targets) -> &'static str {
    match train {
        Targets::Classes { labels, numbered: true, .. } if labels.iter().min() == Some(&1) => {
            "; the training labels begin at 1: are those of the test set counted from 0?"
        }
        _ => "",
    }
}

/// Refuses images, and questions vectors, of which one set reaches a hundred times as far as the other.
pub(crate) fn ensure_same_scale(
    [first, second]: [&Samples; 2],
    names: [&str; 2],
    normalization: Normalization,
    quiet: bool,
) -> anyhow::Result<()> {
    if normalization.scales_each_sample() {
        return Ok(());
    }
    match scale_mismatch((first, names[0]), (second, names[1])) {
        None => Ok(()),
        Some(odd) if matches!(first, Samples::Vectors(_)) => {
            output::note(quiet, &odd);
            Ok(())
        }
        Some(odd) => Err(mistake(odd)),
    }
}

/// Refuses targets, which a kernel has no use for.
pub(crate) fn ensure_no_targets(option: &str, source: &Source) -> anyhow::Result<()> {
    if source.targets.is_none() {
        return Ok(());
    }
    let samples = Source { targets: None, noise: None, ..source.clone() };
    Err(mistake(format!("{option} {source}: a Gram matrix takes samples without targets; write {samples}")))
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
        if let (
            ArchError::Samples { hint, .. },
            Input::Image { height, width, channels },
            Samples::Images(images),
        ) = (&mut error, architecture.network.input(), samples)
            && Source::parse(source).is_ok_and(|source| source.is_image_folder())
        {
            let (_, found_height, found_width, found) = images.dim();
            let mut options = Vec::new();
            if (*height, *width) != (found_height, found_width) {
                options.push(format!("--resize {height}x{width}"));
            }
            if *channels != found && [*channels, found].iter().all(|channels| [1, 3].contains(channels)) {
                options.push(format!("--color {}", if *channels == 1 { "grey" } else { "rgb" }));
            }
            if !options.is_empty() {
                *hint += &format!("; {} reads the images of the folder so", options.join(" "));
            }
        }
        mistake(format!("{} and {option} {source}: {error}", architecture.path.display()))
    })
}
