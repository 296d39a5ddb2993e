//! Values that are exactly opposite or exactly parallel where nothing says so: their angle is a difference of rounded numbers.

use ekernel_core::{
    Activation, Conv, GlobalPool, Group, Input, Layer, Lift, Network, Padding, Pool, Samples,
};
use ndarray::Array4;

use super::awkward::noise;
use crate::Case;

pub(crate) fn opposite() -> Vec<Case> {
    let mut cases = Vec::new();
    for network in networks() {
        let Input::Image { height, width, channels } = *network.input() else { continue };
        for (kind, samples) in signed([height, width, channels]) {
            let ops: Vec<_> = network.nodes().iter().map(|node| node.layer.name()).collect();
            let name = format!("{kind}, {}", ops.join(" "));
            cases.push(Case::new(name, network.clone(), samples));
        }
    }
    cases
}

/// Networks on images.
fn networks() -> Vec<Network> {
    let conv = |size, strides| Conv::new(size).padding(Padding::Same).strides(strides);
    let plain = || Network::builder(Input::Image { height: 6, width: 6, channels: 2 });
    let mut networks = Vec::new();
    for kink in [Activation::Relu, Activation::LeakyRelu { alpha: 0.2 }, Activation::Abs, Activation::Sign] {
        let strided = || plain().layer(conv([3, 3], [2, 2])).layer(kink);
        networks.push(strided().layer(Layer::Flatten));
        // Behind a sign the root of a rounding shows in float64 too.
        if kink != Activation::Sign {
            let relu = strided().layer(conv([2, 2], [1, 1])).layer(Activation::Relu);
            networks.push(relu.layer(GlobalPool::mean()));
        }
    }
    // A window and its mirror image hold the same values in another order.
    for group in [Group::C2, Group::D1, Group::D2] {
        let mut pool = Pool::sum([2, 2]);
        pool.window.strides = [1, 1];
        let lifted = plain().layer(Lift::new(group, [1, 1])).layer(pool);
        networks.push(lifted.layer(Activation::LeakyRelu { alpha: -0.5 }).layer(Layer::GroupPool));
    }
    // Windows whose values nearly cancel, so that little is left behind the pool; of one channel it is parallel or opposite.
    for (kink, channels) in
        [(Activation::Relu, 1), (Activation::Relu, 2), (Activation::Abs, 1), (Activation::Abs, 2)]
    {
        let mut pool = Pool::mean([2, 2]);
        pool.window.strides = [1, 1];
        let image = Network::builder(Input::Image { height: 6, width: 6, channels });
        let pooled = image.layer(conv([1, 1], [1, 1])).layer(pool).layer(conv([1, 1], [1, 1])).layer(kink);
        networks.push(pooled.layer(GlobalPool::mean()));
    }
    networks.into_iter().map(|network| network.build().expect("a network")).collect()
}

/// Signed images of two tones, and images that are the negatives of others.
fn signed([height, width, channels]: [usize; 3]) -> Vec<(&'static str, Samples)> {
    let Samples::Images(noise) = noise([height, width, channels]) else { unreachable!("noise is images") };
    let images = |pixel: &dyn Fn(usize, usize, usize, usize) -> f64| {
        Samples::Images(Array4::from_shape_fn((4, height, width, channels), |(n, r, c, k)| pixel(n, r, c, k)))
    };
    let bright = |n: usize, r: usize, c: usize| ((r + n + n / 2 * c) / 3).is_multiple_of(2);
    vec![
        (
            "two signs",
            images(&|n, r, c, k| (0.4 + 0.1 * k as f64) * if bright(n, r, c) { 2.8 } else { -1.0 }),
        ),
        ("opposite", images(&|n, r, c, k| [1.0, -1.0, -0.3, 0.7][n] * noise[[n / 3, r, c, k]])),
    ]
}
