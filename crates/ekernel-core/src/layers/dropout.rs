//! dropout with keep rate ρ: v ↦ v/ρ, and the entries of a sample with itself at equal positions /ρ.

use super::kind::{Incoming, Kind};
use crate::{
    ArchError, Domain, PerAtom,
    keys::{Keys, Section},
};

/// Dropout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Probability ρ ∈ (0, 1] of keeping a feature.
    pub keep_rate: f64,
}

impl Dropout {
    /// Keeps each feature with this probability.
    pub fn keep(keep_rate: f64) -> Dropout {
        Dropout { keep_rate }
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<Dropout, ArchError> {
        // Files written before version 0.2 call the key "rate".
        let old = keys.number("rate")?;
        let keep_rate = match (keys.number("keep_rate")?, old) {
            (Some(_), Some(old)) => {
                return Err(keys.bad(
                    "rate",
                    old,
                    "absent: it is the old name of keep_rate, which is given too",
                ));
            }
            (found, old) => found.or(old),
        };
        let keep_rate = keep_rate.ok_or_else(|| keys.missing("keep_rate", "keep_rate = 0.9"))?;
        Ok(Dropout { keep_rate })
    }
}

impl Kind for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        if !(self.keep_rate > 0.0 && self.keep_rate <= 1.0) {
            return Err(ArchError::Value {
                place: input.place.clone(),
                key: "keep_rate".into(),
                found: self.keep_rate.to_string(),
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

    fn write(&self, section: &mut Section) {
        section.number("keep_rate", self.keep_rate);
    }

    fn destroys_gaussian(&self) -> Option<&'static str> {
        Some("dropout multiplies by random masks")
    }
}
