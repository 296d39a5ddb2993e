//! Pointwise nonlinearities.

use ekernel_core::Activation;

use crate::field::Field;

/// K ↦ K_σ(v, v', K) and Θ ↦ Θ·K̇(v, v', K), entry by entry.
pub(super) fn activation(activation: &Activation, field: &Field, [v, vp]: [&[f64]; 2]) -> Field {
    let mut out = field.clone();
    for ((p, pp), &k) in field.nngp.indexed_iter() {
        let dual = activation.dual(v[p], vp[pp], k);
        out.nngp[[p, pp]] = dual.cov;
        out.ntk[[p, pp]] *= dual.dot;
    }
    out
}
