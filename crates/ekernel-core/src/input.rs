//! The input of a network.

use std::fmt;

use crate::{
    Domain, Samples,
    arch::{ArchError, Keys, Section},
};

/// What the network reads: K⁰(x, x') = (1/C) Σ_c f_c(x) f'_c(x'), Θ⁰ = 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Vectors of this many features.
    Vector {
        /// Number of features.
        features: usize,
    },
    /// Images.
    Image {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Channels.
        channels: usize,
    },
}

impl Input {
    /// The domain of the input.
    pub fn domain(&self) -> Domain {
        match *self {
            Input::Vector { .. } => Domain::Vector,
            Input::Image { height, width, .. } => Domain::Grid { height, width },
        }
    }

    /// Number of features at a position.
    pub fn channels(&self) -> usize {
        match *self {
            Input::Vector { features } => features,
            Input::Image { channels, .. } => channels,
        }
    }

    /// The shape of one sample: \[features\] or \[height, width, channels\].
    pub fn shape(&self) -> Vec<usize> {
        match *self {
            Input::Vector { features } => vec![features],
            Input::Image { height, width, channels } => vec![height, width, channels],
        }
    }

    /// Checks that `samples` are what the network reads.
    ///
    /// Errors: [`ArchError::Samples`] names both shapes and, where a permutation or another file would do, says so.
    pub fn check(&self, samples: &Samples) -> Result<(), ArchError> {
        let found = samples.sample_shape();
        if found == self.shape() {
            return Ok(());
        }
        let hint = match (self, &found[..]) {
            (Input::Image { height, width, channels }, &[c, h, w])
                if (h, w, c) == (*height, *width, *channels) =>
            {
                "; they look like NCHW: move the channels last".to_owned()
            }
            (Input::Image { .. }, &[h, w, c]) => {
                format!("; set shape = [{h}, {w}, {c}] in [input], or resize the images")
            }
            (Input::Image { .. }, _) => "; use space = \"vector\" for vectors".to_owned(),
            (Input::Vector { .. }, &[n]) => format!("; set shape = [{n}] in [input]"),
            (Input::Vector { .. }, _) => "; use space = \"image\" for images".to_owned(),
        };
        let kind = match samples {
            Samples::Vectors(_) => "vectors",
            Samples::Images(_) => "images",
        };
        Err(ArchError::Samples {
            expected: self.to_string(),
            found: format!("{kind} of shape {found:?}"),
            hint,
        })
    }

    pub(crate) fn read(keys: &mut Keys<'_>) -> Result<Input, ArchError> {
        const EXAMPLE: &str = "space = \"image\"";
        let space = keys.choice("space", &[("vector", 1), ("image", 3)])?;
        let rank = space.ok_or_else(|| keys.missing("space", EXAMPLE))?;
        let (needs, example) = match rank {
            1 => ("[features], a whole number of at least 1", "shape = [10]"),
            _ => ("[height, width, channels], whole numbers of at least 1", "shape = [32, 32, 3]"),
        };
        let shape = keys.counts("shape", needs)?.ok_or_else(|| keys.missing("shape", example))?;
        match (rank, &shape[..]) {
            (1, &[features]) => Ok(Input::Vector { features }),
            (3, &[height, width, channels]) => Ok(Input::Image { height, width, channels }),
            _ => Err(ArchError::Value {
                place: keys.place().clone(),
                key: "shape".into(),
                found: format!("{shape:?}"),
                needs: needs.into(),
            }),
        }
    }

    pub(crate) fn write(&self, section: &mut Section) {
        let space = match self {
            Input::Vector { .. } => "vector",
            Input::Image { .. } => "image",
        };
        section.word("space", space);
        section.counts("shape", &self.shape());
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Vector { features } => write!(f, "vectors of {features} features"),
            Input::Image { height, width, channels } => {
                write!(f, "images of shape [{height}, {width}, {channels}] (height, width, channels)")
            }
        }
    }
}
