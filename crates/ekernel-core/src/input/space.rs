//! What a network reads.

use std::fmt;

use super::molecule::{self, AtomDescriptor, AtomPairing};
use crate::{
    ArchError, Domain, PerAtom, Samples,
    error::Place,
    keys::{Keys, Section},
};

/// What the network reads: K⁰(x, x') = (1/C) Σ_c f_c(x) f'_c(x'), Θ⁰ = 0.
#[derive(Clone, Debug, PartialEq)]
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
    /// Signals on the sphere, sampled on the grid of Driscoll and Healy: 2L rings θ_t = (2t+1)π/4L of 2L−1 points
    /// φ_p = 2πp/(2L−1).
    Sphere {
        /// L: the degrees l < L are kept.
        bandlimit: usize,
        /// Channels.
        channels: usize,
    },
    /// Molecules: atoms at positions, each with a signal on the sphere around it.
    Molecule {
        /// L of the signals.
        bandlimit: usize,
        /// How the signals are made.
        potential: AtomDescriptor,
        /// Which atoms are compared.
        atoms: AtomPairing,
    },
}

impl Input {
    /// The largest bandlimit of signals on the sphere.
    pub const MAX_BANDLIMIT: usize = 128;

    /// The most numbers of one sample: 2³⁶.
    pub const MOST_NUMBERS: usize = 1 << 36;

    /// The domain of the input.
    pub fn domain(&self) -> Domain {
        match *self {
            Input::Vector { .. } => Domain::Vector,
            Input::Image { height, width, .. } => Domain::Grid { height, width },
            Input::Sphere { bandlimit, .. } => Domain::Sphere { bandlimit },
            Input::Molecule { bandlimit, .. } => Domain::Atoms(PerAtom::Sphere { bandlimit }),
        }
    }

    /// Whether signals live on the sphere, alone or around the atoms of molecules.
    pub fn is_spherical(&self) -> bool {
        matches!(self, Input::Sphere { .. } | Input::Molecule { .. })
    }

    /// Number of features at a position.
    pub fn channels(&self) -> usize {
        match self {
            Input::Vector { features } => *features,
            Input::Image { channels, .. } | Input::Sphere { channels, .. } => *channels,
            Input::Molecule { potential, .. } => potential.channels(),
        }
    }

    /// The shape of one sample: \[features\], \[height, width, channels\] or \[2L, 2L−1, channels\]; empty for molecules, which
    /// differ in their numbers of atoms.
    pub fn shape(&self) -> Vec<usize> {
        match *self {
            Input::Vector { features } => vec![features],
            Input::Image { height, width, channels } => vec![height, width, channels],
            Input::Sphere { bandlimit, channels } => {
                vec![2 * bandlimit, (2 * bandlimit).saturating_sub(1), channels]
            }
            Input::Molecule { .. } => vec![],
        }
    }

    /// Checks that `samples` are what the network reads.
    ///
    /// Errors: [`ArchError::Samples`] names both shapes and, where a permutation or another file would do, says so;
    /// [`ArchError::UnknownElement`] for an atom without a channel.
    pub fn check(&self, samples: &Samples) -> Result<(), ArchError> {
        let found = samples.sample_shape();
        match (self, samples) {
            (Input::Molecule { potential, .. }, Samples::Molecules(molecules)) => {
                return potential.check(molecules);
            }
            (Input::Vector { .. }, Samples::Vectors(_))
            | (Input::Image { .. }, Samples::Images(_))
            | (Input::Sphere { .. }, Samples::Spheres(_))
                if found == self.shape() =>
            {
                return Ok(());
            }
            _ => {}
        }
        let kind = molecule::kind(samples);
        let found_text = match samples {
            Samples::Molecules(_) => kind.to_owned(),
            _ => format!("{kind} of shape {found:?}"),
        };
        Err(ArchError::Samples {
            expected: self.to_string(),
            found: found_text,
            hint: self.hint(samples, &found),
        })
    }

    /// What would make the samples fit.
    fn hint(&self, samples: &Samples, found: &[usize]) -> String {
        if let Samples::Molecules(_) = samples {
            return "; use space = \"molecule\" for molecules".to_owned();
        }
        match (self, found) {
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
            (Input::Sphere { .. }, &[rings, points, c]) if rings % 2 == 0 && points + 1 == rings => {
                format!("; set bandlimit = {} and channels = {c} in [input]", rings / 2)
            }
            (Input::Sphere { .. }, &[_, _, _]) => {
                "; a bandlimit L has 2L rings of 2L−1 points: sample the signals on that grid".to_owned()
            }
            (Input::Sphere { .. }, _) => "; use space = \"vector\" for vectors".to_owned(),
            (Input::Molecule { .. }, _) => {
                "; give atomic numbers and positions (an .xyz file, an .npz with charges and positions)"
                    .to_owned()
            }
        }
    }

