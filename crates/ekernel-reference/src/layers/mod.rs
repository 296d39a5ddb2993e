//! One file per family of layers; each maps the kernels on its input's positions to those on its own.

mod activation;
mod convolution;
mod dropout;
mod layer_norm;
mod readout;
mod sum;
mod weighted;

use ekernel_core::{Layer, Network, Node};

use crate::{field::Field, taps};

/// What a layer sees of one pair of samples.
pub(crate) struct Incoming<'a> {
    /// The kernels of the pair, one for each input of the layer.
    pub(crate) fields: Vec<&'a Field>,
    /// v(p) and v'(p'): the variances of both samples at the layer's first input.
    pub(crate) variances: [&'a [f64]; 2],
    /// Whether the pair is one sample with itself, the same draw of every dropout mask.
    pub(crate) same: bool,
}

/// The kernels after a layer.
pub(crate) fn apply(network: &Network, node: &Node, incoming: &Incoming<'_>) -> Field {
    let field = incoming.fields[0];
    let from = network.domain(node.inputs[0]);
    match &node.layer {
        Layer::Dense(_) => weighted::affine(node, field.clone(), 1),
        Layer::Conv(conv) => convolution::conv(conv, node, from, field),
        Layer::Lift(lift) => convolution::lift(lift, node, from, field),
        Layer::GroupConv(conv) => convolution::group_conv(conv, node, from, field),
        Layer::Pool(pool) => readout::pool(pool, node, from, field),
        Layer::GlobalPool(pool) => readout::global_pool(pool.kind, node, field),
        Layer::GroupPool => readout::global_pool(ekernel_core::PoolKind::Mean, node, field),
        Layer::Flatten => readout::flatten(node, field),
        Layer::LayerNorm(norm) => layer_norm::layer_norm(norm, field, incoming.variances),
        Layer::Dropout(dropout) => dropout::dropout(dropout, field, incoming.same),
        Layer::Sum => sum::sum(&incoming.fields),
        // Networks on the sphere go another way, and those with max_pool are refused before.
        Layer::Identity
        | Layer::MaxPool(_)
        | Layer::S2Conv(_)
        | Layer::So3Conv(_)
        | Layer::So3Pool
        | Layer::AtomSum => field.clone(),
        Layer::Activation(activation) => activation::activation(activation, field, incoming.variances),
    }
}
