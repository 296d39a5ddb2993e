//! The generator reaches what it promises.

use std::collections::BTreeSet;

use ekernel_core::{AtomPairing, Domain, Group, Input, Layer, Padding, Parameterization, Samples};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

#[test]
fn networks_cover_every_layer_group_and_padding() {
    let mut runner = TestRunner::deterministic();
    let strategy = ekernel_testnets::network();
    let (mut ops, mut groups, mut paddings) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut standard, mut strided, mut oblong, mut wide, mut even) = (0, 0, 0, 0, 0);
    for _ in 0..1500 {
        let network = strategy.new_tree(&mut runner).expect("a network").current();
        assert_eq!(network.to_toml().parse().as_ref(), Ok(&network), "the file of {network}");
        for node in network.nodes() {
            ops.insert(node.layer.name());
            if let Domain::GroupGrid { group, .. } = node.domain {
                groups.insert(group.name());
            }
            if node.layer.weights().is_some_and(|w| w.parameterization == Parameterization::Standard) {
                standard += 1;
            }
            let window = match &node.layer {
                Layer::Conv(conv) => conv.window,
                Layer::Lift(lift) => lift.window,
                Layer::GroupConv(conv) => conv.window,
                Layer::Pool(pool) => pool.window,
                _ => continue,
            };
            paddings.insert((node.layer.name(), window.padding.name()));
            strided += usize::from(window.strides != [1, 1]);
            oblong += usize::from(window.size[0] != window.size[1]);
            let extent = network.domain(node.inputs[0]).extent().expect("windows slide over pixels");
            let circular = window.padding == Padding::Circular;
            wide += usize::from(circular && (0..2).any(|axis| window.size[axis] > extent[axis]));
            let turned = matches!(node.domain, Domain::GroupGrid { .. });
            even += usize::from(turned && circular && window.size.iter().any(|size| size % 2 == 0));
        }
    }
    // max_pool has no kernel, and these networks have a plan.
    let elsewhere = ["s2_conv", "so3_conv", "so3_pool", "atom_sum", "max_pool"];
    assert_eq!(ops, Layer::names().filter(|name| !elsewhere.contains(name)).collect());
    assert_eq!(groups, Group::ALL.map(Group::name).into());
    for op in ["conv", "lift", "group_conv", "avg_pool", "sum_pool"] {
        for padding in Padding::ALL {
            assert!(paddings.contains(&(op, padding.name())), "{op} {padding}");
        }
    }
    let counts = [standard, strided, oblong, wide, even];
    assert!(counts.iter().all(|count| *count > 100), "{counts:?}");
}

#[test]
fn networks_on_the_sphere_cover_their_layers() {
    let mut runner = TestRunner::deterministic();
    let strategy = ekernel_testnets::sphere_cases();
    let (mut ops, mut domains) = (BTreeSet::new(), BTreeSet::new());
    let (mut truncated, mut indexed, mut shared, mut by_element) = (0, 0, 0, 0);
    for _ in 0..1500 {
        let (network, samples) = strategy.new_tree(&mut runner).expect("a case").current();
        assert_eq!(network.to_toml().parse().as_ref(), Ok(&network), "the file of {network}");
        assert_eq!(samples.validate(), Ok(()));
        assert!(network.input().check(&samples).is_ok());
        match network.input() {
            Input::Molecule { atoms: AtomPairing::Indexed, .. } => indexed += 1,
            Input::Molecule { atoms: AtomPairing::Shared, .. } => shared += 1,
            Input::Molecule { atoms: AtomPairing::Elements, .. } => by_element += 1,
            _ => {}
        }
        for node in network.nodes() {
            ops.insert(node.layer.name());
            domains.insert((node.domain.per_atom().is_some(), node.layer.name()));
            truncated += usize::from(matches!(&node.layer, Layer::So3Conv(conv) if conv.bandlimit.is_some()));
        }
    }
    let planar = [
        "conv",
        "lift",
        "group_conv",
        "group_pool",
        "avg_pool",
        "sum_pool",
        "max_pool",
        "global_avg_pool",
        "global_sum_pool",
    ];
    assert_eq!(ops, Layer::names().filter(|name| !planar.contains(name)).collect());
    for op in ["s2_conv", "so3_conv", "so3_pool", "flatten", "dense", "relu", "layer_norm", "dropout", "sum"]
    {
        assert!(domains.contains(&(true, op)), "{op} on atoms");
    }
    let by_pairing = [indexed, shared, by_element];
    assert!(truncated > 100 && by_pairing.iter().all(|&n| n > 150), "{truncated} {by_pairing:?}");
}

#[test]
fn samples_fit_and_repeat() {
    let mut runner = TestRunner::deterministic();
    let strategy = ekernel_testnets::awkward_cases();
    let (mut zeros, mut repeats) = (0, 0);
    for _ in 0..300 {
        let (network, samples) = strategy.new_tree(&mut runner).expect("a case").current();
        assert_eq!(samples.validate(), Ok(()));
        assert!(network.input().check(&samples).is_ok());
        let rows: Vec<Vec<f64>> = match &samples {
            Samples::Vectors(x) => x.outer_iter().map(|row| row.iter().copied().collect()).collect(),
            Samples::Images(x) | Samples::Spheres(x) => {
                x.outer_iter().map(|row| row.iter().copied().collect()).collect()
            }
            Samples::Molecules(_) => vec![],
        };
        zeros += rows.iter().filter(|row| row.iter().all(|x| *x == 0.0)).count();
        repeats += (1..rows.len()).filter(|&i| rows[..i].contains(&rows[i])).count();
    }
    assert!(zeros > 30 && repeats > 30, "{zeros} {repeats}");
}
