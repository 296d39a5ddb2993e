//! sum: K ↦ Σ_i K_i, Θ ↦ Σ_i Θ_i of independent branches on one domain.

use super::kind::{Arity, Incoming, Kind};
use crate::{ArchError, Domain};

/// The layer, which has no keys.
pub(super) struct Sum;

impl Kind for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        Ok(input.domain)
    }

    fn arity(&self) -> Arity {
        Arity::Several
    }

    fn needs_gaussian(&self) -> bool {
        true
    }
}
