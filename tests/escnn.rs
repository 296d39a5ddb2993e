//! Group convolutions of finite networks are those of escnn: the same filters give the same values.
//!
//! `tests/fixtures/generate_escnn.py` wrote the fixture; this test needs no Python.

use std::path::Path;

use ekernel::{
    core::{Network, Samples},
    data::{NpyArray, NpzFile},
    finite::{Augmentation, Optimizer, TrainOptions, Trainer},
};
use ndarray::{Array2, ArrayD, Ix2, Ix4};

fn fixture(key: &str) -> ArrayD<f64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/escnn/c4.npz");
    match NpzFile::open(&path).and_then(|mut file| file.read(key)).expect("the fixture") {
        NpyArray::Floats(values) => values,
        other => panic!("{key}: {other:?}"),
    }
}

/// A network whose outputs are the means over slots and positions behind these layers.
fn network(layers: &str, width: usize) -> Network {
    format!(
        "[input]\nspace = 'image'\nshape = [7, 7, 2]\n[[layers]]\nop = 'lift'\ngroup = 'C4'\nfilter = [3, 3]\npadding = \
         'valid'\nwidth = 3\n{layers}[[layers]]\nop = 'group_pool'\n"
    )
    .replace("WIDTH", &width.to_string())
    .parse()
    .expect("a network")
}

/// The outputs of a network with these weights, each array of which is multiplied by the root of its fan-in.
fn outputs(network: &Network, outputs: usize, weights: &[(ArrayD<f64>, f64)]) -> Array2<f64> {
    let x = Samples::Images(fixture("x").into_dimensionality::<Ix4>().expect("images"));
    let targets = Array2::zeros((x.len(), outputs));
    let options = TrainOptions {
        width: None,
        optimizer: Optimizer::Sgd,
        rate: 1.0,
        batch: None,
        augmentation: Augmentation::None,
        seed: 0,
    };
    let trainer = Trainer::<f64>::new(network, &x, targets.view(), &[], options).expect("a trainer");
    let mut state = vec![0.0, 0.0];
    for (filter, fan_in) in weights {
        state.extend(filter.iter().map(|w| w * fan_in.sqrt()));
    }
    let member = trainer.restored(0, &state).expect("as many numbers as the network has parameters");
    trainer.outputs(&member, &x).expect("outputs")
}

fn largest(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    (a - b).iter().fold(0.0, |largest, x| x.abs().max(largest))
}

#[test]
fn lift_group_conv_and_group_pool_are_those_of_escnn() {
    let [lift, conv] = ["lift", "conv"].map(fixture);
    let pooled = fixture("pooled").into_dimensionality::<Ix2>().expect("a matrix");
    let layers = "[[layers]]\nop = 'relu'\n[[layers]]\nop = 'group_conv'\nfilter = [3, 3]\npadding = 'valid'\nwidth = WIDTH\n";
    let deep = network(layers, 4);
    let weights = |conv: ArrayD<f64>| [(lift.clone(), 18.0), (conv, 108.0)];
    let found = outputs(&deep, 4, &weights(conv.clone()));
    let scale = pooled.iter().fold(0.0_f64, |scale, x| scale.max(x.abs()));
    // Measured: 8.2e-8, as escnn stores its basis of filters in float32.
    eprintln!("largest difference {:.1e} of {scale:.2}", largest(&found, &pooled));
    assert!(largest(&found, &pooled) < 1e-6 * scale, "{found} {pooled}");
    // A fixture that any order of slots met would prove nothing.
    let mut swapped = conv.clone();
    for slot in 0..4 {
        let from = conv.index_axis(ndarray::Axis(0), (4 - slot) % 4);
        swapped.index_axis_mut(ndarray::Axis(0), slot).assign(&from);
    }
    assert!(largest(&outputs(&deep, 4, &weights(swapped)), &pooled) > 0.01 * scale);

    let lifted = fixture("lifted");
    let mean = lifted.mean_axis(ndarray::Axis(3)).and_then(|x| x.mean_axis(ndarray::Axis(2)));
    let mean = mean.and_then(|x| x.mean_axis(ndarray::Axis(1))).expect("positions");
    let found = outputs(&network("", 3), 3, &[(lift, 18.0)]);
    assert!(largest(&found, &mean.into_dimensionality().expect("a matrix")) < 1e-6 * scale, "{found}");
}
