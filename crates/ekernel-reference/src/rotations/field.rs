//! What is known of a pair at a layer, and the layers that act on it.

use ekernel_core::{Activation, Dropout, LayerNorm, Node, Parameterization, Weights};

/// K and Θ of a pair, at one position or at every point of a rule.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) nngp: Vec<f64>,
    pub(super) ntk: Vec<f64>,
}

impl Field {
    /// Values without Θ.
    pub(super) fn of(nngp: Vec<f64>) -> Field {
        let ntk = vec![0.0; nngp.len()];
        Field { nngp, ntk }
    }

    /// K_out = w²K + b², Θ_out = K_out + w²Θ, or in the standard parameterisation N_in/s₀·K + w²Θ + 1\[bias\].
    pub(super) fn affine(&self, node: &Node) -> Field {
        let weights = node.layer.weights().copied().unwrap_or_default();
        let Weights { w_std, b_std, parameterization, width_scale, .. } = weights;
        let (w2, b2) = (w_std * w_std, b_std.map_or(0.0, |b| b * b));
        let nngp: Vec<f64> = self.nngp.iter().map(|k| w2 * k + b2).collect();
        let own = |i: usize| match parameterization {
            Parameterization::Ntk => nngp[i],
            Parameterization::Standard => {
                let bias = if b_std.is_some() { 1.0 } else { 0.0 };
                node.features_in.unwrap_or(1) as f64 / width_scale * self.nngp[i] + bias
            }
        };
        let ntk = self.ntk.iter().enumerate().map(|(i, theta)| own(i) + w2 * theta).collect();
        Field { nngp, ntk }
    }

    /// K ↦ K_σ(q, q', K), Θ ↦ Θ·K̇(q, q', K).
    pub(super) fn activation(&self, activation: &Activation, [q, qp]: [f64; 2]) -> Field {
        let duals = self.nngp.iter().map(|&k| activation.dual(q, qp, k));
        let (nngp, dots): (Vec<f64>, Vec<f64>) = duals.map(|dual| (dual.cov, dual.dot)).unzip();
        Field { nngp, ntk: self.ntk.iter().zip(dots).map(|(theta, dot)| theta * dot).collect() }
    }

    /// K and Θ divided by √((q+ε)(q'+ε)).
    pub(super) fn layer_norm(&self, [q, qp]: [f64; 2]) -> Field {
        self.scaled(((q + LayerNorm::EPSILON) * (qp + LayerNorm::EPSILON)).sqrt().recip())
    }

    /// The value at one position of a sample with itself is divided by the keep rate. On SO(3) equal rotations are one
    /// point, U = 1, which no integral notices.
    pub(super) fn dropout(&self, dropout: &Dropout, same: bool) -> Field {
        if same && self.nngp.len() == 1 { self.scaled(dropout.keep_rate.recip()) } else { self.clone() }
    }

    pub(super) fn sum(fields: &[&Field]) -> Field {
        let mut sum = fields[0].clone();
        fields[1..].iter().for_each(|field| sum.add(field));
        sum
    }

    pub(super) fn add(&mut self, other: &Field) {
        self.nngp.iter_mut().zip(&other.nngp).for_each(|(sum, k)| *sum += k);
        self.ntk.iter_mut().zip(&other.ntk).for_each(|(sum, theta)| *sum += theta);
    }

    fn scaled(&self, factor: f64) -> Field {
        let times = |values: &[f64]| values.iter().map(|x| x * factor).collect();
        Field { nngp: times(&self.nngp), ntk: times(&self.ntk) }
    }

    /// The first value that is not finite.
    pub(super) fn not_finite(&self) -> Option<f64> {
        self.nngp.iter().chain(&self.ntk).copied().find(|x| !x.is_finite())
    }
}
