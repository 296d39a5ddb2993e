//! What can be wrong with data: one variant per fault, with the place and the remedy.

use std::io;
use std::path::{Path, PathBuf};

use ekernel_core::{Bytes, SamplesError};
use ekernel_system::memory::Limit;
use thiserror::Error;

use crate::place::{Place, nearest_file};

/// What a page of HTML under the name of a file of data is.
pub(crate) const WEB_PAGE: &str =
    "it is a web page, which servers send in place of a file; download it again";

/// Anything that keeps data from being read, checked, normalised or written.
#[derive(Debug, Error)]
pub enum DataError {
    /// The words after an option do not name data.
    #[error("'{text}' does not name data: {reason}; write FILE, FILE:X, FILE:X,Y or FILE:X,Y,NOISE")]
    Source {
        /// The words as given.
        text: String,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// There is nothing at the path.
    #[error("{} does not exist{}", path.display(), did_you_mean(nearest.as_deref()))]
    NotFound {
        /// The path.
        path: PathBuf,
        /// The most similar name in the same folder.
        nearest: Option<String>,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Open, read, list, …
        action: &'static str,
        /// The reason of the operating system.
        source: io::Error,
    },
    /// A file whose kind is not known.
    #[error("{} cannot be read: {hint}; {known}", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What it looks like instead.
        hint: &'static str,
        /// What is read.
        known: &'static str,
    },
    /// A container of several arrays, and none was named.
    #[error("{} holds {}; say which to read: {}:NAME", path.display(), list(keys), path.display())]
    KeyNeeded {
        /// The file.
        path: PathBuf,
        /// The names in it.
        keys: Vec<String>,
    },
    /// A name that the container does not hold.
    #[error("{} has no array '{key}'; it holds {}", path.display(), list(keys))]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The name as given.
        key: String,
        /// The names that are there, the most similar first.
        keys: Vec<String>,
    },
    /// A name where none, or another, is expected.
    #[error("{}: '{key}' means nothing for {format}; {remedy}", path.display())]
    KeyNotUsed {
        /// The file or folder.
        path: PathBuf,
        /// The name as given.
        key: String,
        /// The kind of the file.
        format: &'static str,
        /// What to write instead.
        remedy: &'static str,
    },
    /// A choice that only folders of images leave.
    #[error("{option} is for folders of images, and {} is none; leave it out", path.display())]
    OnlyForFolders {
        /// The file or folder.
        path: PathBuf,
        /// What was asked for.
        option: &'static str,
    },
    /// Labels were asked for, and the source names none.
    #[error("{place} names no labels; {remedy}")]
    NoTargets {
        /// The source.
        place: Place,
        /// What to write instead.
        remedy: &'static str,
    },
    /// A file that does not begin as its kind must.
    #[error("{place} is not {format}: it begins with {found}, not {expected}")]
    WrongMagic {
        /// The file.
        place: Place,
        /// The kind that was expected.
        format: &'static str,
        /// The bytes that were found.
        found: String,
        /// The bytes that should be there.
        expected: &'static str,
    },
    /// A file that is longer or shorter than its header says.
    #[error("{place} is {}: {format} data of {expected} bytes expected, {found} found; copy the file again",
        if found < expected { "truncated" } else { "too long" })]
    Length {
        /// The file or array.
        place: Place,
        /// The kind of the file.
        format: &'static str,
        /// Number of bytes that the header announces.
        expected: u64,
        /// Number of bytes there; where the file is too long, a lower bound.
        found: u64,
    },
    /// A file that is damaged in another way.
    #[error("{place} is damaged or is not {format}: {reason}")]
    Damaged {
        /// The file or array.
        place: Place,
        /// The kind of the file.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// An array of Python objects.
    #[error(
        "{place} is an array of pickled Python objects, which is never read; save it as a plain number array"
    )]
    Pickled {
        /// The array.
        place: Place,
    },
    /// An element type that cannot serve.
    #[error("{place} has dtype {dtype}; {wanted}")]
    Dtype {
        /// The array.
        place: Place,
        /// numpy's name of the type.
        dtype: String,
        /// What is read instead.
        wanted: &'static str,
    },
    /// A number of dimensions that cannot serve.
    #[error("{place} has shape {shape:?}; {wanted}")]
    Shape {
        /// The array.
        place: Place,
        /// Its shape.
        shape: Vec<usize>,
        /// The shapes that are read.
        wanted: &'static str,
    },
    /// Inputs and targets that do not belong together.
    #[error(
        "{inputs} holds {} but {targets} holds {n_targets}; each sample needs one target",
        counted(*n_inputs, "sample", "samples")
    )]
    Lengths {
        /// The inputs.
        inputs: Box<Place>,
        /// How many there are.
        n_inputs: usize,
        /// The targets.
        targets: Box<Place>,
        /// How many there are.
        n_targets: usize,
    },
    /// Samples that no kernel can be computed on: empty, NaN, infinite or beyond the accepted range.
    #[error("{place}: {source}")]
    Samples {
        /// The array.
        place: Place,
        /// What is wrong, and at which index.
        source: SamplesError,
    },
    /// An integer that float64 does not hold exactly.
    #[error("{place} holds {value} at position {position}, beyond ±2^53, which float64 rounds; rescale it")]
    Inexact {
        /// The array.
        place: Place,
        /// Position in the flattened array.
        position: usize,
        /// The value.
        value: i64,
    },
    /// No targets at all.
    #[error("{place} is empty: its shape is {shape:?}; at least one target is needed")]
    NoRows {
        /// The array.
        place: Place,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A regression target that is not a number.
    #[error("{place} holds {value} for sample {sample}, column {column}; remove or replace it")]
    TargetNotFinite {
        /// The array.
        place: Place,
        /// Which sample.
        sample: usize,
        /// Which target of it.
        column: usize,
        /// NaN, inf or -inf.
        value: f64,
    },
    /// A class below zero.
    #[error(
        "{place} holds the label {value} for sample {sample}; classes count from 0, or are -1 and 1: number them anew \
         (numpy.unique(y, return_inverse=True)[1]); --targets values takes the numbers for values"
    )]
    NegativeLabel {
        /// The array.
        place: Place,
        /// Which sample.
        sample: usize,
        /// The label.
        value: i64,
    },
    /// A class number that cannot be one.
    #[error(
        "{place} holds the label {value} for sample {sample}; classes count from 0 to below {limit}: number them anew \
         (numpy.unique(y, return_inverse=True)[1]); --targets values takes the numbers for values"
    )]
    LabelTooLarge {
        /// The array.
        place: Place,
        /// Which sample.
        sample: usize,
        /// The label.
        value: u64,
        /// The first number that is refused.
        limit: u64,
    },
    /// More classes than names for them.
    #[error("{place} names {} but the labels reach {largest}; name every class",
        counted(*names, "class", "classes"))]
    ClassNames {
        /// The array of names.
        place: Place,
        /// How many names there are.
        names: usize,
        /// The largest label.
        largest: usize,
    },
    /// Test targets that the training targets cannot speak about.
    #[error("the test targets do not match the training targets: {reason}")]
    Mismatch {
        /// How they differ.
        reason: String,
    },
    /// A folder without images.
    #[error(
        "{} holds no images; expected are .png, .jpg, .jpeg, .tif, .tiff, .bmp or .webp files, in one sub-folder per class \
         (found: {})",
        path.display(),
        list(found)
    )]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// Some of what it holds.
        found: Vec<String>,
    },
    /// A folder with images both in it and in its sub-folders.
    #[error(
        "{} holds images ({loose}, …) beside class folders ({class}, …); move them into the folder of their class",
        path.display()
    )]
    LooseImages {
        /// The folder.
        path: PathBuf,
        /// The first image in it.
        loose: String,
        /// The first sub-folder.
        class: String,
    },
    /// A folder of sets where one of classes is expected.
    #[error(
        "{} holds {}, which are sets and not classes; write {}:{}",
        path.display(), list(sets), path.display(), sets.first().map_or("", String::as_str)
    )]
    SetsForClasses {
        /// The folder.
        path: PathBuf,
        /// The sub-folders.
        sets: Vec<String>,
    },
    /// Two tables with different columns.
    #[error(
        "the {holds} table has the column '{column}', which the {lacks} lacks; both must have the same columns"
    )]
    Columns {
        /// The column.
        column: String,
        /// Which set has it.
        holds: &'static str,
        /// Which has not.
        lacks: &'static str,
    },
    /// Targets that are not what they are said to be.
    #[error("{place} does not hold {wanted}: {reason}")]
    TargetKind {
        /// The array.
        place: Place,
        /// Classes or values.
        wanted: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// Values are asked for where the form of the data gives classes.
    #[error("{} holds classes by its form, and no values; leave --targets values out", path.display())]
    OnlyClasses {
        /// The file or folder.
        path: PathBuf,
    },
    /// An image that claims to be larger than any that is decoded.
    #[error(
        "{} claims {width} × {height} pixels, which take more than {} once decoded, the most that an image may take: shrink \
         it, or cut it into pieces",
        path.display(),
        Bytes(*limit)
    )]
    HugeImage {
        /// The image.
        path: PathBuf,
        /// Its width.
        width: u64,
        /// Its height.
        height: u64,
        /// Bytes that an image may take.
        limit: u64,
    },
    /// An image file that cannot be decoded.
    #[error("the image {} cannot be decoded: {reason}; replace or remove it", path.display())]
    BrokenImage {
        /// The file.
        path: PathBuf,
        /// The reason of the decoder.
        reason: String,
    },
    /// A whole image in a form that no decoder here reads.
    #[error(
        "the image {} is of a form that is not read: {reason}; save it as PNG, or as TIFF of 8 or 16 bits, of one channel also of \
         32 bits or floats",
        path.display()
    )]
    ImageForm {
        /// The file.
        path: PathBuf,
        /// The reason of the decoder.
        reason: String,
    },
    /// An image with transparent pixels, whose colour is undefined.
    #[error("the image {} has transparent pixels; flatten it onto a background", path.display())]
    Transparent {
        /// The file.
        path: PathBuf,
    },
    /// Images of several sizes, and no size to bring them to.
    #[error(
        "the images differ in size: {} is {}x{} (height x width), {} is {}x{}; give a size to resize them to",
        first.display(), first_size.0, first_size.1, other.display(), other_size.0, other_size.1
    )]
    ImageSizes {
        /// The first image.
        first: PathBuf,
        /// Its height and width.
        first_size: (usize, usize),
        /// The first one that differs.
        other: PathBuf,
        /// Its height and width.
        other_size: (usize, usize),
    },
    /// A height or width of zero.
    #[error("images cannot be resized to {height}x{width}; height and width must be at least 1")]
    ImageSize {
        /// The height.
        height: usize,
        /// The width.
        width: usize,
    },
    /// More data than the machine's free memory holds.
    #[error(
        "{place} would take {} in memory as float64, and {} are {limit}; read fewer or smaller samples",
        Bytes(*needed),
        Bytes(*available)
    )]
    TooLarge {
        /// The data.
        place: Place,
        /// Bytes needed.
        needed: u64,
        /// Bytes available.
        available: u64,
        /// What keeps this process from taking more.
        limit: Limit,
    },
    /// The allocator has no room for the data.
    #[error("{place} takes {} in memory, which the system refuses to give; read fewer or smaller samples",
        Bytes(*needed))]
    Allocation {
        /// The data.
        place: Place,
        /// Bytes needed.
        needed: u64,
    },
    /// Words that name no normalisation.
    #[error("'{text}' is not a normalisation: {reason}")]
    NormalizationText {
        /// The words.
        text: String,
        /// What is wrong with them.
        reason: String,
    },
    /// A normalisation fitted to samples of another kind.
    #[error("the normalisation was fitted to {}, the samples have {found}",
        counted(*fitted, "channel", "channels"))]
    NormalizationChannels {
        /// Channels of the training samples.
        fitted: usize,
        /// Channels of these samples.
        found: usize,
    },
    /// Samples of another shape than those that a whitening was fitted to.
    #[error("the whitening was fitted to samples of shape {fitted:?}, these have {found:?}")]
    NormalizationShape {
        /// The shape of the training samples.
        fitted: Vec<usize>,
        /// The shape of these.
        found: Vec<usize>,
    },
    /// Eigenvalues that are not found.
    #[error("the eigenvalues of {what} ({size} × {size}) do not converge; rescale the data")]
    NoConvergence {
        /// Of which matrix.
        what: &'static str,
        /// Its rows.
        size: usize,
    },
    /// A normalisation of molecules.
    #[error("'{text}' means nothing for molecules, whose signals the architecture defines; leave it out")]
    NormalizationMolecules {
        /// The normalisation.
        text: String,
    },
    /// Arrays that are no signals on the sphere.
    #[error("{place} has samples of shape {shape:?}, which is no grid on the sphere: {reason}")]
    SphereGrid {
        /// The array.
        place: Place,
        /// The shape of one sample.
        shape: Vec<usize>,
        /// What is wrong, and which shape would do.
        reason: String,
    },
    /// Division by 255 of samples that are in [0, 1] already.
    #[error("the largest sample value is {largest}, so the samples are not in 0..255; leave unit-range out")]
    AlreadyUnitRange {
        /// The largest value.
        largest: f64,
    },
    /// A line of an .xyz file that cannot be read.
    #[error("{} line {line}: {reason}", path.display())]
    XyzLine {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A row of a molecule table that cannot be read.
    #[error("{} row {row} (line {line}): {reason}", path.display())]
    CsvRow {
        /// The file.
        path: PathBuf,
        /// Data row, counted from 0.
        row: usize,
        /// Line in the file, counted from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// A column or property that the file does not hold.
    #[error("{} has no {what} '{name}'; it holds {}", path.display(), list(names))]
    UnknownProperty {
        /// The file.
        path: PathBuf,
        /// Column, property or set of rows.
        what: &'static str,
        /// The name as given.
        name: String,
        /// The names that are there, the most similar first.
        names: Vec<String>,
    },
    /// Rows that the file does not hold.
    #[error("{place} asks for row {row} of {}, counted from 0", counted(*rows, "row", "rows"))]
    RowOutOfRange {
        /// The file and the rows asked for.
        place: Place,
        /// The first row that is not there.
        row: u64,
        /// Number of molecules.
        rows: usize,
    },
    /// A file without molecules.
    #[error("{place} holds no molecules")]
    NoMolecules {
        /// The file and the rows asked for.
        place: Place,
    },
    /// A molecule whose arrays contradict each other.
    #[error("molecule {molecule}: {reason}")]
    Molecule {
        /// Its name.
        molecule: String,
        /// What is wrong.
        reason: String,
    },
    /// A position that is not a number.
    #[error("molecule {molecule}: atom {atom} has the coordinate {value} ({axis}); remove the molecule")]
    PositionNotFinite {
        /// Its name.
        molecule: String,
        /// Which atom, from 0.
        atom: usize,
        /// x, y or z.
        axis: char,
        /// NaN, inf or -inf.
        value: f64,
    },
    /// A property that is not a number.
    #[error("molecule {molecule}: its {property} is {value}; remove the molecule")]
    PropertyNotFinite {
        /// Its name.
        molecule: String,
        /// The property.
        property: String,
        /// NaN, inf or -inf.
        value: f64,
    },
    /// Two atoms at one place.
    #[error(
        "molecule {molecule}: atoms {first} and {second} are {distance:.4} Å apart, less than {limit} Å; \
         check the units (Å) and the file"
    )]
    AtomsTooClose {
        /// Its name.
        molecule: String,
        /// One atom, from 0.
        first: usize,
        /// The other.
        second: usize,
        /// Their distance in Å.
        distance: f64,
        /// The smallest distance accepted, in Å.
        limit: f64,
    },
    /// A molecule of one atom, whose surroundings are empty.
    #[error(
        "molecule {molecule} has a single atom, so nothing surrounds it and its signal is zero; remove it"
    )]
    SingleAtom {
        /// Its name.
        molecule: String,
    },
    /// More atoms than accepted.
    #[error("molecule {molecule} has {atoms} atoms; at most {limit} are accepted")]
    TooManyAtoms {
        /// Its name.
        molecule: String,
        /// How many it has.
        atoms: usize,
        /// How many it may have.
        limit: usize,
    },
    /// An element that the architecture or the reference energies do not list.
    #[error("molecule {molecule}: atom {atom} is {}, but the elements listed are {}; add it or remove the molecule",
        crate::molecules::element_label(*element), crate::molecules::element_labels(known))]
    UnknownElement {
        /// Its name.
        molecule: String,
        /// Which atom, from 0.
        atom: usize,
        /// Its atomic number.
        element: u8,
        /// The atomic numbers that are listed.
        known: Vec<u8>,
    },
    /// None of the atoms around which the architecture looks.
    #[error(
        "molecule {molecule}: it has no atom of the centers {}, around which the network looks; remove the molecule or add its elements to `centers`",
        crate::molecules::element_labels(centers)
    )]
    NoCenter {
        /// Its name.
        molecule: String,
        /// The atomic numbers that are listed.
        centers: Vec<u8>,
    },
    /// Something that needs energies, and molecules without.
    #[error("the molecules were read without a property; name one: FILE:ROWS,PROPERTY, such as all,U0")]
    NoProperty,
    /// A result that could not be stored. What was at the path before is untouched.
    #[error("cannot write {}: {source}; nothing was written there", path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// The reason of the operating system.
        source: io::Error,
    },
}

impl DataError {
    /// The error of an operation on a path: [`DataError::NotFound`] with the nearest name, or [`DataError::Io`].
    pub(crate) fn io(path: &Path, action: &'static str, source: io::Error) -> DataError {
        if source.kind() == io::ErrorKind::NotFound {
            if let Ok(target) = path.read_link() {
                let reason = format!("it is a link to {}, which does not exist", target.display());
                return DataError::Io {
                    path: path.to_owned(),
                    action,
                    source: io::Error::new(source.kind(), reason),
                };
            }
            DataError::NotFound { path: path.to_owned(), nearest: nearest_file(path) }
        } else {
            DataError::Io { path: path.to_owned(), action, source }
        }
    }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; that folder holds '{name}'"))
}

/// The first names of a list, and how many more there are.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 12;
    match names.len() {
        0 => "nothing".to_owned(),
        n if n <= SHOWN => names.join(", "),
        n => format!("{} and {} more", names[..SHOWN].join(", "), n - SHOWN),
    }
}

/// A number and what is counted.
pub(crate) fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
