//! The networks of the bench: planar ones at 32×32×3, on the sphere ones of bandlimit 6 and one channel.

use ekernel_core::{
    Activation, ArchError, Conv, Dense, GlobalPool, Group, GroupConv, Input, KernelSet, Layer, LayerNorm,
    Lift, Network, NetworkBuilder, Padding, Pool, Quadrature, S2Conv, So3Conv,
};

/// Networks of the field. Table 1 of "Equivariant Neural Tangent Kernels" (Misof, Kessel and Gerken 2025) in four forms, the
/// 21-layer network with global pooling of "Neural Tangents" (Novak et al. 2020), and Myrtle-5 of "Neural Kernels Without
/// Tangents" (Shankar et al. 2020); two ReLUs on SO(3), on the accurate and on the fast grid, and two error functions.
const FIELD: [&str; 9] = [
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

/// `cnn-same` with other activations, NNGP alone, a stride, Myrtle-5 and a residual network of 16 convolutions.
const CHAINS: [&str; 16] = [
    YARDSTICK,
    "cnn-nngp",
    "cnn-leaky",
    "cnn-abs",
    "cnn-erf",
    "cnn-gelu",
    "cnn-sin",
    "cnn-cos",
    "cnn-rbf",
    "cnn-exp",
    "cnn-gaussian",
    "cnn-sign",
    "cnn-mixed",
    "cnn-strides",
    "myrtle5",
    "wrn16",
];

/// The network whose positions per second others are compared with.
pub(super) const YARDSTICK: &str = "cnn-same";

/// The networks of a word of `--networks`: `field`, `chains` or the name of one.
pub(super) fn named(text: &str) -> Result<Vec<&'static str>, String> {
    match text {
        "field" => return Ok(FIELD.to_vec()),
        "chains" => return Ok(CHAINS.to_vec()),
        _ => {}
    }
    let known = FIELD.into_iter().chain(CHAINS).find(|name| *name == text);
    known.map(|name| vec![name]).ok_or_else(|| {
        let others: Vec<&str> = CHAINS.into_iter().filter(|name| !FIELD.contains(name)).collect();
        format!(
            "there is no such network; the bench has field ({}) and chains ({YARDSTICK}, myrtle5, {})",
            FIELD.join(", "),
            others.join(", ")
        )
    })
}

/// The networks that are measured where none is named.
pub(super) fn default() -> Vec<&'static str> {
    FIELD.to_vec()
}

pub(super) fn network(name: &str) -> Result<Network, ArchError> {
    let all = |activation| table1(None, Padding::Same, [activation; 5]);
    let [leaky, erf] = [Activation::LeakyRelu { alpha: 0.1 }, Activation::Erf { a: 1.0, b: 1.0, c: 0.0 }];
    match name {
        "cnn-valid" => table1(None, Padding::Valid, [Activation::Relu; 5]),
        "cnn-same" | "cnn-nngp" => all(Activation::Relu),
        "cnn-leaky" => all(leaky),
        "cnn-abs" => all(Activation::Abs),
        "cnn-erf" => all(erf),
        "cnn-gelu" => all(Activation::Gelu),
        "cnn-sin" => all(Activation::Sin { a: 1.0, b: 1.0, c: 0.0 }),
        "cnn-cos" => all(Activation::Cos { a: 1.0, b: 1.0, c: 0.0 }),
        "cnn-rbf" => all(Activation::Rbf { gamma: 0.5 }),
        "cnn-exp" => all(Activation::Exp { a: 0.5, b: 0.5 }),
        "cnn-gaussian" => all(Activation::Gaussian { a: 1.0, b: -0.5 }),
        "cnn-sign" => {
            let relu = Activation::Relu;
            table1(None, Padding::Same, [relu, relu, relu, relu, Activation::Sign])
        }
        "cnn-mixed" => {
            table1(None, Padding::Same, [Activation::Relu, erf, leaky, Activation::Gelu, Activation::Relu])
        }
        "cnn-strides" => strided(),
        "c4-valid" => table1(Some(Group::C4), Padding::Valid, [Activation::Relu; 5]),
        "c4-same" => table1(Some(Group::C4), Padding::Same, [Activation::Relu; 5]),
        "so3-relu" | "so3-relu-fast" => sphere(Activation::Relu),
        "so3-erf" => sphere(erf),
        "cnn21" => convs(builder(), 21).layer(GlobalPool::mean()).layer(Dense::new()).build(),
        "wrn16" => residual(),
        _ => {
            let two = convs(builder(), 2).layer(Pool::mean([2, 2]));
            let three = convs(two, 1).layer(Pool::mean([2, 2]));
            convs(three, 1).layer(GlobalPool::mean()).layer(Dense::new()).build()
        }
    }
}

