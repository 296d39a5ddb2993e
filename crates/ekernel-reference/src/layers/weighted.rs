//! The affine part of every weighted layer.

use ekernel_core::{Node, Parameterization, Weights};

use crate::field::Field;

/// From the mean of K and Θ over the |S| taps of the filter to the layer's output: K_out = w²·K + b² and
/// Θ_out = K_out + w²·Θ, or in the standard parameterisation Θ_out = (N_in·|S|/s₀)·K + w²·Θ + 1\[bias\].
pub(super) fn affine(node: &Node, mean: Field, taps: usize) -> Field {
    let weights = node.layer.weights().copied().expect("only weighted layers come here");
    let Weights { w_std, b_std, parameterization, width_scale, .. } = weights;
    let w2 = w_std * w_std;
    let b2 = b_std.map_or(0.0, |b| b * b);
    let nngp = mean.nngp.mapv(|k| w2 * k + b2);
    let ntk = match parameterization {
        Parameterization::Ntk => &nngp + &(w2 * mean.ntk),
        Parameterization::Standard => {
            let features =
                node.features_in.expect("a network with a standard layer of unknown N_in is refused");
            let fan_in = features as f64 * taps as f64;
            let bias = if b_std.is_some() { 1.0 } else { 0.0 };
            fan_in / width_scale * mean.nngp + w2 * mean.ntk + bias
        }
    };
    Field { domain: node.domain, nngp, ntk }
}
