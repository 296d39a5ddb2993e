//! Random numbers that a seed names for good, on every machine and for every number of threads.

use std::f64::consts::TAU;

use chacha20::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// The name of a network: members of one seed are independent networks, however many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The seed.
    pub seed: u64,
    /// The number of the network among those of the seed.
    pub member: u64,
}

/// What a stream of numbers is for; streams of different purposes, places or indices are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Parameters: place is the array, index the label of atoms.
    Parameters,
    /// A dropout mask: place is the step, index the item.
    Mask,
    /// The order of samples and random augmentation: place is the epoch.
    Order,
}

/// A stream of random numbers: ChaCha8 with the network's name, the purpose, place and index as key.
pub(crate) struct Stream(ChaCha8Rng);

impl Stream {
    pub(crate) fn new(name: Name, purpose: Purpose, place: u64, index: u64) -> Stream {
        let mut key = [0; 32];
        let words = [name.seed, name.member, (purpose as u64) << 56 | place, index];
        for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Stream(ChaCha8Rng::from_seed(key))
    }

    /// A number of [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.uniform() * n as f64) as usize
    }

    /// Fills with standard normal numbers (Box and Muller); a longer slice begins with the numbers of a shorter one.
    pub(crate) fn normals(&mut self, mut out: impl FnMut(usize, f64), count: usize) {
        // libm computes the same bits everywhere, which the standard library does not promise.
        for pair in 0..count.div_ceil(2) {
            let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
            let (sine, cosine) = libm::sincos(TAU * self.uniform());
            out(2 * pair, radius * cosine);
            if 2 * pair + 1 < count {
                out(2 * pair + 1, radius * sine);
            }
        }
    }
}
