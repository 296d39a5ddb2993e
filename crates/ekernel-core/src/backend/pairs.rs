//! Which pairs of samples a Gram matrix is made of.

use std::sync::Arc;

use super::BackendError;
use crate::{Input, Samples};

/// Which pairs a Gram matrix is made of. It owns its samples; a clone shares them.
#[derive(Clone, Debug)]
pub enum Pairs {
    /// All pairs of one set. Entry (i, i) is a sample with itself, which is what dropout asks about.
    Within(Arc<Samples>),
    /// Each sample of the first against each of the second; equal rows of the two are different draws to dropout.
    Cross(Arc<Samples>, Arc<Samples>),
}

impl Pairs {
    /// All pairs of one set.
    pub fn within(samples: impl Into<Arc<Samples>>) -> Pairs {
        Pairs::Within(samples.into())
    }

    /// Each sample of `first` against each of `second`.
    pub fn cross(first: impl Into<Arc<Samples>>, second: impl Into<Arc<Samples>>) -> Pairs {
        Pairs::Cross(first.into(), second.into())
    }

    /// The first set.
    pub fn first(&self) -> &Arc<Samples> {
        match self {
            Pairs::Within(x) | Pairs::Cross(x, _) => x,
        }
    }

    /// The second set; the first again if symmetric.
    pub fn second(&self) -> &Arc<Samples> {
        match self {
            Pairs::Within(x) | Pairs::Cross(_, x) => x,
        }
    }

    /// The sets, each once.
    pub fn sets(&self) -> Vec<&Arc<Samples>> {
        match self {
            Pairs::Within(x) => vec![x],
            Pairs::Cross(x, y) => vec![x, y],
        }
    }

    /// Whether both sets are one.
    pub fn is_symmetric(&self) -> bool {
        matches!(self, Pairs::Within(_))
    }

    /// Checks the samples themselves, and that they are what a network reads.
    ///
    /// # Errors
    /// [`BackendError::Samples`] and [`BackendError::Arch`].
    pub fn check(&self, input: &Input) -> Result<(), BackendError> {
        for (set, samples) in ["the first samples", "the second samples"].into_iter().zip(self.sets()) {
            samples.validate().map_err(|source| BackendError::Samples { set, source })?;
            input.check(samples)?;
        }
        Ok(())
    }
}
