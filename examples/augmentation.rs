//! Theorem 5 of "Equivariant Neural Tangent Kernels": training a plain CNN on all four rotations of every image gives, at
//! infinite width and at every training time, exactly the predictions of the C4-equivariant network trained on the
//! images alone. It holds where only linear layers follow the pooling; behind Table 1's ReLU head it is an approximation.
//!
//! `cargo run --release --example augmentation`

use std::{fs::File, path::Path};

use anyhow::Context;
use ekernel::{core::GroupElement, prelude::*};
use ndarray::{Array2, Array3, Array4, ArrayView2, Axis, concatenate};
use ndarray_npy::NpzReader;

fn main() -> anyhow::Result<()> {
    let images = digits(24)?;
    let (train, test) = images.view().split_at(Axis(0), 16);
    let (train, test) = (train.to_owned(), test.to_owned());
    let targets = Array2::from_shape_fn((16, 1), |(i, _)| (i as f64 * 0.7).sin());
    println!("{:<16} {:>10} {:>16}", "readout", "time", "difference");
    for (readout, relu_head) in [("linear", false), ("relu head", true)] {
        for time in [
            TrainingTime::new(1.0)?,
            TrainingTime::new(1e3)?,
            TrainingTime::new(1e6)?,
            TrainingTime::INFINITE,
        ] {
            let equivariant =
                predict(&network(Some(Group::C4), relu_head)?, &train, &test, &targets, time, 1.0)?;
            let (rotated, repeated) =
                (orbit(&train), concatenate![Axis(0), targets, targets, targets, targets]);
            let augmented = predict(&network(None, relu_head)?, &rotated, &test, &repeated, time, 4.0)?;
            let scale = equivariant.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            let difference = (&equivariant - &augmented).iter().fold(0.0_f64, |m, x| m.max(x.abs())) / scale;
            println!("{readout:<16} {:>10} {difference:>16.1e}", format!("{:.0e}", time.eta_t()));
        }
    }
    Ok(())
}

/// The first images of the shipped digits, every other pixel, as (n, 14, 14, 1) in [0, 1].
fn digits(count: usize) -> anyhow::Result<Array4<f64>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist_1k.npz");
    let file = File::open(&path).with_context(|| format!("{}", path.display()))?;
    let pixels: Array4<u8> = NpzReader::new(file)?.by_name("x_train")?;
    Ok(Array4::from_shape_fn((count, 14, 14, 1), |(n, r, c, _)| {
        f64::from(pixels[[n, 2 * r, 2 * c, 0]]) / 255.0
    }))
}

/// Two convolutions and a pool, plain or lifted to a group.
fn network(group: Option<Group>, relu_head: bool) -> anyhow::Result<Network> {
    let input = Network::builder(Input::Image { height: 14, width: 14, channels: 1 });
    let body: [Layer; 5] = match group {
        Some(group) => [
            Lift::new(group, [3, 3]).into(),
            Activation::Relu.into(),
            GroupConv::new([3, 3]).into(),
            Activation::Relu.into(),
            Layer::GroupPool,
        ],
        None => [
            Conv::new([3, 3]).into(),
            Activation::Relu.into(),
            Conv::new([3, 3]).into(),
            Activation::Relu.into(),
            GlobalPool::mean().into(),
        ],
    };
    let network = input.serial(body).layer(Dense::new());
    Ok(if relu_head { network.layer(Activation::Relu).layer(Dense::new()) } else { network }.build()?)
}

/// All four rotations of every image, image by image within each rotation.
fn orbit(images: &Array4<f64>) -> Array4<f64> {
    let turned = |g: GroupElement| {
        let copies: Vec<Array3<f64>> = images.outer_iter().map(|image| g.apply(image)).collect();
        let views: Vec<_> = copies.iter().map(|copy| copy.view()).collect();
        ndarray::stack(Axis(0), &views).expect("images of one shape")
    };
    let copies: Vec<Array4<f64>> = Group::C4.elements().into_iter().map(turned).collect();
    let views: Vec<_> = copies.iter().map(|copy| copy.view()).collect();
    ndarray::concatenate(Axis(0), &views).expect("images of one shape")
}

/// The NTK mean on the test images at this training time. The absolute ridge is `share` × 1e-3: the machine on the orbit
/// needs |H| times that of the equivariant one.
fn predict(
    network: &Network,
    train: &Array4<f64>,
    test: &Array4<f64>,
    targets: &Array2<f64>,
    time: TrainingTime,
    share: f64,
) -> anyhow::Result<Array2<f64>> {
    let options = CpuOptions { precision: Precision::F64, ..CpuOptions::default() };
    let backend = CpuBackend::new(network, KernelSet::Both, options)?;
    let (train, test) = (Samples::Images(train.clone()), Samples::Images(test.clone()));
    let ntk = |pairs| -> anyhow::Result<Array2<f64>> {
        let kernels = gram(&backend, pairs, &GramOptions::new(KernelSet::Both), &Control::new())?;
        kernels.ntk.context("the NTK was asked for")
    };
    let kernel = ntk(Pairs::within(train.clone()))?;
    let machine = KernelMachine::new(kernel.view(), Ridge::Absolute(share * 1e-3), time, Par::Seq)?;
    let cross: Array2<f64> = ntk(Pairs::cross(test.clone(), train.clone()))?;
    let view: ArrayView2<'_, f64> = cross.view();
    Ok(machine.fit(targets.view())?.mean(view)?)
}
