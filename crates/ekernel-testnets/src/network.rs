//! Random networks.

use ekernel_core::{Group, Input, Kinds, Network, Plan};
use proptest::{collection::vec, prelude::*};

use crate::draft::{Choices, Draft};

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Weighted,
    Activation,
    Pool,
    Residual,
    Fork,
    LayerNorm,
    Dropout,
    Identity,
}

/// A random valid network that reduces to a plan: one to six steps on vectors, images of 1 to 7 pixels a side (up to 5
/// under a group that turns them, 4 under D4) or group grids, a readout, up to three steps of head.
///
/// Variances stay of order 1. Failures shrink towards few, plain layers on small inputs.
pub fn network() -> impl Strategy<Value = Network> {
    let steps = |n| vec(step(), n);
    let choices = vec(any::<u8>(), 16..64);
    (input(), prop::bool::weighted(0.25), steps(1..=6), steps(0..=3), choices).prop_filter_map(
        "a network that has a plan",
        |((input, group), standard, body, head, choices)| {
            let mut draft = Draft::new(input, standard, Choices::new(choices));
            if let Some(group) = group {
                draft.lift(group);
            }
            body.into_iter().for_each(|step| take(step, &mut draft));
            draft.readout();
            head.into_iter().for_each(|step| take(step, &mut draft));
            let network = draft.finish().ok()?;
            Plan::new(&network, Kinds::Both).ok()?;
            Some(network)
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Activation),
        3 => Just(Step::Weighted),
        1 => Just(Step::Pool),
        1 => Just(Step::Residual),
        1 => Just(Step::Fork),
        1 => Just(Step::LayerNorm),
        1 => Just(Step::Dropout),
        1 => Just(Step::Identity),
    ]
}

fn take(step: Step, draft: &mut Draft) {
    match step {
        Step::Weighted => draft.weighted(),
        Step::Activation => draft.activation(),
        Step::Pool => draft.pool(),
        Step::Residual => draft.residual(),
        Step::Fork => draft.fork(),
        Step::LayerNorm => draft.layer_norm(),
        Step::Dropout => draft.dropout(),
        Step::Identity => draft.identity(),
    }
}

/// The input and the group of its lift, if it is lifted.
fn input() -> impl Strategy<Value = (Input, Option<Group>)> {
    let image = |height, width, channels| Input::Image { height, width, channels };
    let vector = (1..=6_usize).prop_map(|features| (Input::Vector { features }, None));
    let grid = (1..=7_usize, 1..=7_usize, 1..=3_usize).prop_map(move |(h, w, c)| (image(h, w, c), None));
    let flat = prop::sample::select(vec![Group::C1, Group::C2, Group::D1, Group::D2]);
    let lifted =
        (flat, 1..=5_usize, 1..=5_usize, 1..=2_usize).prop_map(move |(g, h, w, c)| (image(h, w, c), Some(g)));
    let turned = prop::sample::select(vec![(Group::C4, 5), (Group::D4, 4)]);
    let turned = (turned, 1..=5_usize, 1..=2_usize)
        .prop_map(move |((g, most), n, c)| (image(n.min(most), n.min(most), c), Some(g)));
    prop_oneof![1 => vector, 4 => grid, 2 => lifted, 3 => turned]
}
