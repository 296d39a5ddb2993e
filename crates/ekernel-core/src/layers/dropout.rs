//! dropout with keep rate ρ: v ↦ v/ρ, and the entries of a sample with itself at equal positions /ρ.

use super::Incoming;
use crate::{
    Domain, PerAtom,
    arch::{ArchError, Keys, Section},
};

/// Dropout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Probability ρ ∈ (0, 1] of keeping a feature.
    pub rate: f64,
}

impl Dropout {
    /// Keeps each feature with this probability.
    pub fn keep(rate: f64) -> Dropout {
        Dropout { rate }
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<Dropout, ArchError> {
        let rate = keys
            .number("rate")?
            .ok_or_else(|| keys.missing("rate", "rate = 0.9 (the probability of keeping)"))?;
        Ok(Dropout { rate })
    }

    pub(super) fn write(&self, section: &mut Section) {
        section.number("rate", self.rate);
    }

    pub(super) fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        if !(self.rate > 0.0 && self.rate <= 1.0) {
            return Err(ArchError::Value {
                place: input.place.clone(),
                key: "rate".into(),
                found: self.rate.to_string(),
                needs: "in (0, 1]: it is the probability of keeping a feature".into(),
            });
        }
        // Nothing but the input lives on a sphere.
        let sphere = matches!(input.domain, Domain::Sphere { .. } | Domain::Atoms(PerAtom::Sphere { .. }));
        if input.source.index == 0 || sphere {
            return Err(ArchError::DropoutOnInput { place: input.place.clone() });
        }
        Ok(input.domain)
    }
}
