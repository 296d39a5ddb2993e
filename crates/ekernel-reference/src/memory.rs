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
    let bytes = |field: usize| 16 * u128::from(positions[field]) * u128::from(positions[field]);
    let mut ends = vec![0_u128; network.nodes().len()];
    for (field, reader) in last.iter().enumerate() {
        if let Some(reader) = reader {
            ends[*reader] += bytes(field);
        }
    }
    // The output is read by none; every other field is, from when it is made on.
    let (mut alive, mut most) = (0_u128, 0);
    for (k, ends) in ends.into_iter().enumerate() {
        alive += bytes(k);
        most = most.max(alive + 2 * bytes(k + 1));
        alive -= ends;
    }
    u64::try_from(most).unwrap_or(u64::MAX)
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
