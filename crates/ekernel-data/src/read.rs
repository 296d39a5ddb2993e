//! Samples and targets from whatever a [`Source`] names.

use std::{fs::File, io::BufReader, path::Path};

use ekernel_core::Samples;
use ndarray::Array1;

use crate::cifar;
use crate::dataset::{Dataset, ReadOptions};
use crate::error::DataError;
use crate::idx;
use crate::image_folder;
use crate::npy::{NpyArray, read_npy};
use crate::npz::NpzFile;
use crate::place::Place;
use crate::samples;
use crate::slice::{self, Cut};
use crate::source::{Format, Source, TargetSource};
use crate::stl10;
use crate::table;
use crate::target_kind::{TargetKind, as_said, doubt};
use crate::targets::Targets;

/// Reads samples and, where the source has or names them, targets.
///
/// uint8 arrays and images mean x/255; float, bool and other integer arrays are taken as they are. Shapes (n, d) are
/// vectors, (n, h, w) and (n, h, w, c) images. Integer or string targets are classes, float targets (n,) or (n, m)
/// regression. Strings in an array `class_names` of the same .npz name integer classes.
///
/// # Errors
/// [`DataError`] says which file or array, what is wrong with it and what would do.
pub fn read_dataset(source: &Source, options: &ReadOptions) -> Result<Dataset, DataError> {
    let path = &source.path;
    let format = source.format()?;
    if format != Format::ImageFolder {
        options.ensure_unused(path)?;
    }
    if let (Some(noise), false) = (&source.noise, matches!(format, Format::Npz | Format::Table)) {
        return Err(DataError::KeyNotUsed {
            path: path.clone(),
            key: noise.clone(),
            format: "data without named arrays or columns",
            remedy: "the noise of each target is an array of an .npz or a column of a .csv: FILE:X,Y,NOISE",
        });
    }
    if options.targets == TargetKind::Values && !matches!(format, Format::Npz | Format::Npy | Format::Table) {
        return Err(DataError::OnlyClasses { path: path.clone() });
    }
    match format {
        Format::Npz => {
            let mut file = NpzFile::open(path)?;
            let written = match &source.inputs {
                Some(key) => key.clone(),
                None => file.only_key()?,
            };
            let (key, rows) = part_of(&file, &written);
            let place = Place::entry(path, key);
            // Labels first: they are small, and a wrong name should not cost a long read.
            let targets = match &source.targets {
                Some(TargetSource::Key(key)) => {
                    Some(npz_targets(&mut file, source, (key, rows), options.targets)?)
                }
                _ => file_targets(source, options.targets)?,
            };
            let noise =
                source.noise.as_deref().map(|key| npz_noise(&mut file, source, (key, rows))).transpose()?;
            let array = file.read(key)?;
            let names = rows.map(|rows| rows.of(array.shape().first().copied().unwrap_or(0), &place));
            let names = names.transpose()?.map(|rows| rows.map(|row| row.to_string()).collect());
            let array = match rows {
                Some(rows) => rows.apply(array, &place)?,
                None => array,
            };
            let dataset = with_targets(samples::from_array(array, &place)?, place, targets)?;
            if let Some(noise) = &noise {
                ensure_noise_fits(noise.len(), &dataset, source)?;
            }
            Ok(Dataset { names, noise, ..dataset })
        }
        Format::Table => table::read(source, options),
        Format::Npy => {
            no_key(
                source,
                "an .npy file, which holds one array",
                "write X.npy, or X.npy,Y.npy with targets",
            )?;
            let targets = file_targets(source, options.targets)?;
            let place = Place::file(path);
            let samples = samples::from_array(read_npy_file(path)?, &place)?;
            with_targets(samples, place, targets)
        }
        Format::Idx => {
            no_key(source, "an idx file, which holds one array", "write IMAGES, or IMAGES,LABELS")?;
            match &source.targets {
                Some(TargetSource::File(labels)) => idx::read_pair(path, Some(labels)),
                _ => idx::read_pair(path, None),
            }
        }
        Format::MnistFolder => idx::read_folder(path, part(source, "a folder of MNIST files")?),
        Format::Cifar10Folder => cifar::read_folder(path, part(source, "a folder of CIFAR-10 files")?),
        Format::Cifar100Folder => cifar::read_folder_100(path, part(source, "a folder of CIFAR-100 files")?),
        Format::Cifar10 => {
            no_key(source, "a CIFAR file, which holds its labels", "write the file alone")?;
            no_target_file(source)?;
            cifar::read_files(std::slice::from_ref(path))
        }
        Format::Stl10Folder => stl10::read_folder(path, part(source, "a folder of STL-10 files")?),
        Format::Stl10 => {
            no_key(source, "an STL-10 file, whose labels lie beside it", "write the file alone")?;
            no_target_file(source)?;
            stl10::read(path)
        }
        Format::ImageFolder => {
            image_folder::ensure_no_pickles(path)?;
            if let (Some(part), None) = (&source.inputs, &source.targets)
                && path.join(part).is_dir()
            {
                return read_dataset(&Source::file(path.join(part)), options);
            }
            image_folder::ensure_no_sets(path)?;
            no_key(
                source,
                "a folder of images, whose sub-folders are the classes",
                "write the folder alone",
            )?;
            no_target_file(source)?;
            image_folder::read(path, options)
        }
    }
}

