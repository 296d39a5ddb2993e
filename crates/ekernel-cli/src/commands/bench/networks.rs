//! The networks of the bench, at 32×32×3.

use ekernel_core::{
    Activation, ArchError, Conv, Dense, GlobalPool, Group, GroupConv, Input, Layer, Lift, Network,
    NetworkBuilder, Padding, Pool,
};

/// Table 1 of "Equivariant Neural Tangent Kernels" (Misof, Kessel and Gerken 2025) in four forms, the 21-layer network with
/// global pooling of "Neural Tangents" (Novak et al. 2020), and Myrtle-5 of "Neural Kernels Without Tangents" (Shankar et al.
/// 2020).
pub(super) const NAMES: [&str; 6] = ["cnn-valid", "cnn-same", "c4-valid", "c4-same", "cnn21", "myrtle5"];

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
        "cnn21" => convs(builder(), 21).layer(GlobalPool::mean()).layer(Dense::new()).build(),
        _ => {
            let two = convs(builder(), 2).layer(Pool::mean([2, 2]));
            let three = convs(two, 1).layer(Pool::mean([2, 2]));
            convs(three, 1).layer(GlobalPool::mean()).layer(Dense::new()).build()
        }
    }
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
