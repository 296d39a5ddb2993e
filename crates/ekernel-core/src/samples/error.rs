//! What can be wrong with samples.

use thiserror::Error;

/// What is wrong with a batch of samples.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SamplesError {
    /// One of the dimensions is zero.
    #[error("the samples are empty: their shape is {shape:?}; every dimension must be at least 1")]
    Empty {
        /// The shape as given.
        shape: Vec<usize>,
    },
    /// A NaN or an infinity.
    #[error("sample {sample} holds {value} at index {index:?}; remove or replace it")]
    NotFinite {
        /// Which sample.
        sample: usize,
        /// The index within the sample.
        index: Vec<usize>,
        /// NaN, inf or -inf.
        value: f64,
    },
    /// A value whose square would overflow on the way.
    #[error(
        "sample {sample} holds {value:e} at index {index:?}; values beyond ±{limit:e} are not computed: rescale the data"
    )]
    TooLarge {
        /// Which sample.
        sample: usize,
        /// The index within the sample.
        index: Vec<usize>,
        /// The value.
        value: f64,
        /// The largest magnitude that is accepted.
        limit: f64,
    },
    /// A sample whose squares, and so its kernel, would underflow to 0.
    #[error(
        "sample {sample} is not zero, and its largest magnitude is {largest:e}; below {limit:e} kernels, which are squares, \
         lose digits and become 0: rescale the data"
    )]
    TooSmall {
        /// Which sample.
        sample: usize,
        /// The largest magnitude of its entries.
        largest: f64,
        /// The smallest such magnitude that is accepted.
        limit: f64,
    },
    /// Charges and positions of a molecule do not belong together.
    #[error(
        "molecule {sample} has {atoms} atomic numbers but positions of shape {shape:?}; it needs [{atoms}, 3]"
    )]
    Positions {
        /// Which molecule.
        sample: usize,
        /// Its number of atomic numbers.
        atoms: usize,
        /// The shape of its positions.
        shape: Vec<usize>,
    },
    /// A molecule without two atoms.
    #[error(
        "molecule {sample} has {atoms} atom(s); an atom's signal is made by the others, so at least 2 are needed: leave it out"
    )]
    TooFewAtoms {
        /// Which molecule.
        sample: usize,
        /// Its number of atoms.
        atoms: usize,
    },
    /// Two atoms at one place, or absurdly far apart.
    #[error(
        "atoms {} and {} of molecule {sample} are {distance:e} Å apart; positions are in Å, and atoms are at least {min} Å apart",
        atoms[0], atoms[1]
    )]
    Distance {
        /// Which molecule.
        sample: usize,
        /// The two atoms.
        atoms: [usize; 2],
        /// Their distance in Å.
        distance: f64,
        /// The smallest accepted.
        min: f64,
    },
}
