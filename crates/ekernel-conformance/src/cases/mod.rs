//! Networks and samples that are hard in one way each.

mod activations;
pub(crate) mod awkward;
mod faint;
mod heads;
mod long_sums;
mod mixed;
mod near;
mod opposite;
mod parallel;
mod sizes;
mod steep;
mod undefined;
mod wrapping;

pub(crate) use activations::activations;
pub(crate) use faint::faint;
pub(crate) use heads::heads;
pub(crate) use long_sums::long_sums;
pub(crate) use mixed::{beside_others, mixed};
pub(crate) use near::near;
pub(crate) use opposite::opposite;
pub(crate) use parallel::parallel;
pub(crate) use sizes::{large_pairs, many, sizes};
pub(crate) use steep::steep;
pub(crate) use undefined::undefined;
pub(crate) use wrapping::wrapping;
