//! Samples of every kind in one set, of which no entry may depend on another.

use std::sync::LazyLock;

use ekernel_core::{
    Activation, Conv, Dense, GlobalPool, Group, GroupConv, Input, Layer, Lift, Network, Padding, Pool,
    Samples,
};
use ndarray::{Array4, Axis, concatenate};

use super::awkward::noise;
use crate::Case;

/// The cases that are the same in every run.
pub(crate) fn mixed() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(fixed);
    &CASES
}

fn fixed() -> Vec<Case> {
    let conv = || Conv::new([3, 3]).padding(Padding::Same);
    let plain = || Network::builder(Input::Image { height: 5, width: 5, channels: 2 });
    let relu = Activation::Relu;
    let valid = || plain().layer(Conv::new([3, 3])).layer(relu).layer(Conv::new([2, 2])).layer(relu);
    let bodies = [
        ("a chain", valid().layer(GlobalPool::mean())),
        ("a chain with biases", plain().layer(conv().b_std(0.3)).layer(relu).layer(GlobalPool::mean())),
        ("a head", valid().layer(GlobalPool::mean()).layer(Dense::new()).layer(relu).layer(Dense::new())),
        (
            "a pool",
            plain()
                .layer(conv())
                .layer(relu)
                .layer(Pool::mean([2, 2]))
                .layer(conv())
                .layer(relu)
                .layer(GlobalPool::mean()),
        ),
        ("a sign", plain().layer(conv()).layer(Activation::Sign).layer(GlobalPool::mean())),
        (
            "a smooth one",
            plain().layer(conv()).layer(Activation::Gelu).layer(conv()).layer(relu).layer(Layer::Flatten),
        ),
        (
            "a group",
            plain()
                .layer(Lift::new(Group::C4, [3, 3]).padding(Padding::Same))
                .layer(relu)
                .layer(GroupConv::new([3, 3]).padding(Padding::Same))
                .layer(relu)
                .layer(Layer::GroupPool),
        ),
    ];
    bodies
        .into_iter()
        .map(|(name, body)| Case::new(format!("mixed, {name}"), body.build().expect("a network"), samples()))
        .collect()
}

/// Signed, without negative pixels, repeated, nearly repeated, opposite, constant, faint, half-faint and black images.
fn samples() -> Samples {
    let Samples::Images(noise) = noise([5, 5, 2]) else { unreachable!("noise is images") };
    let image = |i: usize| noise.index_axis(Axis(0), i).to_owned();
    let images = [
        image(0),
        image(1).mapv(f64::abs),
        image(0),
        &image(0) + &(1e-6 * &image(1)),
        -image(0),
        image(2).mapv(|_| 0.7),
        1e-22 * &image(2),
        image(2) * &ndarray::Array3::from_shape_fn((5, 5, 2), |(r, _, _)| if r < 3 { 1.0 } else { 1e-22 }),
        image(2).mapv(f64::abs),
        0.0 * image(1),
    ];
    let mut all = Array4::zeros((images.len(), 5, 5, 2));
    all.outer_iter_mut().zip(&images).for_each(|(mut to, from)| to.assign(from));
    Samples::Images(all)
}

/// Samples together with others of every kind that a session might treat alike because some are of that kind: without negative
/// numbers, faint, bright, opposite, nearly parallel, equal.
pub(crate) fn beside_others(samples: &Samples) -> Samples {
    let kinds = |x: &Array4<f64>| {
        let parts = [
            x.clone(),
            x.mapv(f64::abs),
            x * 1e-22,
            x * 1e5,
            x * -0.75,
            x + &x.mapv(|x| 1e-6 * (1e3 * x).sin()),
            x.slice_axis(Axis(0), (0..1).into()).to_owned(),
        ];
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        concatenate(Axis(0), &views).expect("one shape")
    };
    match samples {
        Samples::Images(x) => Samples::Images(kinds(x)),
        Samples::Spheres(x) => Samples::Spheres(kinds(x)),
        Samples::Vectors(x) => {
            let x = kinds(&x.clone().insert_axis(Axis(2)).insert_axis(Axis(3)));
            Samples::Vectors(x.index_axis_move(Axis(3), 0).index_axis_move(Axis(2), 0))
        }
        Samples::Molecules(molecules) => {
            let moved = molecules.iter().cloned().map(|mut molecule| {
                molecule.positions.mapv_inplace(|x| x * (1.0 + 1e-7));
                molecule
            });
            Samples::Molecules(
                molecules.iter().cloned().chain(moved).chain(molecules[..1].to_vec()).collect(),
            )
        }
    }
}
