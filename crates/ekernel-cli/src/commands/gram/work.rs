//! A Gram matrix that is ready to be computed.

use std::path::Path;

use ekernel_core::{KernelSet, Network, Pairs};
use ekernel_experiment::Kind;
use serde_json::Value;

use crate::{args::Compute, augment::Augment, backends::Chosen};

/// What is computed, by what, and where it goes.
pub(super) struct Work<'a> {
    pub(super) out: &'a Path,
    pub(super) augment: Option<Augment>,
    /// The architecture file, and what it holds.
    pub(super) arch: &'a Path,
    pub(super) network: &'a Network,
    /// The network, for people.
    pub(super) label: String,
    pub(super) kind: Vec<Kind>,
    pub(super) kinds: KernelSet,
    pub(super) pairs: Pairs,
    /// Names of the samples of both sets; of one set those of the first.
    pub(super) names: [Vec<String>; 2],
    pub(super) chosen: Chosen,
    /// What is stored with the kernels.
    pub(super) facts: Value,
    pub(super) compute: &'a Compute,
}