/// Reads the samples of a source; see [`read_dataset`].
pub fn read_samples(source: &Source, options: &ReadOptions) -> Result<Samples, DataError> {
    let inputs = Source { targets: None, ..source.clone() };
    Ok(read_dataset(&inputs, options)?.samples)
}

/// Reads the targets of a source; see [`read_dataset`].
///
/// # Errors
/// [`DataError::NoTargets`] if the source has none.
pub fn read_labels(source: &Source, options: &ReadOptions) -> Result<Targets, DataError> {
    if let (Format::Npz, Some(TargetSource::Key(key))) = (source.format()?, &source.targets) {
        let mut file = NpzFile::open(&source.path)?;
        let rows = source.inputs.as_deref().and_then(|inputs| part_of(&file, inputs).1);
        return Ok(npz_targets(&mut file, source, (key, rows), options.targets)?.targets);
    }
    read_dataset(source, options)?.targets.ok_or_else(|| DataError::NoTargets {
        place: Place { path: source.path.clone(), key: source.inputs.clone() },
        remedy: "write FILE.npz:X,Y or X.npy,Y.npy, or give a folder with one sub-folder per class",
    })
}

/// Targets, where they come from, and what they may be instead.
struct Found {
    targets: Targets,
    place: Place,
    doubt: Option<String>,
}

impl Found {
    fn new(array: NpyArray, place: Place, kind: TargetKind) -> Result<Found, DataError> {
        let doubt = if kind == TargetKind::ByType { doubt(&array) } else { None };
        let doubt = doubt.map(|doubt| format!("{place}: {doubt}"));
        Ok(Found { targets: Targets::from_array(as_said(array, kind, &place)?, &place)?, place, doubt })
    }
}

fn with_targets(samples: Samples, inputs: Place, found: Option<Found>) -> Result<Dataset, DataError> {
    let (targets, doubt) = match found {
        Some(Found { targets, place, doubt }) => (Some((targets, place)), doubt),
        None => (None, None),
    };
    Ok(Dataset { doubt, ..Dataset::checked(samples, inputs, targets)? })
}

/// The name of an array and the rows of it; an array that is called like rows of another is itself.
fn part_of<'a>(file: &NpzFile, key: &'a str) -> (&'a str, Option<Cut>) {
    if file.contains(key) { (key, None) } else { slice::parse(key) }
}

/// An array of as many rows as the samples: its own rows where it names some, else those of the samples.
fn npz_rows(
    file: &mut NpzFile,
    source: &Source,
    (key, rows): (&str, Option<Cut>),
) -> Result<(NpyArray, Place), DataError> {
    let (key, own) = part_of(file, key);
    let place = Place::entry(&source.path, key);
    let array = file.read(key)?;
    Ok(match own.or(rows) {
        Some(rows) => (rows.apply(array, &place)?, place),
        None => (array, place),
    })
}

/// The standard deviation of the noise of each target.
fn npz_noise(
    file: &mut NpzFile,
    source: &Source,
    named: (&str, Option<Cut>),
) -> Result<Array1<f64>, DataError> {
    let (array, place) = npz_rows(file, source, named)?;
    let reason = "the noise is one standard deviation of at least 0 for each sample, shape (n,)";
    match Targets::from_array(as_said(array, TargetKind::Values, &place)?, &place)? {
        Targets::Regression(values) if values.ncols() == 1 && values.iter().all(|value| *value >= 0.0) => {
            Ok(values.column(0).to_owned())
        }
        _ => Err(DataError::TargetKind { place, wanted: "noise", reason }),
    }
}

