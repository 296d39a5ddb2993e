//! The networks of the bench: planar ones at 32×32×3, on the sphere ones of bandlimit 6 and one channel.

use ekernel_core::{
    Activation, ArchError, Conv, Dense, GlobalPool, Group, GroupConv, Input, Layer, Lift, Network,
    NetworkBuilder, Padding, Pool, Quadrature, S2Conv, So3Conv,
};

/// Table 1 of "Equivariant Neural Tangent Kernels" (Misof, Kessel and Gerken 2025) in four forms, the 21-layer network with
/// global pooling of "Neural Tangents" (Novak et al. 2020), and Myrtle-5 of "Neural Kernels Without Tangents" (Shankar et al.
/// 2020); two ReLUs on SO(3), on the accurate and on the fast grid, and two error functions.
pub(super) const NAMES: [&str; 9] = [
    "cnn-valid",
    "cnn-same",
    "c4-valid",
    "c4-same",
    "cnn21",
    "myrtle5",
    "so3-relu",
    "so3-relu-fast",
    "so3-erf",
];

pub(super) fn name(text: &str) -> Result<&'static str, String> {
    let known = NAMES.into_iter().find(|name| *name == text);
    known.ok_or_else(|| format!("there is no such network; the bench has {}", NAMES.join(", ")))
}

pub(super) fn network(name: &str) -> Result<Network, ArchError> {
    match name {
        "cnn-valid" => table1(None, Padding::Valid),
        "cnn-same" => table1(None, Padding::Same),
        "c4-valid" => table1(Some(Group::C4), Padding::Valid),
        "c4-same" => table1(Some(Group::C4), Padding::Same),
        "so3-relu" | "so3-relu-fast" => sphere(Activation::Relu),
        "so3-erf" => sphere(Activation::Erf { a: 1.0, b: 1.0, c: 0.0 }),
        "cnn21" => convs(builder(), 21).layer(GlobalPool::mean()).layer(Dense::new()).build(),
        _ => {
            let two = convs(builder(), 2).layer(Pool::mean([2, 2]));
            let three = convs(two, 1).layer(Pool::mean([2, 2]));
            convs(three, 1).layer(GlobalPool::mean()).layer(Dense::new()).build()
        }
    }
}

/// The grid on SO(3).
pub(super) fn quadrature(name: &str) -> Quadrature {
    if name == "so3-relu-fast" { Quadrature::Fast } else { Quadrature::Accurate }
}

/// Two convolutions with filters on all of S² and SO(3).
fn sphere(activation: Activation) -> Result<Network, ArchError> {
    Network::builder(Input::Sphere { bandlimit: 6, channels: 1 })
        .layer(S2Conv::new())
        .layer(activation)
        .layer(So3Conv::new())
        .layer(activation)
        .layer(Layer::So3Pool)
        .layer(Dense::new())
        .build()
}

fn builder() -> NetworkBuilder {
    Network::builder(Input::Image { height: 32, width: 32, channels: 3 })
}

/// So many convolutions of 3×3, `same`, each with a ReLU that keeps the variance.
fn convs(builder: NetworkBuilder, count: usize) -> NetworkBuilder {
    (0..count).fold(builder, |builder, _| {
        builder
            .layer(Conv::new([3, 3]).padding(Padding::Same).w_std(std::f64::consts::SQRT_2))
            .layer(Activation::Relu)
    })
}

/// Five convolutions with ReLUs, the pool, and a head of one hidden layer.
fn table1(group: Option<Group>, padding: Padding) -> Result<Network, ArchError> {
    let mut builder = builder();
    for layer in 0..5 {
        builder = match group {
            None => builder.layer(Conv::new([3, 3]).padding(padding)),
            Some(group) if layer == 0 => builder.layer(Lift::new(group, [3, 3]).padding(padding)),
            Some(_) => builder.layer(GroupConv::new([3, 3]).padding(padding)),
        };
        builder = builder.layer(Activation::Relu);
    }
    let pooled = match group {
        None => builder.layer(GlobalPool::mean()),
        Some(_) => builder.layer(Layer::GroupPool),
    };
    pooled.layer(Dense::new()).layer(Activation::Relu).layer(Dense::new()).build()
}
