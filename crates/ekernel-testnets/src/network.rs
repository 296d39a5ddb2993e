//! Random networks.

use ekernel_core::{AtomDescriptor, AtomPairing, Group, Input, KernelSet, Network, Plan};
use proptest::{collection::vec, prelude::*};

use crate::draft::{Choices, Draft};

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Weighted,
    Activation,
    Pool,
    Around,
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
            Plan::new(&network, KernelSet::Both).ok()?;
            Some(network)
        },
    )
}

/// A random valid network on signals of bandlimit 1 to 4 on the sphere, or on molecules with such a signal at each atom:
/// up to five steps on the sphere and on SO(3), so3_pool or flatten, up to two steps per atom and atom_sum, up to three steps
/// of head.
pub fn sphere_network() -> impl Strategy<Value = Network> {
    let steps = |n| vec(step(), n);
    let choices = vec(any::<u8>(), 16..64);
    (sphere_input(), steps(1..=5), steps(0..=2), steps(0..=3), choices).prop_filter_map(
        "a network that has a plan",
        |(input, body, atoms, head, choices)| {
            let mut draft = Draft::new(input, false, Choices::new(choices));
            body.into_iter().for_each(|step| take(step, &mut draft));
            draft.readout();
            atoms.into_iter().for_each(|step| take(step, &mut draft));
            draft.atom_sum();
            head.into_iter().for_each(|step| take(step, &mut draft));
            let network = draft.finish().ok()?;
            Plan::new(&network, KernelSet::Both).ok()?;
            Some(network)
        },
    )
}

fn sphere_input() -> impl Strategy<Value = Input> {
    let sphere =
        (1..=4_usize, 1..=3_usize).prop_map(|(bandlimit, channels)| Input::Sphere { bandlimit, channels });
    let pairing =
        prop::sample::select(vec![AtomPairing::Indexed, AtomPairing::Shared, AtomPairing::Elements]);
    let shells = vec(0.8..3.0_f64, 0..=1);
    let centers = prop::sample::select(vec![vec![1, 6], vec![6]]);
    let molecule = (1..=4_usize, 1..=2_usize, pairing, shells, centers).prop_map(|choices| {
        let (bandlimit, powers, atoms, shells, centers) = choices;
        let mut potential = AtomDescriptor::new(&[1, 6]);
        let centers_only = centers.len() == 1;
        potential.centers = centers;
        potential.powers.truncate(powers);
        potential.charge_power = if shells.is_empty() { 1.0 } else { 0.5 };
        potential.shell_power = if centers_only && !shells.is_empty() { 3.0 } else { 0.0 };
        potential.shells = shells;
        Input::Molecule { bandlimit, potential, atoms }
    });
    prop_oneof![1 => sphere, 1 => molecule]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Activation),
        3 => Just(Step::Weighted),
        1 => Just(Step::Pool),
        1 => Just(Step::Around),
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
        Step::Around => draft.pool_around(),
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
