//! Theorem 5: training a CNN on the whole orbit of the data is the C4 network trained on the data, at every time.

use ekernel::{core::GroupElement, prelude::*};
use ndarray::{Array2, Array4, Axis, concatenate};

/// Smooth images that no rotation maps to themselves.
fn images(count: usize, phase: f64) -> Array4<f64> {
    Array4::from_shape_fn((count, 7, 7, 2), |(n, r, c, k)| {
        let [n, r, c, k] = [n, r, c, k].map(|x| x as f64);
        ((n + 1.3) * r + phase + 0.7 * k).sin() + (0.4 * n * c - phase * r).cos()
    })
}

fn network(equivariant: bool, relu_head: bool) -> Network {
    let input = Network::builder(Input::Image { height: 7, width: 7, channels: 2 });
    let padding = Padding::Same;
    let body = if equivariant {
        input
            .layer(Lift::new(Group::C4, [3, 3]).padding(padding).b_std(0.1))
            .layer(Activation::Relu)
            .layer(GroupConv::new([3, 3]).padding(padding))
            .layer(Activation::Relu)
            .layer(Layer::GroupPool)
    } else {
        input
            .layer(Conv::new([3, 3]).padding(padding).b_std(0.1))
            .layer(Activation::Relu)
            .layer(Conv::new([3, 3]).padding(padding))
            .layer(Activation::Relu)
            .layer(GlobalPool::mean())
    };
    let body = body.layer(Dense::new());
    let whole = if relu_head { body.layer(Activation::Relu).layer(Dense::new()) } else { body };
    whole.build().expect("a network")
}

fn mean(
    network: &Network,
    [train, test]: [&Array4<f64>; 2],
    y: &Array2<f64>,
    time: TrainingTime,
    ridge: f64,
) -> Array2<f64> {
    let options = CpuOptions { precision: Precision::F64, threads: 1, ..CpuOptions::default() };
    let backend = CpuBackend::new(network, KernelSet::Both, options).expect("a backend");
    let [train, test] = [train, test].map(|x| Samples::Images(x.clone()));
    let ntk = |pairs| {
        let kernels = gram(&backend, pairs, &GramOptions::new(KernelSet::Both), &Control::new())
            .expect("a Gram matrix");
        kernels.ntk.expect("asked for")
    };
    let kernel = ntk(Pairs::within(train.clone()));
    let machine =
        KernelMachine::new(kernel.view(), Ridge::Absolute(ridge), time, Par::Seq).expect("a machine");
    machine
        .fit(y.view())
        .expect("a fit")
        .mean(ntk(Pairs::cross(test.clone(), train.clone())).view())
        .expect("a prediction")
}

/// Largest difference of the two machines' predictions, relative to the largest prediction.
fn difference(relu_head: bool, time: TrainingTime) -> f64 {
    let (train, test) = (images(6, 0.3), images(5, 1.1));
    let y = Array2::from_shape_fn((6, 2), |(i, j)| ((i * 2 + j) as f64).cos());
    let turned = |g: GroupElement| {
        let mut copy = train.clone();
        copy.outer_iter_mut().zip(train.outer_iter()).for_each(|(mut to, from)| to.assign(&g.apply(from)));
        copy
    };
    let copies: Vec<Array4<f64>> = Group::C4.elements().into_iter().map(turned).collect();
    let orbit = concatenate![Axis(0), copies[0], copies[1], copies[2], copies[3]];
    let repeated = concatenate![Axis(0), y, y, y, y];
    let ridge = 1e-3;
    let equivariant = mean(&network(true, relu_head), [&train, &test], &y, time, ridge);
    let augmented = mean(&network(false, relu_head), [&orbit, &test], &repeated, time, 4.0 * ridge);
    let scale = equivariant.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    (&equivariant - &augmented).iter().fold(0.0_f64, |m, x| m.max(x.abs())) / scale
}

#[test]
fn augmenting_is_averaging_with_a_linear_readout() {
    for time in [0.5, 20.0, 1e3, 1e6, f64::INFINITY] {
        let difference = difference(false, TrainingTime::new(time).expect("a time"));
        // Measured 1e-13 to 4e-11: the augmented kernel is nearly singular at late times.
        assert!(difference < 1e-9, "at time {time}: {difference:e}");
    }
}

#[test]
fn a_relu_head_breaks_it() {
    let difference = difference(true, TrainingTime::INFINITE);
    assert!(difference > 1e-3, "{difference:e}");
}
