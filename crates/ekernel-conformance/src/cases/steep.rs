//! Steep smooth activations: what float32 rounds is multiplied by slope² × variance at every layer.

use ekernel_core::{Activation, Conv, Dense, GlobalPool, Input, Layer, Network, Padding, Samples};
use ndarray::Array4;

use crate::Case;

const SIDE: usize = 6;

pub(crate) fn steep() -> Vec<Case> {
    let case = |(what, network, size)| Case::new(what, network, images(size)).against_double();
    networks().into_iter().map(case).collect()
}

/// What is steep, the network, and what the pixels, noise between 0 and 1, are multiplied by.
fn networks() -> Vec<(String, Network, f64)> {
    let sin = |b| Activation::Sin { a: 1.0, b, c: 0.0 };
    let cos = |b| Activation::Cos { a: 1.0, b, c: 0.0 };
    let erf = Activation::Erf { a: 1.0, b: 1.0, c: 0.0 };
    let gaussian = Activation::Gaussian { a: 1.0, b: -1.0 };
    let rbf = Activation::Rbf { gamma: 1.0 };
    let exp = |b| Activation::Exp { a: 1.0, b };
    // SIREN's weights: w² = 2/900 behind a sin of frequency 30.
    let siren = 2_f64.sqrt() / 30.0;
    let mut all = Vec::new();
    let mut add = |what: &str, activation: Activation, depth: usize, [first, rest]: [f64; 2], size: f64| {
        for head in [false, true] {
            let mut builder = Network::builder(Input::Image { height: SIDE, width: SIDE, channels: 3 });
            for layer in 0..depth {
                let w_std = if layer == 0 { first } else { rest };
                builder =
                    builder.layer(Conv::new([3, 3]).padding(Padding::Same).w_std(w_std)).layer(activation);
            }
            builder = builder.layer(if head { GlobalPool::mean().into() } else { Layer::Flatten });
            let network = builder.layer(Dense::new()).build().expect("a network");
            let readout = if head { "mean" } else { "flatten" };
            all.push((format!("{what}, depth {depth}, {readout}"), network, size));
        }
    };
    for depth in [1, 2, 3] {
        add("sin b = 30", sin(30.0), depth, [1.0, 1.0], 1.0);
        add("sin b = 3", sin(3.0), depth, [1.0, 1.0], 1.0);
        add("erf w = 10", erf, depth, [10.0, 10.0], 1.0);
        add("erf w = 100", erf, depth, [100.0, 100.0], 1.0);
        add("cos w = 10", cos(1.0), depth, [10.0, 10.0], 1.0);
        add("cos w = 3", cos(1.0), depth, [3.0, 3.0], 1.0);
        add("gaussian w = 5", gaussian, depth, [5.0, 5.0], 1.0);
        add("exp b = 0.9", exp(0.9), depth, [1.0, 0.7], 1.5);
        add("rbf w = 3", rbf, depth, [3.0, 3.0], 1.0);
    }
    for (what, activation) in
        [("sin", sin(1.0)), ("cos", cos(1.0)), ("rbf", rbf), ("gaussian", gaussian), ("erf", erf)]
    {
        for depth in [1, 3] {
            add(&format!("{what} of 0 … 255"), activation, depth, [1.0, 1.0], 255.0);
        }
        add(&format!("{what} of 1e8"), activation, 1, [1.0, 1.0], 1e8);
    }
    add("gelu of 1e8", Activation::Gelu, 2, [1.0, 1.0], 1e8);
    for depth in [4, 8] {
        add("SIREN", sin(30.0), depth, [siren, siren], 1.0);
        add("SIREN, w = 1 in front", sin(30.0), depth, [1.0, siren], 1.0);
        add("sin", sin(1.0), depth, [1.0, 1.0], 1.0);
        add("erf", erf, depth, [1.4, 1.4], 1.0);
        add("gelu", Activation::Gelu, depth, [1.4, 1.4], 1.0);
    }
    all
}

/// Noise, one image again, one nearly again, one constant.
fn images(size: f64) -> Samples {
    let noise = |n: usize, at: [usize; 3]| {
        let x = ((n * 131 + at[0] * 37 + at[1] * 17 + at[2] * 7) as f64 * 12.9898).sin() * 43_758.545_3;
        x - x.floor()
    };
    Samples::Images(Array4::from_shape_fn((6, SIDE, SIDE, 3), |(n, y, x, c)| {
        let at = [y, x, c];
        size * match n {
            0..3 => noise(n, at),
            3 => noise(0, at),
            4 => noise(0, at) + 1e-4 * noise(9, at),
            _ => 0.5,
        }
    }))
}
