//! By how much rounding grows on the way through steep smooth activations: what a precision holds, known before any pair.
//!
//! Let K be known to ε·√(vv′). A smooth dual is differentiable in K, and by Cauchy and Schwarz its slope is largest at
//! K = v = v′:
//!
//! - |δK_σ| ≤ √(E σ′(u)² E σ′(u′)²)·|δK|, which is √(g g′)·ε of √(v_σ v′_σ) with g(v) = v·E σ′²/E σ²;
//! - |δK̇| ≤ √(E σ″(u)² E σ″(u′)²)·|δK|, which is √(h h′)·ε of √(K̇_vv K̇_v′v′) with h(v) = v·E σ″²/E σ′².
//!
//! Both are slope² × variance: g = h = 2γv for rbf, about b²v for sin, g = (2/π)·b√v and h = b²v for a steep erf
//! ([`Activation::steepness`]). Errors of v have the same factors, √(gh)/2. So K's error, in units of ε√(vv′), is multiplied
//! by g at each smooth dual (and is 1 at least, by the rounding of the dual itself), Θ's grows by h times K's; means over
//! windows and sums add errors and bounds alike, so that the largest of their inputs bounds them, as it does for w²Θ + αK.
//! Kinked duals read defects, whose rounding they do not amplify: their factor is 1.
//!
//! The factors of two samples multiply to √(g g′) at every dual, so that A of a pair is at most √(A A′), A of each sample with
//! itself.

use super::{
    HeadOp, Op as _, Plan, PlaneOp, Pointwise, Readout, RotationStage, Scalar, Sink, Variances, head,
};

/// The errors of K and of Θ in units of the rounding of K.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Errors {
    nngp: f64,
    ntk: f64,
}

impl Errors {
    /// Of a value that has been rounded once; Θ is 0.
    const FRESH: Errors = Errors { nngp: 1.0, ntk: 0.0 };

    /// Behind an op that reads these, at these variances.
    fn behind(
        op: Option<&Pointwise>,
        inputs: impl Iterator<Item = Errors>,
        variances: impl Iterator<Item = f64>,
    ) -> Errors {
        let before = inputs.reduce(|a, b| Errors { nngp: a.nngp.max(b.nngp), ntk: a.ntk.max(b.ntk) });
        let before = before.unwrap_or(Errors::FRESH);
        match op {
            Some(Pointwise::Affine(_)) => Errors { ntk: before.ntk.max(before.nngp), ..before },
            Some(Pointwise::Dual(activation)) if activation.is_smooth() => {
                let steepest = variances
                    .map(|v| activation.steepness(v))
                    .fold([0.0_f64; 2], |all, one| [all[0].max(one[0]), all[1].max(one[1])]);
                let [slope, curvature] = steepest.map(|factor| factor * before.nngp);
                Errors { nngp: slope.max(1.0), ntk: before.ntk + curvature }
            }
            _ => before,
        }
    }
}

impl Plan {
    /// The amplification up to which float32 keeps 1e-6 of the largest entry. Measured on 86 networks
    /// (`cargo test --release -p ekernel-cpu --test conformance steep -- --nocapture`): 7.2e-7 below it, about 1.2e-8 times the amplification
    /// above.
    pub const MOST_AMPLIFIED: f64 = 50.0;

    /// Whether float32 cannot hold what a sample with these variances behind every op leads to: its products are too small
    /// ([`Plan::is_faint`]), or its rounding is amplified beyond [`Plan::MOST_AMPLIFIED`]. Pairs of such samples are computed
    /// in float64.
    pub fn spoils_float32(&self, variances: &Variances) -> bool {
        let faint = variances.iter().flatten().any(|map| self.is_faint(map));
        faint || self.amplification(variances) > Plan::MOST_AMPLIFIED
    }

