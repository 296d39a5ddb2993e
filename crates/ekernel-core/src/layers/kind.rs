//! What every layer says of itself: its name, its keys, what it reads and what it makes of it.

use super::Weights;
use crate::{ArchError, Domain, Window, error::Place, keys::Section};

/// A layer's properties, in the layer's own file. The defaults are those of a layer that does nothing.
pub(crate) trait Kind {
    /// The op in architecture files.
    fn name(&self) -> &'static str;

    /// Output domain on one input; every input must be like it.
    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError>;

    /// Writes the keys that differ from their defaults.
    fn write(&self, _: &mut Section) {}

    /// How many inputs it reads.
    fn arity(&self) -> Arity {
        Arity::One
    }

    /// Whether it needs a Gaussian process as input.
    fn needs_gaussian(&self) -> bool {
        false
    }

    /// Why the output is not a Gaussian process even where the input is one.
    fn destroys_gaussian(&self) -> Option<&'static str> {
        None
    }

    /// The weights, if it has any: then the output is a Gaussian process.
    fn weights(&self) -> Option<&Weights> {
        None
    }

    /// The window, if it slides one.
    fn window(&self) -> Option<&Window> {
        None
    }
}

/// How many inputs a layer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arity {
    /// One.
    One,
    /// Two or more.
    Several,
}

impl Arity {
    pub(crate) fn allows(self, inputs: usize) -> bool {
        match self {
            Arity::One => inputs == 1,
            Arity::Several => inputs >= 2,
        }
    }

    pub(crate) fn needs(self) -> &'static str {
        match self {
            Arity::One => "exactly 1",
            Arity::Several => "at least 2 (inputs = [\"a\", \"b\"])",
        }
    }
}

/// One input of a layer whose output domain is asked for.
pub(crate) struct Incoming<'a> {
    pub(crate) place: &'a Place,
    pub(crate) source: &'a Place,
    pub(crate) domain: Domain,
}

impl Incoming<'_> {
    pub(super) fn wrong_domain(&self, needs: &str) -> ArchError {
        ArchError::Domain {
            place: self.place.clone(),
            source_place: self.source.clone(),
            found: self.domain,
            needs: needs.to_owned(),
        }
    }
}
