//! Activations as layers: K ↦ K_σ, Θ ↦ Θ·K̇ at each position.

use super::kind::{Incoming, Kind};
use crate::{Activation, ArchError, Domain, keys::Section};

impl Kind for Activation {
    fn name(&self) -> &'static str {
        Activation::name(self)
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        match self.bad_parameter() {
            None => Ok(input.domain),
            Some((key, value)) => Err(ArchError::Value {
                place: input.place.clone(),
                key: key.to_owned(),
                found: value.to_string(),
                needs: if key == "gamma" { "a finite number above 0" } else { "a finite number" }.to_owned(),
            }),
        }
    }

    fn write(&self, section: &mut Section) {
        Activation::write(self, section);
    }

    fn needs_gaussian(&self) -> bool {
        true
    }

    fn destroys_gaussian(&self) -> Option<&'static str> {
        Some("a nonlinearity of a Gaussian is not Gaussian")
    }
}
