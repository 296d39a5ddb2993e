//! A kink in the head that reads one value, of which no errors average out, at every angle.

use ekernel_core::{Activation, Conv, Dense, Input, Layer, Network, Samples};
use ndarray::Array4;

use super::awkward::noise;
use crate::Case;

pub(crate) fn heads() -> Vec<Case> {
    let network = Network::builder(Input::Image { height: 2, width: 2, channels: 2 })
        .layer(Conv::new([2, 2]))
        .layer(Activation::Relu)
        .layer(Layer::Flatten)
        .layer(Dense::new())
        .layer(Activation::Abs)
        .layer(Dense::new())
        .build()
        .expect("a network");
    let Samples::Images(noise) = noise([2, 2, 2]) else { unreachable!("noise is images") };
    let samples = Samples::Images(Array4::from_shape_fn((12, 2, 2, 2), |(n, r, c, k)| {
        noise[[0, r, c, k]] + 10f64.powf(-0.3 * n as f64) * noise[[1, r, c, k]]
    }));
    vec![Case::new("a head of one value", network, samples)]
}
