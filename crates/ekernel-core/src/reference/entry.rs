//! What the reference says of one input, layer or activation.

/// The parts of an architecture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `space` of `[input]`.
    Input,
    /// `op` of `[[layers]]`, but for activations.
    Layer,
    /// `op` of `[[layers]]` for a pointwise nonlinearity.
    Activation,
}

/// An input, layer or activation.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where it stands.
    pub part: Part,
    /// The word of `space` or `op`.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Its keys beside `space` or `op`, `name` and `inputs`.
    pub keys: Vec<Key>,
    /// A whole architecture file that holds it.
    pub example: String,
    /// Which domains it takes and what it makes of each, in words; of an input the domain alone.
    pub domains: Vec<[&'static str; 2]>,
    /// Whether its input must be a Gaussian process: the output of a weighted layer, pooled or summed at most.
    pub needs_gaussian: bool,
}

/// A key of a table of the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// The word.
    pub name: &'static str,
    /// What holds where it is left out.
    pub default: Default,
    /// What it is.
    pub about: &'static str,
}

/// What holds where a key is left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Default {
    /// The key must be there.
    Required,
    /// This value, as TOML.
    Is(&'static str),
    /// Something that no value of the key says, in words.
    Otherwise(&'static str),
}
