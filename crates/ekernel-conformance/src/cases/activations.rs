//! Each activation on planes, read as it is and by a kinked one; without biases, where black pixels stay black.

use ekernel_core::{Activation, Conv, GlobalPool, Input, Network, Padding, Samples};
use ndarray::s;

use super::awkward::noise;
use crate::Case;

const ACTIVATIONS: [Activation; 12] = [
    Activation::Relu,
    Activation::LeakyRelu { alpha: 0.2 },
    Activation::LeakyRelu { alpha: -0.5 },
    Activation::Abs,
    Activation::Erf { a: 1.3, b: 0.8, c: 0.2 },
    Activation::Gelu,
    Activation::Sin { a: 1.1, b: 0.9, c: 0.4 },
    Activation::Cos { a: 0.9, b: 0.8, c: -0.2 },
    Activation::Rbf { gamma: 0.7 },
    Activation::Exp { a: 0.8, b: 0.6 },
    Activation::Gaussian { a: 1.2, b: -0.5 },
    Activation::Sign,
];

pub(crate) fn activations() -> Vec<Case> {
    let Samples::Images(mut half) = noise([5, 6, 2]) else { unreachable!("noise is images") };
    half.slice_mut(s![.., .., ..3, ..]).fill(0.0);
    let half = Samples::Images(half);
    let mut cases = Vec::new();
    for activation in ACTIVATIONS {
        for (kinked, black) in [(false, false), (true, false), (false, true), (true, true)] {
            let conv = || {
                let conv = Conv::new([3, 3]).padding(Padding::Same);
                if black { conv } else { conv.b_std(0.2) }
            };
            let body = Network::builder(Input::Image { height: 5, width: 6, channels: 2 }).layer(conv());
            let body = body.layer(activation).layer(conv());
            let body = if kinked { body.layer(Activation::Relu) } else { body };
            let network = body.layer(GlobalPool::mean()).build().expect("a network");
            let samples = if black { half.clone() } else { noise([5, 6, 2]) };
            let name = format!("{}, read by a relu: {kinked}, black: {black}", activation.name());
            cases.push(Case::new(name, network, samples));
        }
    }
    cases
}
