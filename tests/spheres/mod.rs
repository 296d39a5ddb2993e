//! Networks on the sphere, signals, molecules, published values and broken plans, for the parity tests of every backend.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::{fs, path::Path};

use ekernel::core::{
    Activation, Input, KernelSet, Molecule, Network, Plan, Quadrature, Samples,
    plan::{Op as _, Pointwise, SphereOp},
};
use ndarray::{Array3, Array4, Axis, Ix1, Ix3, array};
use ndarray_npy::NpzReader;

use crate::parity::sabotage::{drop_ntk, scale_weights};

/// Whether a kernel is a constant on the group, K = ±√(vv'), where the reference, which carries K, loses half of its digits.
pub(crate) fn is_constant(network: &Network) -> bool {
    let plan = Plan::new(network, KernelSet::Both).expect("a plan");
    plan.rotations
        .iter()
        .flat_map(|stage| &stage.ops)
        .any(|op| matches!(op.op, SphereOp::Correlate { bandlimit: 1 } | SphereOp::Truncate { bandlimit: 1 }))
}

/// Networks that read their kernels in different ways.
pub(crate) const NETWORKS: [(&str, usize, &str); 8] = [
    ("two relus", 6, "s2_conv w_std=1.4|relu|so3_conv w_std=1.4|relu|so3_pool|dense"),
    (
        "biases",
        4,
        "s2_conv w_std=1.2 b_std=0.3|relu|so3_conv w_std=1.2 b_std=0.5|relu|so3_pool|dense b_std=0.1",
    ),
    ("erf", 4, "s2_conv|erf|so3_conv|erf|so3_pool|dense"),
    (
        "five layers",
        3,
        "s2_conv|leaky_relu|so3_conv|abs|so3_conv|layer_norm|erf|so3_conv|gelu|so3_conv|relu|so3_pool",
    ),
    ("truncated", 6, "s2_conv bandlimit=4|relu|so3_conv bandlimit=2 w_std=1.2 b_std=0.1|relu|so3_pool|dense"),
    ("truncated twice", 4, "s2_conv|relu|so3_conv bandlimit=3|erf|so3_conv bandlimit=2|relu|so3_pool"),
    ("no series", 3, "s2_conv|sign|so3_conv|relu|so3_pool"),
    ("relu in the head", 4, "s2_conv|relu|so3_pool|dense w_std=1.4|relu|dense"),
];

pub(crate) fn network(input: &Input, layers: &str) -> Network {
    let mut text = match input {
        Input::Sphere { bandlimit, channels } => {
            format!("[input]\nspace = 'sphere'\nbandlimit = {bandlimit}\nchannels = {channels}\n")
        }
        _ => {
            "[input]\nspace = 'molecule'\nbandlimit = 4\nelements = [1, 6, 8]\natoms = 'shared'\n".to_owned()
        }
    };
    for layer in layers.split('|') {
        let mut words = layer.split(' ');
        let op = words.next().expect("a layer");
        text += &format!("[[layers]]\nop = '{op}'\n");
        words.for_each(|word| text += &format!("{}\n", word.replace('=', " = ")));
    }
    text.parse().unwrap_or_else(|e| panic!("{text}{e}"))
}

/// Signals that kernels of noise say nothing about, six of each kind.
pub(crate) fn awkward_signals(bandlimit: usize, channels: usize) -> Vec<(&'static str, Samples)> {
    let wave = |n: usize, t: usize, p: usize, c: usize| {
        let [n, t, p, c] = [n, t, p, c].map(|x| x as f64);
        ((1.0 + 0.3 * n) * t + 0.4 * c).sin() + ((0.7 + 0.2 * n) * p - n).cos()
    };
    let spot = |n: usize, t: usize, p: usize| if t == 1 && p == 0 { n as f64 } else { 0.0 };
    let signals = |value: &dyn Fn(usize, usize, usize, usize) -> f64| {
        let shape = (6, 2 * bandlimit, 2 * bandlimit - 1, channels);
        Samples::Spheres(Array4::from_shape_fn(shape, |(n, t, p, c)| value(n, t, p, c)))
    };
    vec![
        ("noise", signals(&wave)),
        ("repeated", signals(&|n, t, p, c| wave(n % 2, t, p, c))),
        ("nearly repeated", signals(&|n, t, p, c| wave(n % 2, t, p, c) + 1e-4 * spot(n, t, p))),
        ("collinear", signals(&|n, t, p, c| (n + 1) as f64 * wave(0, t, p, c))),
        ("opposite", signals(&|n, t, p, c| if n % 2 == 0 { 1.0 } else { -1.0 } * wave(n / 2, t, p, c))),
        ("constant", signals(&|n, _, _, c| 0.5 + 0.3 * (n * (c + 1)) as f64)),
        ("nearly constant", signals(&|n, t, p, c| 1.0 + 1e-3 * wave(n, t, p, c))),
        ("dark", signals(&|n, t, p, c| if n < 3 { 0.0 } else { wave(n, t, p, c) })),
        ("one point", signals(&|n, t, p, _| spot(n, t, p))),
    ]
}

