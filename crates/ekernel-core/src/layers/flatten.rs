//! flatten: the mean over equal positions t of K(t, t) and Θ(t, t).

use super::Incoming;
use crate::{Domain, arch::ArchError};

pub(super) fn output(input: &Incoming<'_>) -> Result<Domain, ArchError> {
    match input.domain {
        Domain::Grid { .. } | Domain::GroupGrid { .. } => Ok(Domain::Vector),
        Domain::Vector => Err(input.wrong_domain("a grid or a group grid (a vector is flat already)")),
    }
}
