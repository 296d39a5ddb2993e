//! Networks whose sums are long: their error must not grow with their length.

use ekernel_core::{Activation, Conv, GlobalPool, Input, Network, Padding, Pool, Samples};
use ndarray::Array4;

use super::awkward::noise;
use crate::Case;

/// Images of two kinds for a shape: noise, and constant ones.
fn images([height, width, channels]: [usize; 3]) -> [Samples; 2] {
    let shape = (2, height, width, channels);
    let constant = |(n, _, _, k): (usize, usize, usize, usize)| (n as f64 + 0.7) * (1.0 + (k % 3) as f64);
    [
        noise([height, width, channels]).select(&[0, 1]),
        Samples::Images(Array4::from_shape_fn(shape, constant)),
    ]
}

pub(crate) fn long_sums() -> Vec<Case> {
    let conv = |size: [usize; 2]| Conv::new(size).padding(Padding::Valid).b_std(0.1);
    let plain = |shape: [usize; 3]| {
        let [height, width, channels] = shape;
        Network::builder(Input::Image { height, width, channels })
    };
    let pooled = |shape, size, strides| {
        let mut pool = Pool::mean(size);
        pool.window.strides = strides;
        plain(shape).layer(conv([1, 3])).layer(Activation::Relu).layer(pool).layer(conv([1, 1]))
    };
    let mut window = Pool::mean([2, 32_769]);
    (window.window.strides, window.window.padding) = ([1, 1], Padding::Same);
    let around =
        plain([2, 9, 2]).layer(conv([1, 1])).layer(Activation::Relu).layer(window).layer(conv([1, 1]));
    let bodies = [
        ("a window of 260×260", [261, 261, 2], plain([261, 261, 2]).layer(conv([260, 260]))),
        ("a window of 1×70000", [1, 70_001, 2], plain([1, 70_001, 2]).layer(conv([1, 70_000]))),
        ("70000 channels", [2, 3, 70_000], plain([2, 3, 70_000]).layer(conv([1, 2]))),
        // As long as float32 chains of the CPU take them.
        ("128 channels", [2, 3, 128], plain([2, 3, 128]).layer(conv([1, 2]))),
        ("a window of 1×128", [1, 131, 3], plain([1, 131, 3]).layer(conv([1, 128]))),
        ("a pool of 1×250", [1, 500, 2], pooled([1, 500, 2], [1, 250], [1, 100])),
        ("a pool of 13×12", [26, 26, 2], pooled([26, 26, 2], [13, 12], [12, 12])),
        // More taps than one dispatch of a GPU adds up, cut where the window lies on the image.
        ("a pool of 2×32769", [2, 9, 2], around),
    ];
    let cases = bodies.into_iter().flat_map(|(what, shape, body)| {
        let network = body.layer(Activation::Relu).layer(GlobalPool::mean()).build().expect("a network");
        ["noise", "constant"].into_iter().zip(images(shape)).map(move |(kind, samples)| {
            Case::new(format!("{what}, {kind}"), network.clone(), samples).against_double()
        })
    });
    cases.collect()
}
