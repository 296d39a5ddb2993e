//! Random networks and samples for property tests, and the adapter of the GPU tests ([`gpu`]). The networks have every
//! layer, padding, group and activation, in graphs that are valid by construction and that reduce to a [`Plan`](ekernel_core::Plan).
//!
//! ```
//! use ekernel_core::{KernelSet, Plan};
//! use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
//!
//! let (network, samples) = ekernel_testnets::cases().new_tree(&mut TestRunner::deterministic()).unwrap().current();
//! assert!(network.input().check(&samples).is_ok());
//! assert!(Plan::new(&network, KernelSet::Both).is_ok());
//! ```

mod draft;
pub mod gpu;
mod network;
mod samples;

pub use network::{network, sphere_network};
pub use samples::{noise_for, samples_for, signals_for};

use ekernel_core::{Network, Samples};
use proptest::strategy::{Just, Strategy};

/// A network with well separated samples for it ([`noise_for`]): where independent float64 computations agree to 1e-12.
pub fn cases() -> impl Strategy<Value = (Network, Samples)> {
    network().prop_flat_map(|network| {
        let samples = noise_for(&network);
        (Just(network), samples)
    })
}

/// A network on the sphere or on molecules, with two to four samples for it ([`signals_for`]).
pub fn sphere_cases() -> impl Strategy<Value = (Network, Samples)> {
    sphere_network().prop_flat_map(|network| {
        let samples = signals_for(&network);
        (Just(network), samples)
    })
}

/// A network with awkward samples for it ([`samples_for`]).
pub fn awkward_cases() -> impl Strategy<Value = (Network, Samples)> {
    network().prop_flat_map(|network| {
        let samples = samples_for(&network);
        (Just(network), samples)
    })
}
