//! Deep and wide networks: no stack ends them, and planning is linear in their size.

use ekernel_core::{
    Activation, Conv, Dense, Group, GroupConv, Input, KernelSet, Layer, Lift, Network, NetworkBuilder,
    Padding, Plan, Pool, S2Conv, plan::Op as _,
};

const IMAGE: Input = Input::Image { height: 4, width: 4, channels: 2 };

fn planned(builder: NetworkBuilder) -> Plan {
    Plan::new(&builder.build().expect("a network"), KernelSet::Both).expect("a plan")
}

/// s_i = s_{i−1} + conv(relu(s_{i−1})), `blocks` times.
fn tower(blocks: usize, conv: impl Fn() -> Layer, stem: NetworkBuilder) -> NetworkBuilder {
    let mut builder = stem.named("s0");
    for i in 1..=blocks {
        let (below, branch) = (format!("s{}", i - 1), format!("c{i}"));
        builder = builder.layer(Activation::Relu).layer(conv()).named(&branch);
        builder = builder.layer(Layer::Sum).named(&format!("s{i}")).reads([below.as_str(), branch.as_str()]);
    }
    builder
}

fn image() -> NetworkBuilder {
    Network::builder(IMAGE).layer(same())
}

fn same() -> Layer {
    Conv::new([3, 3]).padding(Padding::Same).into()
}

/// Ten thousand layers of every domain, read from files too, on the small stack of a test's thread.
#[test]
fn networks_may_be_deep() {
    let convs = |n| (0..n).flat_map(|_| [same(), Activation::Relu.into()]);
    let lifted = |n| (0..n).flat_map(|_| [Layer::So3Conv(Default::default()), Activation::Relu.into()]);
    let turned = |n| (0..n).flat_map(|_| [GroupConv::new([1, 1]).into(), Activation::Relu.into()]);
    let vectors = |n| (0..n).flat_map(|_| [Dense::new().into(), Activation::Relu.into()]);
    let sphere = Network::builder(Input::Sphere { bandlimit: 2, channels: 1 }).layer(S2Conv::new());
    for builder in [
        Network::builder(IMAGE).serial(convs(5000)).layer(Layer::Flatten),
        Network::builder(IMAGE)
            .layer(Lift::new(Group::C4, [1, 1]))
            .serial(turned(5000))
            .layer(Layer::GroupPool),
        Network::builder(Input::Vector { features: 2 }).serial(vectors(5000)),
        sphere.serial(lifted(5000)).layer(Layer::So3Pool).serial(vectors(5000)),
        Network::builder(IMAGE).serial(vec![Layer::Identity; 10_000]).layer(Layer::Flatten),
        tower(3333, same, image()).layer(Layer::Flatten),
    ] {
        let network = builder.build().expect("a network");
        let read: Network = network.to_toml().parse().expect("the network's file");
        assert_eq!(read, network);
        let plan = Plan::new(&read, KernelSet::Both).expect("a plan");
        assert!(plan.to_string().len() > 10_000 || plan.head.len() == 1);
        plan.digest();
    }
}

/// Every layer, branch and block has its ops once: as many more for every thousand more of them, in front of every kind of readout.
/// (A pass that walked every path would not end.)
#[test]
fn planning_is_linear_in_the_network() {
    type Family = (&'static str, fn(usize) -> NetworkBuilder);
    let families: [Family; 6] = [
        ("depth", |n| {
            image().serial((0..n).flat_map(|_| [Activation::Relu.into(), same()])).layer(Layer::Flatten)
        }),
        ("a residual tower", |n| tower(n, same, image()).layer(Layer::Flatten)),
        ("a residual tower of 1×1 convolutions", |n| {
            tower(n, || Conv::new([1, 1]).into(), image()).layer(Layer::Flatten)
        }),
        ("a residual tower under a group", |n| {
            let stem = Network::builder(IMAGE).layer(Lift::new(Group::C4, [3, 3]).padding(Padding::Circular));
            tower(n, || GroupConv::new([3, 3]).padding(Padding::Circular).into(), stem)
                .layer(Layer::GroupPool)
        }),
        ("a residual tower before a lift", |n| {
            let stem = Network::builder(IMAGE).layer(Conv::new([1, 1]));
            tower(n, || Conv::new([1, 1]).into(), stem)
                .layer(Lift::new(Group::C4, [3, 3]))
                .layer(Layer::GroupPool)
        }),
        ("the width of a sum", |n| {
            let mut builder = image().layer(Activation::Relu).named("x");
            let names: Vec<String> = (0..n).map(|i| format!("branch {i}")).collect();
            for name in &names {
                builder = builder.layer(same()).named(name).reads(["x"]);
            }
            builder.layer(Layer::Sum).reads(names.iter().map(String::as_str)).layer(Layer::Flatten)
        }),
    ];
    for (what, family) in families {
        let ops = |n: usize| {
            let file = family(n).build().expect("a network").to_toml();
            let plan = Plan::new(&file.parse().expect("a network"), KernelSet::Both).expect("a plan");
            plan.stages
                .iter()
                .map(|stage| stage.ops.iter().map(|op| 1 + op.inputs.len()).sum::<usize>())
                .sum::<usize>()
        };
        let [one, two, four] = [1000, 2000, 4000].map(ops);
        assert_eq!(four - two, 2 * (two - one), "{what}: {one}, {two}, {four} ops and edges");
    }
}

/// What is known of an op of a tower is known from its inputs, whatever the number of paths to it.
#[test]
fn facts_of_towers() {
    let dropped = planned(
        tower(
            60,
            same,
            image().layer(Activation::Relu).layer(ekernel_core::Dropout::keep(0.5)).layer(same()),
        )
        .layer(Layer::Flatten),
    );
    let facts = dropped.facts().of(0);
    let dropout = dropped.stages[0].ops.iter().position(|op| op.op.name() == "dropout").expect("a dropout");
    assert!(facts.iter().enumerate().all(|(i, op)| op.behind_dropout == (i >= dropout)));
    let last = facts.len() - 1;
    assert!(
        facts
            .iter()
            .enumerate()
            .all(|(i, op)| op.last_reader.is_some_and(|reader| reader > i) != (i == last))
    );
}

/// Pools that each of two branches does on its own: every level doubles the stages, which is refused before it is laid out.
#[test]
fn pools_that_multiply_are_refused() {
    let mut builder = image().named("s0");
    for i in 1..=40 {
        let below = format!("s{}", i - 1);
        let pool = |size| Pool { window: Pool::mean(size).window, ..Pool::mean([1, 1]) };
        let own = |size| {
            let mut pool = pool(size);
            (pool.window.strides, pool.window.padding) = ([1, 1], Padding::Same);
            pool
        };
        for (branch, size) in [("a", [2, 2]), ("b", [3, 3])] {
            builder = builder.layer(own(size)).reads([below.as_str()]).layer(same());
            builder = builder.named(&format!("{branch}{i}"));
        }
        let (a, b) = (format!("a{i}"), format!("b{i}"));
        builder = builder.layer(Layer::Sum).named(&format!("s{i}")).reads([a.as_str(), b.as_str()]);
    }
    let network = builder.layer(Layer::Flatten).build().expect("a network");
    let said = Plan::new(&network, KernelSet::Nngp).expect_err("refused").to_string();
    assert!(said.contains("ops of a plan"), "{said}");
}