/// A few molecules, two of them nearly one.
pub(crate) fn molecules() -> Samples {
    let water = array![[0.0, 0.0, 0.12], [0.0, 0.76, -0.47], [0.0, -0.76, -0.47]];
    let bent = array![[0.0, 0.0, 0.12], [0.0, 0.76, -0.47], [0.1, -0.76, -0.47001]];
    let ethyne = array![[0.0, 0.0, 0.6], [0.0, 0.0, -0.6], [0.0, 0.0, 1.66], [0.0, 0.0, -1.66]];
    let molecule = |charges: &[u8], positions: &ndarray::Array2<f64>| Molecule {
        charges: charges.to_vec(),
        positions: positions.clone(),
    };
    Samples::Molecules(vec![
        molecule(&[8, 1, 1], &water),
        molecule(&[8, 1, 1], &bent),
        molecule(&[6, 6, 1, 1], &ethyne),
        molecule(&[8, 1, 1], &water),
    ])
}

/// What is broken, and how.
pub(crate) type Sabotage = (&'static str, fn(&mut Plan) -> bool);

fn last_op(plan: &mut Plan, change: impl Fn(&mut SphereOp) -> bool) -> bool {
    plan.rotations.iter_mut().flat_map(|stage| stage.ops.iter_mut().rev()).any(|op| change(&mut op.op))
}

fn last_pointwise(plan: &mut Plan, change: impl Fn(&mut Pointwise) -> bool) -> bool {
    last_op(plan, |op| op.pointwise_mut().is_some_and(&change))
}

pub(crate) const SABOTAGES: [Sabotage; 6] = [
    ("w² off by 0.1 %", |plan| last_pointwise(plan, scale_weights)),
    ("ntk dropped", |plan| last_pointwise(plan, drop_ntk)),
    ("a degree dropped at the lift", |plan| {
        last_op(plan, |op| match op {
            SphereOp::Correlate { bandlimit } => {
                *bandlimit -= 1;
                true
            }
            _ => false,
        })
    }),
    ("a degree dropped at the truncation", |plan| {
        last_op(plan, |op| match op {
            SphereOp::Truncate { bandlimit } => {
                *bandlimit -= 1;
                true
            }
            _ => false,
        })
    }),
    ("another activation", |plan| {
        last_pointwise(plan, |op| match op {
            Pointwise::Dual(activation) => {
                *activation = Activation::LeakyRelu { alpha: 0.01 };
                true
            }
            _ => false,
        })
    }),
    ("a coarse grid", |plan| {
        plan.rotations.iter_mut().for_each(|stage| stage.nodes = stage.bandlimit);
        true
    }),
];

/// A published pair.
pub(crate) struct Published {
    pub(crate) name: String,
    /// At 40 nodes.
    pub(crate) plan: Plan,
    pub(crate) signals: [Samples; 2],
    /// NNGP and NTK.
    pub(crate) values: [f64; 2],
}

/// Published values at 40 nodes; tests/fixtures/README.md says whose.
pub(crate) fn published() -> Vec<Published> {
    let cases = [
        ("rand_erf_422", [4, 2, 2], ["erf", "erf"], "", ""),
        ("rand_relu_erf_633", [6, 3, 3], ["relu", "erf"], "", ""),
        (
            "rand_relu_erf_444_affine",
            [4, 4, 4],
            ["relu", "erf"],
            " w_std=1.3 b_std=0.4",
            " w_std=1.1 b_std=0.2",
        ),
        ("CH4C_H2OO_erf_633", [6, 3, 3], ["erf", "erf"], "", ""),
        ("CH4C_H2OO_relu_erf_555", [5, 5, 5], ["relu", "erf"], "", ""),
        ("CH4C_self_erf_444", [4, 4, 4], ["erf", "erf"], "", ""),
    ];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/so3/oracle_so3.npz");
    let mut npz = NpzReader::new(fs::File::open(path).expect("the fixture")).expect("an npz file");
    let mut found = Vec::new();
    for (name, [bandlimit, lift, later], [first, second], weights, dense) in cases {
        let [x, y]: [Array3<f64>; 2] = ["x", "y"].map(|key| {
            npz.by_name::<ndarray::OwnedRepr<f64>, Ix3>(&format!("{name}/{key}")).expect("a signal")
        });
        let input = Input::Sphere { bandlimit, channels: x.len_of(Axis(2)) };
        for (truncated, result) in [(false, "exact_untruncated_gl40"), (true, "exact_truncated_gl40")] {
            let cut = if truncated { format!(" bandlimit={later}") } else { String::new() };
            let layers = format!(
                "s2_conv bandlimit={lift}{weights}|{first}|so3_conv{cut}{weights}|{second}|so3_pool|dense{dense}"
            );
            let plan =
                Plan::with_quadrature(&network(&input, &layers), KernelSet::Both, Quadrature::Nodes(40));
            let expected = npz
                .by_name::<ndarray::OwnedRepr<f64>, Ix1>(&format!("{name}/res_{result}"))
                .expect("two values");
            found.push(Published {
                name: format!("{name} {result}"),
                plan: plan.expect("a plan"),
                signals: [&x, &y].map(|x| Samples::Spheres(x.clone().insert_axis(Axis(0)))),
                values: [expected[0], expected[1]],
            });
        }
    }
    found
}