    /// Refuses numbers that no file could hold (a builder can).
    pub(crate) fn valid(&self, place: &Place) -> Result<(), ArchError> {
        let bad = |key: &str, found: String, needs: String| {
            Err(ArchError::Value { place: place.clone(), key: key.to_owned(), found, needs })
        };
        let bandlimits = || format!("a whole number from 1 to {}", Self::MAX_BANDLIMIT);
        let numbers = |shape: &[usize]| shape.iter().try_fold(1_usize, |product, n| product.checked_mul(*n));
        let too_many = |shape: &[usize]| numbers(shape).is_none_or(|count| count > Self::MOST_NUMBERS);
        match self {
            Input::Vector { .. } | Input::Image { .. } if self.shape().contains(&0) => {
                bad("shape", format!("{:?}", self.shape()), "whole numbers of at least 1".to_owned())
            }
            Input::Vector { .. } | Input::Image { .. } if too_many(&self.shape()) => {
                bad("shape", format!("{:?}", self.shape()), format!("at most {} numbers", Self::MOST_NUMBERS))
            }
            Input::Sphere { bandlimit, .. } | Input::Molecule { bandlimit, .. }
                if !(1..=Self::MAX_BANDLIMIT).contains(bandlimit) =>
            {
                bad("bandlimit", bandlimit.to_string(), bandlimits())
            }
            Input::Sphere { channels: 0, .. } => {
                bad("channels", "0".to_owned(), "a whole number of at least 1".to_owned())
            }
            Input::Sphere { channels, .. } if too_many(&self.shape()) => {
                let most = Self::MOST_NUMBERS / (self.shape()[0] * self.shape()[1]);
                bad("channels", channels.to_string(), format!("a whole number from 1 to {most}"))
            }
            Input::Molecule { potential, .. } => match potential.problem() {
                Some((key, found, needs)) => bad(key, found, needs.to_owned()),
                None => Ok(()),
            },
            Input::Vector { .. } | Input::Image { .. } | Input::Sphere { .. } => Ok(()),
        }
    }

    pub(crate) fn read(keys: &mut Keys<'_>) -> Result<Input, ArchError> {
        let spaces =
            [("vector", "vector"), ("image", "image"), ("sphere", "sphere"), ("molecule", "molecule")];
        let space =
            keys.choice("space", &spaces)?.ok_or_else(|| keys.missing("space", "space = \"image\""))?;
        match space {
            "sphere" => Ok(Input::Sphere {
                bandlimit: bandlimit(keys)?,
                channels: keys.count("channels")?.ok_or_else(|| keys.missing("channels", "channels = 1"))?,
            }),
            "molecule" => Ok(Input::Molecule {
                bandlimit: bandlimit(keys)?,
                potential: AtomDescriptor::read(keys)?,
                atoms: AtomPairing::read(keys)?,
            }),
            "vector" => {
                shaped(keys, "[features], a whole number of at least 1", "shape = [10]", |shape| match *shape
                {
                    [features] => Some(Input::Vector { features }),
                    _ => None,
                })
            }
            _ => {
                let needs = "[height, width, channels], whole numbers of at least 1";
                shaped(keys, needs, "shape = [32, 32, 3]", |shape| match *shape {
                    [height, width, channels] => Some(Input::Image { height, width, channels }),
                    _ => None,
                })
            }
        }
    }

    pub(crate) fn write(&self, section: &mut Section) {
        match self {
            Input::Vector { .. } => section.word("space", "vector"),
            Input::Image { .. } => section.word("space", "image"),
            Input::Sphere { bandlimit, channels } => {
                section.word("space", "sphere");
                section.count("bandlimit", *bandlimit);
                section.count("channels", *channels);
                return;
            }
            Input::Molecule { bandlimit, potential, atoms } => {
                section.word("space", "molecule");
                section.count("bandlimit", *bandlimit);
                potential.write(section);
                section.word("atoms", atoms.name());
                return;
            }
        }
        section.counts("shape", &self.shape());
    }
}

fn bandlimit(keys: &mut Keys<'_>) -> Result<usize, ArchError> {
    keys.count("bandlimit")?.ok_or_else(|| keys.missing("bandlimit", "bandlimit = 6"))
}

/// An input that is described by its `shape` alone.
fn shaped(
    keys: &mut Keys<'_>,
    needs: &str,
    example: &str,
    make: impl Fn(&[usize]) -> Option<Input>,
) -> Result<Input, ArchError> {
    let shape = keys.counts("shape", needs)?.ok_or_else(|| keys.missing("shape", example))?;
    make(&shape).ok_or_else(|| keys.bad("shape", format!("{shape:?}"), needs))
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Vector { features } => write!(f, "vectors of {features} features"),
            Input::Image { height, width, channels } => {
                write!(f, "images of shape [{height}, {width}, {channels}] (height, width, channels)")
            }
            Input::Sphere { bandlimit, channels } => {
                let [rings, points] = [2 * bandlimit, (2 * bandlimit).saturating_sub(1)];
                write!(
                    f,
                    "signals on the sphere of bandlimit {bandlimit} and shape [{rings}, {points}, {channels}] (theta, phi, channels)"
                )
            }
            Input::Molecule { bandlimit, potential, atoms } => {
                let centers = match potential.centers == potential.elements {
                    true => String::new(),
                    false => format!(" of {:?}", potential.centers),
                };
                write!(
                    f,
                    "molecules of the elements {:?}, {} channels of bandlimit {bandlimit} around each atom{centers}, atoms {atoms}",
                    potential.elements,
                    potential.channels()
                )
            }
        }
    }
}
