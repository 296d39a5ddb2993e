//! How much memory a pair takes.

use ekernel_core::Network;

use crate::pass::last_readers;

/// Bytes of K and Θ at all layers that are alive at the same time, at their most: those still to be read, the one being
/// written, and one mean over taps. Saturates.
pub(crate) fn per_pair(network: &Network) -> u64 {
    let last = last_readers(network);
    let positions: Vec<u64> = std::iter::once(network.input().domain())
        .chain(network.nodes().iter().map(|node| node.domain))
        .map(|domain| domain.positions() as u64)
        .collect();
    let bytes = |field: usize| positions[field].saturating_mul(positions[field]).saturating_mul(16);
    let during = |k: usize| {
        let alive = (0..=k).filter(|&field| last[field].is_some_and(|reader| reader >= k));
        alive.map(bytes).fold(bytes(k + 1).saturating_mul(2), u64::saturating_add)
    };
    (0..network.nodes().len()).map(during).max().unwrap_or(0)
}

/// Bytes that are kept of every sample: its variances after every layer and its features.
pub(crate) fn per_sample(network: &Network) -> u64 {
    let features = network.input().shape().iter().map(|n| *n as u64).fold(1, u64::saturating_mul);
    let variances = network.nodes().iter().map(|node| node.domain.positions() as u64).sum::<u64>();
    (network.input().domain().positions() as u64)
        .saturating_add(features)
        .saturating_add(variances)
        .saturating_mul(8)
}