    /// By how much the rounding of a sample's values grows on the way to the result; 1 without smooth activations.
    ///
    /// Where values on planes are rounded to ε of √(vv′), the kernels of samples f and f′ are known to about √(A A′)·ε of
    /// √(vv′) at the readout and behind the head, A and A′ being this number for each: see the module's formula. `variances`
    /// are K(t, t) of the sample behind every op of the planes. In the head, v is replaced by its bound, (mean √v)² for a mean
    /// over pairs of positions, so that nothing but the variances need be known.
    ///
    /// Planar networks only; of signals on the sphere ask [`RotationStage::amplification`].
    pub fn amplification(&self, variances: &Variances) -> f64 {
        if self.stages.is_empty() || !self.pointwise().any(Pointwise::is_smooth_dual) {
            return 1.0;
        }
        let mut stages: Vec<Errors> = Vec::with_capacity(self.stages.len());
        for (stage, variances) in self.stages.iter().zip(variances) {
            let mut errors: Vec<Errors> = Vec::with_capacity(stage.ops.len());
            for node in &stage.ops {
                let before = node.inputs.iter().map(|&input| errors[input]);
                let v = node.inputs.iter().flat_map(|&input| variances[input].iter().copied());
                errors.push(match node.op {
                    PlaneOp::Pooled(source) => stages[source],
                    _ => Errors::behind(node.op.pointwise(), before, v),
                });
            }
            stages.push(errors[errors.len() - 1]);
        }
        let readouts: Vec<(Errors, Scalar)> = self
            .readouts
            .iter()
            .map(|readout| match readout {
                Readout::Planes { stage, .. } => {
                    let last = &variances[*stage][self.stages[*stage].ops.len() - 1];
                    let mean = |map: &dyn Fn(f64) -> f64| {
                        last.iter().map(|v| map(*v)).sum::<f64>() / last.len() as f64
                    };
                    let v = match self.stages[*stage].sink {
                        Sink::Mean { scale } => scale * mean(&f64::sqrt).powi(2),
                        Sink::Diagonal | Sink::LocalPool { .. } | Sink::Rewrap => mean(&|v| v),
                    };
                    (stages[*stage], Scalar::of_itself(v))
                }
                // Vectors are multiplied in float64; the others are of the sphere.
                Readout::Vector | Readout::Rotations { .. } | Readout::Sphere | Readout::Atoms { .. } => {
                    (Errors::default(), Scalar::of_itself(0.0))
                }
            })
            .collect();
        let own: Vec<Scalar> = readouts.iter().map(|(_, own)| *own).collect();
        let values = head::run(&self.head, &own, true);
        let mut errors: Vec<Errors> = Vec::with_capacity(self.head.len());
        for node in &self.head {
            let before = node.inputs.iter().map(|&input| errors[input]);
            let v = node.inputs.iter().map(|&input| values[input].v);
            errors.push(match node.op {
                HeadOp::Readout(i) => readouts[i].0,
                HeadOp::Pointwise(op) => Errors::behind(Some(&op), before, v),
            });
        }
        let last = errors[errors.len() - 1];
        // Of the NTK also where it is not asked for: the NNGP has the same bytes with and without it.
        last.nngp.max(last.ntk).max(1.0)
    }
}

impl RotationStage {
    /// By how much the rounding of k(U) grows on the way through the stage, as [`Plan::amplification`] does: `variances[i]` is
    /// the sample's variance behind op i.
    pub fn amplification(&self, variances: &[f64]) -> f64 {
        let mut errors: Vec<Errors> = Vec::with_capacity(self.ops.len());
        for op in &self.ops {
            let before = op.inputs.iter().map(|&input| errors[input]);
            let v = op.inputs.iter().map(|&input| variances[input]);
            errors.push(Errors::behind(op.op.pointwise(), before, v));
        }
        let last = errors[errors.len() - 1];
        last.nngp.max(last.ntk).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::Activation;

    const SMOOTH: [Activation; 8] = [
        Activation::Erf { a: 1.5, b: 0.7, c: 0.2 },
        Activation::Erf { a: 1.0, b: 20.0, c: 0.0 },
        Activation::Gelu,
        Activation::Sin { a: 1.1, b: 3.0, c: 0.0 },
        Activation::Cos { a: 1.1, b: 3.0, c: 0.3 },
        Activation::Rbf { gamma: 2.0 },
        Activation::Exp { a: 0.7, b: 0.6 },
        Activation::Gaussian { a: 1.0, b: -2.0 },
    ];

    /// v·K̇/K_σ and v·(dK̇/dK)/K̇ at K = v, by differences of the dual.
    #[test]
    fn steepness_is_the_slope_of_the_dual() {
        for activation in SMOOTH {
            for v in [1e-3, 0.1, 1.0, 7.0] {
                let step = 1e-5 * v / (1.0 + activation.steepness(v)[1]);
                let [at, below] = [v, v - step].map(|k| activation.dual(v, v, k));
                // One-sided differences at K = v, of second order by a third point.
                let further = activation.dual(v, v, v - 2.0 * step);
                let slope = |f: [f64; 3]| (1.5 * f[0] - 2.0 * f[1] + 0.5 * f[2]) / step;
                let measured = [
                    v * slope([at.cov, below.cov, further.cov]) / at.cov,
                    v * slope([at.dot, below.dot, further.dot]) / at.dot,
                ];
                for (found, measured) in activation.steepness(v).into_iter().zip(measured) {
                    assert!(
                        (found - measured).abs() < 1e-3 * (1.0 + measured),
                        "{activation:?} {v}: {found} {measured}"
                    );
                }
            }
        }
    }

    #[test]
    fn kinks_do_not_amplify() {
        for activation in
            [Activation::Relu, Activation::Abs, Activation::LeakyRelu { alpha: 0.3 }, Activation::Sign]
        {
            assert_eq!(activation.steepness(3.0), [1.0, 1.0]);
        }
        for activation in SMOOTH {
            assert!(
                activation.steepness(0.0).iter().all(|factor| (0.0..=1.5).contains(factor)),
                "{activation:?}"
            );
        }
    }
}
