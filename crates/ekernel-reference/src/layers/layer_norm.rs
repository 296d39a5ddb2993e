//! layer_norm.

use ekernel_core::{LayerNorm, NormAxes};

use crate::field::Field;

/// K and Θ divided by √((v+ε)(v'+ε)); over all features v and v' are their means over the positions.
pub(super) fn layer_norm(norm: &LayerNorm, field: &Field, variances: [&[f64]; 2]) -> Field {
    let [v, vp] = variances.map(|v| match norm.over {
        NormAxes::Channels => v.to_vec(),
        NormAxes::All => vec![v.iter().sum::<f64>() / v.len() as f64; v.len()],
    });
    field.map(field.domain, |tensor| {
        let mut tensor = tensor.clone();
        for ((p, pp), entry) in tensor.indexed_iter_mut() {
            *entry /= ((v[p] + LayerNorm::EPSILON) * (vp[pp] + LayerNorm::EPSILON)).sqrt();
        }
        tensor
    })
}
