//! identity: nothing, under a name.

use super::kind::{Incoming, Kind};
use crate::{ArchError, Domain};

/// The layer, which has no keys.
pub(super) struct Identity;

impl Kind for Identity {
    fn name(&self) -> &'static str {
        "identity"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        Ok(input.domain)
    }
}