/// The kernels that are computed.
pub(super) fn kernels(name: &str) -> KernelSet {
    if name == "cnn-nngp" { KernelSet::Nngp } else { KernelSet::Both }
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

/// A convolution of 3×3, `same`, that keeps the variance behind a ReLU.
fn conv() -> Conv {
    Conv::new([3, 3]).padding(Padding::Same).w_std(std::f64::consts::SQRT_2)
}

/// `count` convolutions, each with a ReLU.
fn convs(builder: NetworkBuilder, count: usize) -> NetworkBuilder {
    (0..count).fold(builder, |builder, _| builder.layer(conv()).layer(Activation::Relu))
}

/// Five convolutions, the second with a stride of 2.
fn strided() -> Result<Network, ArchError> {
    let strided = convs(builder(), 1).layer(conv().strides([2, 2])).layer(Activation::Relu);
    convs(strided, 3).layer(GlobalPool::mean()).layer(Dense::new()).build()
}

/// Table 1: five convolutions with activations, the pool, and a head of one hidden layer.
fn table1(
    group: Option<Group>,
    padding: Padding,
    activations: [Activation; 5],
) -> Result<Network, ArchError> {
    let mut builder = builder();
    for (layer, activation) in activations.into_iter().enumerate() {
        builder = match group {
            None => builder.layer(Conv::new([3, 3]).padding(padding)),
            Some(group) if layer == 0 => builder.layer(Lift::new(group, [3, 3]).padding(padding)),
            Some(_) => builder.layer(GroupConv::new([3, 3]).padding(padding)),
        };
        builder = builder.layer(activation);
    }
    let pooled = match group {
        None => builder.layer(GlobalPool::mean()),
        Some(_) => builder.layer(Layer::GroupPool),
    };
    // A ReLU behind smooth activations, whose readouts are nearly parallel, would have its pairs computed in float64.
    pooled.layer(Dense::new()).layer(activations[0]).layer(Dense::new()).build()
}

/// A wide residual network (Zagoruyko and Komodakis 2016) with layer norms: a convolution, and three groups of two blocks of
/// two, of which each group's first has a convolution in its shortcut. The second and the third group begin with a stride of 2.
fn residual() -> Result<Network, ArchError> {
    let mut builder = builder().layer(conv()).named("0");
    let mut before = "0".to_owned();
    for group in 1..=3 {
        for block in 0..2 {
            let strides = if group > 1 && block == 0 { [2, 2] } else { [1, 1] };
            let name = |part: &str| format!("{group}{block}{part}");
            builder = builder
                .layer(LayerNorm::default())
                .reads([before.as_str()])
                .layer(Activation::Relu)
                .layer(conv().strides(strides))
                .layer(LayerNorm::default())
                .layer(Activation::Relu)
                .layer(conv())
                .named(&name("main"));
            let mut shortcut = before;
            if block == 0 {
                builder = builder.layer(conv().strides(strides)).named(&name("shortcut")).reads([&*shortcut]);
                shortcut = name("shortcut");
            }
            before = name("");
            builder =
                builder.layer(Layer::Sum).named(&before).reads([name("main").as_str(), shortcut.as_str()]);
        }
    }
    builder.layer(Activation::Relu).layer(GlobalPool::mean()).layer(Dense::new()).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_network_of_its_own() {
        let names = named("field").unwrap().into_iter().chain(named("chains").unwrap());
        for name in names {
            assert_eq!(named(name).unwrap(), [name]);
            assert!(network(name).is_ok(), "{name}");
        }
        let convolutions =
            |name| network(name).unwrap().nodes().iter().filter(|node| node.layer.name() == "conv").count();
        assert_eq!([convolutions("wrn16"), convolutions("myrtle5")], [16, 4]);
        let refused = named("cnn").unwrap_err();
        assert!(refused.contains("cnn-mixed") && refused.contains("so3-erf"), "{refused}");
    }
}
