//! Pixels of which float32 does not hold the squares.

use ekernel_core::{Activation, Conv, GlobalPool, Input, Network, Padding, Samples};
use ndarray::Array4;

use super::awkward::noise;
use crate::Case;

/// Networks and images all or some of whose pixels are faint.
pub(crate) fn faint() -> Vec<Case> {
    let Samples::Images(noise) = noise([4, 4, 2]) else { unreachable!("noise is images") };
    let mut cases = Vec::new();
    for kink in [Activation::Sign, Activation::Relu, Activation::Erf { a: 1.0, b: 1.0, c: 0.0 }] {
        let network = Network::builder(Input::Image { height: 4, width: 4, channels: 2 })
            .layer(Conv::new([1, 2]).strides([1, 2]).padding(Padding::Valid))
            .layer(kink)
            .layer(GlobalPool::mean())
            .build()
            .expect("a network");
        let faint = |(n, r, c, k)| noise[[n, r, c, k]] * if r == 0 { 1.0 } else { 1e-22 };
        let images = [1e-20, 1e-25].map(|scale| &noise * scale).into_iter();
        for images in images.chain([Array4::from_shape_fn(noise.dim(), faint)]) {
            let name = format!("faint under {}", kink.name());
            cases.push(Case::new(name, network.clone(), Samples::Images(images)));
        }
    }
    cases
}
