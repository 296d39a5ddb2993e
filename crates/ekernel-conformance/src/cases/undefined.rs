//! Kernels that do not exist, whatever stands behind the expectation that does not.

use ekernel_core::{Activation, Conv, GlobalPool, Input, Network, Pool, Samples};
use ndarray::Array4;

use crate::Case;

/// Networks and images for which they have none.
pub(crate) fn undefined() -> Vec<Case> {
    let behind = [Activation::Relu, Activation::Sign, Activation::Erf { a: 1.0, b: 1.0, c: 0.0 }];
    let mut cases = Vec::new();
    for activation in behind {
        for pool in [false, true] {
            let conv = || Conv::new([1, 1]);
            let body = Network::builder(Input::Image { height: 3, width: 3, channels: 2 });
            let body = body.layer(conv()).layer(Activation::Gaussian { a: 1.0, b: 0.5 }).layer(conv());
            let body = if pool { body.layer(Pool::mean([2, 2])) } else { body };
            let network = body.layer(activation).layer(GlobalPool::mean()).build().expect("a network");
            let image =
                |(n, r, c, k): (usize, usize, usize, usize)| 1.0 + (n + 2 * r + 3 * c + 5 * k) as f64 % 2.3;
            let samples = Samples::Images(Array4::from_shape_fn((4, 3, 3, 2), image));
            let name = format!("undefined under {}, pooled: {pool}", activation.name());
            cases.push(Case::new(name, network, samples));
        }
    }
    cases
}