fn ensure_noise_fits(noise: usize, dataset: &Dataset, source: &Source) -> Result<(), DataError> {
    if noise == dataset.samples.len() {
        return Ok(());
    }
    Err(DataError::Lengths {
        inputs: Box::new(Place { path: source.path.clone(), key: source.inputs.clone() }),
        n_inputs: dataset.samples.len(),
        targets: Box::new(Place { path: source.path.clone(), key: source.noise.clone() }),
        n_targets: noise,
    })
}

fn npz_targets(
    file: &mut NpzFile,
    source: &Source,
    named: (&str, Option<Cut>),
    kind: TargetKind,
) -> Result<Found, DataError> {
    const NAMES: &str = "class_names";
    let (array, place) = npz_rows(file, source, named)?;
    let Found { mut targets, place, doubt } = Found::new(array, place, kind)?;
    if matches!(targets, Targets::Classes { names: None, .. })
        && file.contains(NAMES)
        && let NpyArray::Texts(names) = file.read(NAMES)?
    {
        targets = targets.with_names(names.into_iter().collect(), &Place::entry(&source.path, NAMES))?;
    }
    // Numbers that have names are classes.
    let named = matches!(targets, Targets::Classes { names: Some(_), .. });
    Ok(Found { targets, place, doubt: doubt.filter(|_| !named) })
}

/// Targets in a file of their own.
fn file_targets(source: &Source, kind: TargetKind) -> Result<Option<Found>, DataError> {
    let path = match &source.targets {
        None => return Ok(None),
        Some(TargetSource::File(path)) => path,
        Some(TargetSource::Key(key)) => {
            return Err(DataError::KeyNotUsed {
                path: source.path.clone(),
                key: key.clone(),
                format: "a file of one array",
                remedy: "name a file with the targets: X.npy,Y.npy",
            });
        }
    };
    Ok(Some(match Source::file(path).format()? {
        Format::Npz => {
            let mut file = NpzFile::open(path)?;
            let key = file.only_key()?;
            npz_targets(&mut file, &Source::file(path), (&key, None), kind)?
        }
        Format::Npy => Found::new(read_npy_file(path)?, Place::file(path), kind)?,
        Format::Idx => Found { targets: idx::read_labels(path)?, place: Place::file(path), doubt: None },
        _ => {
            let (hint, known) = ("it holds no single array", "targets come from .npy, .npz or idx files");
            return Err(DataError::UnknownFormat { path: path.clone(), hint, known });
        }
    }))
}

fn read_npy_file(path: &Path) -> Result<NpyArray, DataError> {
    let file = File::open(path).map_err(|source| DataError::io(path, "open", source))?;
    read_npy(BufReader::new(file), &Place::file(path))
}

fn no_key(source: &Source, format: &'static str, remedy: &'static str) -> Result<(), DataError> {
    let key = match (&source.inputs, &source.targets) {
        (Some(key), _) | (None, Some(TargetSource::Key(key))) => key.clone(),
        _ => return Ok(()),
    };
    Err(DataError::KeyNotUsed { path: source.path.clone(), key, format, remedy })
}

fn no_target_file(source: &Source) -> Result<(), DataError> {
    let Some(TargetSource::File(file)) = &source.targets else { return Ok(()) };
    Err(DataError::KeyNotUsed {
        path: source.path.clone(),
        key: file.display().to_string(),
        format: "data that hold their own labels",
        remedy: "leave it out",
    })
}

fn part<'a>(source: &'a Source, format: &'static str) -> Result<&'a str, DataError> {
    let key = match (&source.inputs, &source.targets) {
        (Some(part), None) => return Ok(part),
        (None, None) => {
            let keys = vec!["train".to_owned(), "test".to_owned()];
            return Err(DataError::KeyNeeded { path: source.path.clone(), keys });
        }
        (_, Some(TargetSource::Key(key))) => key.clone(),
        (_, Some(TargetSource::File(file))) => file.display().to_string(),
    };
    let remedy = "it holds its own labels: write FOLDER:train or FOLDER:test";
    Err(DataError::KeyNotUsed { path: source.path.clone(), key, format, remedy })
}
