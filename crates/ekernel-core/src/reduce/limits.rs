//! What is planned at most. Bounds on work that no machine does, so that asking for it is an error and not an abort.

use crate::{ArchError, plan::Plan};

impl Plan {
    /// The most ops of a plan: 2²⁰. Branches that pool on their own compute what is upstream once each.
    pub const MOST_OPS: usize = 1 << 20;

    /// The most local pools one behind the other: 128, for each of which a backend has a call on its stack.
    pub const MOST_NESTED: usize = 128;

    /// The most offsets of all stages, rows and columns counted apart: 2²².
    pub const MOST_OFFSETS: usize = 1 << 22;

    /// The most nominal floating point operations of a pair: 10¹⁸.
    pub const MOST_FLOPS: u64 = 1_000_000_000_000_000_000;

    /// The most bytes of float32 working memory of a pair: 2³⁶.
    pub const MOST_BYTES: u64 = 1 << 36;
}

/// Refuses more than is planned.
pub(super) fn at_most(what: &'static str, needed: u64, most: u64) -> Result<(), ArchError> {
    if needed <= most { Ok(()) } else { Err(ArchError::TooLarge { what, needed, most }) }
}

/// Refuses plans whose pairs no machine computes.
pub(super) fn affordable(plan: &Plan) -> Result<(), ArchError> {
    let cost = plan.cost();
    at_most("bytes of memory for a pair", cost.bytes, Plan::MOST_BYTES)?;
    at_most("operations for a pair", cost.flops, Plan::MOST_FLOPS)
}
