//! The op of a layer at each position.

use crate::{
    Domain, Layer, Node, Parameterization, Window,
    plan::{Affine, Pointwise},
};

/// The op of a layer that acts at each position alone; `None` for layers that do nothing. Convolutions are their affine
/// part here; the window is the stage's.
pub(super) fn pointwise(node: &Node) -> Option<Pointwise> {
    match &node.layer {
        Layer::Dense(_)
        | Layer::Conv(_)
        | Layer::Lift(_)
        | Layer::GroupConv(_)
        | Layer::S2Conv(_)
        | Layer::So3Conv(_) => affine(node).map(Pointwise::Affine),
        Layer::Activation(activation) => Some(Pointwise::Dual(*activation)),
        Layer::LayerNorm(norm) => Some(Pointwise::Normalize(norm.over)),
        Layer::Dropout(dropout) => (dropout.keep_rate < 1.0).then_some(Pointwise::Dropout(dropout.keep_rate)),
        Layer::Sum => Some(Pointwise::Sum),
        Layer::Identity
        | Layer::GroupPool
        | Layer::Pool(_)
        | Layer::MaxPool(_)
        | Layer::GlobalPool(_)
        | Layer::Flatten
        | Layer::So3Pool
        | Layer::AtomSum => None,
    }
}

/// A layer's weights as an affine map of (K, Θ).
fn affine(node: &Node) -> Option<Affine> {
    let weights = node.layer.weights()?;
    let w2 = weights.w_std * weights.w_std;
    let b2 = weights.b_std.map_or(0.0, |b| b * b);
    let (ntk_scale, ntk_shift) = match weights.parameterization {
        Parameterization::Ntk => (w2, b2),
        Parameterization::Standard => {
            let features =
                node.features_in.expect("a network with a standard layer of unknown fan-in is refused");
            let orientations = match (&node.layer, node.domain) {
                (Layer::GroupConv(_), Domain::GroupGrid { group, .. }) => group.order(),
                _ => 1,
            };
            let taps = node.layer.window().map_or(1, Window::area) as f64;
            let fan_in = features as f64 * (orientations as f64 * taps);
            (fan_in / weights.width_scale, if weights.b_std.is_some() { 1.0 } else { 0.0 })
        }
    };
    Some(Affine { w2, b2, ntk_scale, ntk_shift })
}
