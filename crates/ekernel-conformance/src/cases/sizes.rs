//! Images from one pixel to planes that are larger than workgroup memory, and strides over up to 224×224 pixels.

use ekernel_core::{Activation, Conv, Dense, GlobalPool, Input, Network, Padding, Pool};

use super::awkward::noise;
use crate::Case;

pub(crate) fn sizes() -> Vec<Case> {
    let shapes =
        [([1, 1], 1), ([1, 9], 1), ([2, 3], 1), ([13, 6], 1), ([40, 33], 1), ([64, 64], 4), ([224, 224], 32)];
    shapes
        .map(|([height, width], stride)| {
            let conv = || Conv::new([3, 3]).padding(Padding::Same).b_std(0.1);
            let network = Network::builder(Input::Image { height, width, channels: 2 })
                .layer(conv().strides([stride, stride]))
                .layer(Activation::Relu)
                .layer(conv())
                .layer(Activation::Relu)
                .layer(GlobalPool::mean())
                .build()
                .expect("a network");
            let samples = noise([height, width, 2]).select(&[0, 1]);
            let case = Case::new(format!("{height}×{width}, stride {stride}"), network, samples);
            if height * width > 100 { case.against_double() } else { case }
        })
        .into()
}

/// Pairs that take many dispatches, or many seconds.
pub(crate) fn large_pairs() -> [Case; 1] {
    [(48, true)].map(|(side, pools)| {
        let conv = || Conv::new([3, 3]).padding(Padding::Same);
        let body = Network::builder(Input::Image { height: side, width: side, channels: 3 });
        let body = body.layer(conv()).layer(Activation::Relu);
        let body = if pools { body.layer(Pool::mean([2, 2])) } else { body };
        let body = body.layer(conv()).layer(Activation::Relu).layer(GlobalPool::mean());
        let name = format!("large, pooled: {pools}");
        Case::new(name, body.build().expect("a network"), noise([side, side, 3]).select(&[0, 1]))
    })
}

/// More samples than are prepared at once.
pub(crate) fn many() -> Case {
    let network = Network::builder(Input::Image { height: 12, width: 12, channels: 3 })
        .layer(Conv::new([3, 3]))
        .layer(Activation::Relu)
        .layer(GlobalPool::mean())
        .layer(Dense::new())
        .layer(Activation::Relu)
        .build()
        .expect("a network");
    let indices: Vec<usize> = (0..256).map(|i| i % 3).collect();
    Case::new("many samples", network, noise([12, 12, 3]).select(&indices))
}
