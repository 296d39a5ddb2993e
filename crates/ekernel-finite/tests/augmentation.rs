//! Theorem 5 at finite width: with all turned copies in every step, the mean over networks is invariant up to chance.

use ekernel_core::{Group, Network, Samples};
use ekernel_finite::{Augmentation, Optimizer, TrainOptions, Trainer};
use ndarray::{Array2, Array4};

fn network(symmetric: bool) -> Network {
    let [first, second, pool] = match symmetric {
        true => ["op = 'lift'\ngroup = 'C4'", "op = 'group_conv'", "group_pool"],
        false => ["op = 'conv'", "op = 'conv'", "global_avg_pool"],
    };
    format!(
        "[input]\nspace = 'image'\nshape = [5, 5, 1]\n[[layers]]\n{first}\nfilter = [3, 3]\nb_std = 0.2\n[[layers]]\n\
         op = 'relu'\n[[layers]]\n{second}\nfilter = [3, 3]\n[[layers]]\nop = 'relu'\n[[layers]]\nop = '{pool}'\n\
         [[layers]]\nop = 'dense'\n"
    )
    .parse()
    .expect("a network")
}

/// Images without any symmetry, brighter on one side.
fn images(n: usize, phase: f64) -> Array4<f64> {
    Array4::from_shape_fn((n, 5, 5, 1), |(i, y, x, _)| {
        (phase + 1.7 * i as f64 + 0.9 * y as f64 * (1.0 + 0.3 * x as f64)).sin() + 0.2 * x as f64
    })
}

fn turned(images: &Array4<f64>) -> Array4<f64> {
    let mut turned = images.clone();
    for (image, mut to) in images.outer_iter().zip(turned.outer_iter_mut()) {
        to.assign(&Group::C4.elements()[1].apply(image));
    }
    turned
}

/// What each of `members` networks says of two sets after training, `[sample][output]`.
fn outputs(
    network: &Network,
    width: usize,
    augmentation: Augmentation,
    members: u64,
    sets: [&Array4<f64>; 2],
) -> Vec<[Array2<f64>; 2]> {
    let targets = Array2::from_shape_fn((4, 2), |(i, o)| ((i + o) % 2) as f64 - 0.5);
    let train = Samples::Images(images(4, 0.3));
    let options = TrainOptions {
        width: Some(width),
        optimizer: Optimizer::Sgd,
        rate: 0.5,
        batch: Some(2),
        augmentation,
        seed: u64::from(network.to_toml().contains("lift")),
    };
    let trainer = Trainer::<f32>::new(network, &train, targets.view(), &[], options).expect("a trainer");
    let sets = sets.map(|set| Samples::Images(set.clone()));
    let after_training = |number| {
        let mut member = trainer.member(number);
        for _ in 0..15 {
            trainer.epoch(&mut member).expect("finite");
        }
        [0, 1].map(|set| trainer.outputs(&member, &sets[set]).expect("outputs"))
    };
    (0..members).map(after_training).collect()
}

/// The root mean square of means over members in units of their standard errors: 1 by chance.
fn in_standard_errors(differences: &[Array2<f64>]) -> f64 {
    let n = differences.len() as f64;
    let sum = differences.iter().fold(Array2::zeros(differences[0].dim()), |sum, x| sum + x);
    let mean: Array2<f64> = sum / n;
    let squares =
        differences.iter().fold(Array2::<f64>::zeros(mean.dim()), |sum, x| sum + (x - &mean).mapv(|x| x * x));
    let error = squares.mapv(|squares| (squares / (n * (n - 1.0))).sqrt());
    ((mean / error).mapv(|z: f64| z * z)).mean().expect("entries").sqrt()
}

/// True at any width: start and training are symmetric. Measured: 1.1 with all copies, 5.0 without.
#[test]
fn the_mean_of_an_augmented_ensemble_is_invariant_up_to_chance() {
    let test = images(6, 2.0);
    let z = |augmentation| {
        let found = outputs(&network(false), 6, augmentation, 250, [&test, &turned(&test)]);
        in_standard_errors(&found.iter().map(|[upright, turned]| upright - turned).collect::<Vec<_>>())
    };
    let [with, without] = [z(Augmentation::Full(Group::C4)), z(Augmentation::None)];
    eprintln!("with copies {with:.2} standard errors, without {without:.2}");
    assert!(with < 1.6 && without > 2.5, "{with} {without}");
}

/// A single network is not invariant, an equivariant one is.
#[test]
fn equivariant_networks_are_invariant_one_by_one() {
    let test = images(6, 2.0);
    let sets = [&test, &turned(&test)];
    let apart = |found: Vec<[Array2<f64>; 2]>| {
        found.iter().map(|[a, b]| (a - b).mapv(f64::abs).sum()).fold(0.0, f64::max)
    };
    assert!(apart(outputs(&network(true), 6, Augmentation::None, 3, sets)) < 1e-4);
    assert!(apart(outputs(&network(false), 6, Augmentation::Full(Group::C4), 3, sets)) > 0.1);
}

/// The means of augmented CNNs and of equivariant networks meet as both grow wide. Measured at width 48 with 120 networks
/// each: 0.8 of what chance gives with copies, 5.3 without.
#[test]
fn augmented_and_equivariant_ensembles_have_one_mean() {
    let test = images(6, 2.0);
    let ensemble = |symmetric, augmentation| -> Vec<Array2<f64>> {
        let found = outputs(&network(symmetric), 48, augmentation, 120, [&test, &test]);
        found.into_iter().map(|[outputs, _]| outputs).collect()
    };
    let equivariant = ensemble(true, Augmentation::None);
    let z = |plain: Vec<Array2<f64>>| {
        let differences: Vec<Array2<f64>> = plain.iter().zip(&equivariant).map(|(a, b)| a - b).collect();
        in_standard_errors(&differences)
    };
    let with = z(ensemble(false, Augmentation::Full(Group::C4)));
    let without = z(ensemble(false, Augmentation::None));
    eprintln!("with copies {with:.2} standard errors, without {without:.2}");
    assert!(with < 1.6 && without > 2.5, "{with} {without}");
}
