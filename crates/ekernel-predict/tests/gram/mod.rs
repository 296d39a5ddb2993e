//! Gram matrices of reproducible pseudo-random features.

use ndarray::Array2;

/// Entries uniform in [-1, 1) from splitmix64.
pub(crate) fn features(samples: usize, width: usize, seed: u64) -> Array2<f64> {
    let mut state = seed;
    Array2::from_shape_simple_fn((samples, width), || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    })
}

/// (1 + x·x'/width)³ between two sets of features: positive definite on distinct inputs while they are few.
pub(crate) fn cubic(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    a.dot(&b.t()).mapv(|product| (1.0 + product / a.ncols() as f64).powi(3))
}
