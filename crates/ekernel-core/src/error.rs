//! What can be wrong with an architecture, in words that teach.

use std::fmt;

use thiserror::Error;

use crate::{Domain, Group, Padding};

/// Where in an architecture: the layer's position (1 is the first `[[layers]]` entry, 0 the input), its op and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Position in the file, from 1; 0 is the input.
    pub index: usize,
    /// The layer's op.
    pub op: String,
    /// Its name, if it has one.
    pub name: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.index, &self.name) {
            (0, _) => f.write_str("the input"),
            (index, None) => write!(f, "layer {index} ({})", self.op),
            (index, Some(name)) => write!(f, "layer {index} ({} \"{name}\")", self.op),
        }
    }
}

/// Why an architecture is refused.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ArchError {
    /// The file is not TOML.
    #[error("the architecture file is not valid TOML: {message}")]
    Toml {
        /// The parser's message, with line and column.
        message: String,
    },
    /// A section is missing or has the wrong form.
    #[error("{section}: {problem}")]
    Section {
        /// Which section.
        section: String,
        /// What is wrong and what would do.
        problem: String,
    },
    /// An op that is not a layer.
    #[error("{place}: unknown layer{}; the layers are {known}", suggestion(nearest))]
    UnknownLayer {
        /// The layer.
        place: Place,
        /// The closest known word.
        nearest: Option<String>,
        /// All known words.
        known: String,
    },
    /// A layer of other libraries that is none here.
    #[error("{place} is no layer of ekernel: {reason}")]
    AbsentLayer {
        /// The layer.
        place: Place,
        /// Why, and what stands in for it.
        reason: &'static str,
    },
    /// A key the layer does not have.
    #[error("{place}: unknown key \"{key}\"{}; its keys are {known}", suggestion(nearest))]
    UnknownKey {
        /// The layer.
        place: Place,
        /// The key as written.
        key: String,
        /// The closest known word.
        nearest: Option<String>,
        /// All its keys.
        known: String,
    },
    /// A word that is not among a key's values.
    #[error("{place}: {key} = \"{found}\" is not known{}; it can be {known}", suggestion(nearest))]
    UnknownValue {
        /// The layer.
        place: Place,
        /// The key.
        key: String,
        /// The value as written.
        found: String,
        /// The closest known word.
        nearest: Option<String>,
        /// All its values.
        known: String,
    },
    /// A value of the wrong type or outside its range.
    #[error("{place}: {key} must be {needs}, found {found}")]
    Value {
        /// The layer.
        place: Place,
        /// The key.
        key: String,
        /// The value as written.
        found: String,
        /// What would do.
        needs: String,
    },
    /// A key without a default is absent.
    #[error("{place}: the key {key} is missing; for example {example}")]
    MissingKey {
        /// The layer.
        place: Place,
        /// The key.
        key: String,
        /// A line that would do.
        example: String,
    },
    /// No layers.
    #[error("the network has no layers; add at least one, for example op = \"dense\"")]
    Empty,
    /// Two layers of one name.
    #[error("{place}: the name \"{name}\" is taken by {other}; names must differ")]
    DuplicateName {
        /// The second layer.
        place: Place,
        /// The name.
        name: String,
        /// The first layer.
        other: Place,
    },
    /// `inputs` names a layer that is not there.
    #[error(
        "{place}: inputs names \"{input}\", which no layer is called{}; the names are {known}",
        suggestion(nearest)
    )]
    UnknownInput {
        /// The layer.
        place: Place,
        /// The name it reads.
        input: String,
        /// The closest name.
        nearest: Option<String>,
        /// All names.
        known: String,
    },
    /// The layers feed each other in a circle.
    #[error("the layers form a cycle: {path}; a network must be acyclic")]
    Cycle {
        /// The layers in order, the first repeated.
        path: String,
    },
    /// Too few or too many inputs.
    #[error("{place} reads {found} input(s) but needs {needs}")]
    InputCount {
        /// The layer.
        place: Place,
        /// What it needs.
        needs: &'static str,
        /// What it has.
        found: usize,
    },
    /// Nothing reads a layer's output.
    #[error(
        "{place}: nothing reads its output, and it is not the last layer; remove it or name it in some layer's inputs"
    )]
    Unread {
        /// The layer.
        place: Place,
    },
    /// A layer on a domain it is not defined on.
    #[error("{place} needs {needs}, but {source_place} is {found}")]
    Domain {
        /// The layer.
        place: Place,
        /// The layer it reads.
        source_place: Place,
        /// That layer's domain.
        found: Domain,
        /// What would do.
        needs: String,
    },
    /// Branches of a sum on different domains.
    #[error(
        "{place}: its inputs live on different domains: {first_place} is {first}, {second_place} is {second}; a sum needs equal ones"
    )]
    Branches {
        /// The layer.
        place: Place,
        /// One branch.
        first_place: Place,
        /// Its domain.
        first: Domain,
        /// Another branch.
        second_place: Place,
        /// Its domain.
        second: Domain,
    },
    /// Branches of a sum with different numbers of features.
    #[error(
        "{place} adds branches of different widths: {first_place} has {first} features, {second_place} has {second}; give them one width"
    )]
    Widths {
        /// The sum.
        place: Place,
        /// The layer that gives one branch its features.
        first_place: Place,
        /// Their number.
        first: usize,
        /// The layer that gives another branch its features.
        second_place: Place,
        /// Their number.
        second: usize,
    },
    /// A `valid` window that does not fit.
    #[error("{place}: a {}×{} window is larger than its {}×{} input (valid padding); use a smaller one or padding = \"same\"", size[0], size[1], extent[0], extent[1])]
    WindowTooLarge {
        /// The layer.
        place: Place,
        /// The window.
        size: [usize; 2],
        /// The input's height and width.
        extent: [usize; 2],
    },
    /// A group that turns the image by 90° on an image that is not square.
    #[error("{place}: {group} turns images by 90° and needs a square {what}, found {}×{}; use C2, D1 or D2, or make it square", found[0], found[1])]
    NotSquare {
        /// The layer.
        place: Place,
        /// The group.
        group: Group,
        /// Image, window or strides.
        what: &'static str,
        /// As found.
        found: [usize; 2],
    },
    /// A nonlinearity (or normalisation, or sum) of something that is not a Gaussian process.
    #[error(
        "{place} needs Gaussian inputs, but {source_place} is not one: {why}; put a weighted layer (dense, conv, …) between them"
    )]
    NotGaussian {
        /// The layer.
        place: Place,
        /// Its input.
        source_place: Place,
        /// What destroyed Gaussianity.
        why: String,
    },
    /// Branches of a sum that share weights: their covariances do not add.
    #[error(
        "{place} adds {first_place} and {second_place}, which both depend on the weights of {shared}: they are correlated, and their kernels do not add; put a weighted layer of its own on one of the branches"
    )]
    SharedWeights {
        /// The sum.
        place: Place,
        /// One branch.
        first_place: Place,
        /// Another branch.
        second_place: Place,
        /// The layer whose weights they share.
        shared: Place,
    },
    /// A layer that only networks of finite width have.
    #[error(
        "{place} has no kernel in closed form: the largest of several Gaussian features is not Gaussian; networks of finite width have it (docs/finite.md), for a kernel use avg_pool"
    )]
    NoKernel {
        /// The layer.
        place: Place,
    },
    /// The network ends on a spatial domain.
    #[error("the network ends on {domain} ({place}), which has no single kernel value; end with {readouts}")]
    NoReadout {
        /// The last layer.
        place: Place,
        /// Its domain.
        domain: Domain,
        /// The layers that would do.
        readouts: &'static str,
    },
    /// Dropout applied to the data.
    #[error(
        "{place}: dropout on the input is not covered (the data are not random); put it after a weighted layer and its activation"
    )]
    DropoutOnInput {
        /// The layer.
        place: Place,
    },
    /// The standard parameterisation needs to know how many features come in.
    #[error(
        "{place}: parameterization = \"standard\" needs the number of its input features; give {source_place} a width, for example width = 512"
    )]
    WidthMissing {
        /// The layer.
        place: Place,
        /// The previous weighted layer.
        source_place: Place,
    },
    /// A window, stride or size under which the layer does not commute with the group, so that the network is not
    /// equivariant and has no orbit form.
    #[error("{place}: with {}×{} windows, strides {}×{} and {padding} padding on {}×{} positions this layer does not commute with {group}, so the network is not {group}-equivariant; {remedy}", window[0], window[1], strides[0], strides[1], extent[0], extent[1])]
    NotEquivariant {
        /// The layer.
        place: Place,
        /// The group.
        group: Group,
        /// Window size.
        window: [usize; 2],
        /// Strides.
        strides: [usize; 2],
        /// Padding.
        padding: Padding,
        /// The input's height and width.
        extent: [usize; 2],
        /// Sizes that work.
        remedy: String,
    },
    /// A sum of branches that a turned input shifts differently.
    #[error("{place}: behind {first_place} a turned image lies shifted by {}×{} pixels, behind {second_place} by {}×{} (each even circular window shifts it by one), so the sum is not {group}-equivariant; use odd windows (1, 3, 5, 7), or the same number of even ones on every branch", first[0], first[1], second[0], second[1])]
    UnequalShifts {
        /// The sum.
        place: Place,
        /// The group.
        group: Group,
        /// One branch.
        first_place: Place,
        /// Its shift per axis.
        first: [usize; 2],
        /// Another branch.
        second_place: Place,
        /// Its shift per axis.
        second: [usize; 2],
    },
    /// A layer that mixes pixels before the lift to a group.
    #[error("{place}: only pointwise layers are allowed between the input and {lift}, because a plain {op} is not equivariant; use lift first and group_conv after it", op = place.op)]
    BeforeLift {
        /// The layer.
        place: Place,
        /// The lift.
        lift: Place,
    },
    /// A plan that no machine computes.
    #[error(
        "the network needs {needed} {what}, and {most} are the most that is planned; use smaller inputs, larger strides, smaller windows or fewer layers"
    )]
    TooLarge {
        /// What it needs.
        what: &'static str,
        /// How many.
        needed: u64,
        /// How many are planned at most.
        most: u64,
    },
    /// A bandlimit beyond what the layer reads.
    #[error(
        "{place}: bandlimit {bandlimit} is above the {found} of {source_place}; a convolution can only lower it"
    )]
    BandlimitTooLarge {
        /// The layer.
        place: Place,
        /// The bandlimit asked for.
        bandlimit: usize,
        /// What it reads.
        source_place: Place,
        /// The bandlimit there.
        found: usize,
    },
    /// A quadrature on SO(3) that cannot carry the lifted signals.
    #[error(
        "a quadrature of {nodes} nodes cannot carry the lifted bandlimit {bandlimit}: it needs from {bandlimit} to {max}; {twice} is fast, {accurate} the default",
        twice = 2 * bandlimit
    )]
    Quadrature {
        /// The nodes asked for.
        nodes: usize,
        /// The bandlimit of the lift.
        bandlimit: usize,
        /// The default number of nodes.
        accurate: usize,
        /// The largest number of nodes.
        max: usize,
    },
    /// An atom whose element has no channel.
    #[error(
        "atom {atom} of molecule {molecule} is of element {element}, but the network knows the elements {known}; add it to elements in [input], or leave the molecule out"
    )]
    UnknownElement {
        /// Index of the molecule.
        molecule: usize,
        /// Index of the atom.
        atom: usize,
        /// Its atomic number.
        element: u8,
        /// The network's elements.
        known: String,
    },
    /// A molecule has no atom that the network makes a signal for.
    #[error(
        "molecule {molecule} has no atom of the elements {centers}, around which the network looks; leave it out, or add its elements to `centers`"
    )]
    NoCenter {
        /// Index of the molecule.
        molecule: usize,
        /// The network's centers.
        centers: String,
    },
    /// The images do not fit the network.
    #[error("the network's input is {expected}, but the samples are {found}{hint}")]
    Samples {
        /// What the network reads.
        expected: String,
        /// What was given.
        found: String,
        /// What would do.
        hint: String,
    },
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|word| format!(", did you mean \"{word}\"?")).unwrap_or_default()
}

/// The known word closest to `found`, if one is close enough to be meant.
pub(crate) fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&found.to_lowercase(), &word.to_lowercase()), word))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word.to_owned())
}
