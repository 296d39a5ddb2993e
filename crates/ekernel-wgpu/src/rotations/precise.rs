//! A stage on one pair of signals in float64 on the host, ring by ring: the variances behind truncations, and the pairs whose
//! angle float32 does not know.

use std::f64::consts::PI;

use ekernel_core::{
    BackendError, Control, LayerNorm,
    plan::{Op, RotationStage},
};
use ekernel_harmonic::{
    HarmonicError, Harmonics, LaneTransform, LaneWorkspace, RotationGrid, rotation_index, rotation_len,
};
use ekernel_signals::refused;

use super::passes::{Origin, Pass, Passes};

/// One function at a time.
const ONE: usize = 1;

/// Coefficients of K and of Θ, in the real basis.
type Spectrum = [Vec<[f64; ONE]>; 2];

/// A stage in float64.
pub(super) struct Precise {
    stage: RotationStage,
    passes: Passes,
    /// Of each field.
    transforms: Vec<LaneTransform<f64>>,
    /// What each point of a ring counts in a mean over the group.
    weights: Vec<f64>,
}

impl Precise {
    pub(super) fn new(stage: &RotationStage, passes: &Passes) -> Result<Precise, BackendError> {
        let made = || -> Result<Precise, HarmonicError> {
            let grid = RotationGrid::gauss_legendre(stage.nodes)?;
            let transform = |field: &super::passes::Field| LaneTransform::new(field.bandlimit, &grid);
            Ok(Precise {
                transforms: passes.fields.iter().map(transform).collect::<Result<_, _>>()?,
                weights: (0..stage.nodes).map(|j| grid.volume(j) / (8.0 * PI * PI)).collect(),
                stage: stage.clone(),
                passes: passes.clone(),
            })
        };
        made().map_err(refused("wgpu"))
    }

    /// The variance behind each op.
    pub(super) fn variances(&self, signal: &Harmonics, control: &Control) -> Result<Vec<f64>, BackendError> {
        let mut v = vec![f64::NAN; self.stage.ops.len()];
        for field in &self.passes.fields {
            if let Origin::Lift { .. } = field.origin {
                let len = field.bandlimit * field.bandlimit * signal.channels;
                v[field.op] = signal.values[..len].iter().map(|a| a * a).sum();
            }
        }
        self.propagate(&mut v);
        if self.stage.truncates() {
            let mut run = Run::new(self, [signal, signal])?;
            for pass in self.passes.passes.iter().filter(|pass| pass.into.is_some()) {
                run.truncate(pass, [&v, &v], control)?;
                let Some(field) = pass.into.map(|into| &self.passes.fields[into]) else { continue };
                v[field.op] = run.at_identity(field.op).max(0.0);
                if !v[pass.target].is_finite() {
                    v[field.op] = f64::NAN;
                }
                self.propagate(&mut v);
            }
        }
        Ok(v)
    }

    /// (1/8π²) ∫ (k, Θ) dU of two signals with the variances behind each op.
    pub(super) fn mean(
        &self,
        signals: [&Harmonics; 2],
        variances: [&[f64]; 2],
        control: &Control,
    ) -> Result<[f64; 2], BackendError> {
        let mut run = Run::new(self, signals)?;
        let mut sums = [0.0; 2];
        for pass in &self.passes.passes {
            if pass.into.is_some() {
                run.truncate(pass, variances, control)?;
                continue;
            }
            run.rings(pass, variances, control, |_, j, values| {
                let ring = values.iter().fold([0.0; 2], |sum, value| [sum[0] + value[0], sum[1] + value[1]]);
                sums = [sums[0] + self.weights[j] * ring[0], sums[1] + self.weights[j] * ring[1]];
                Ok(())
            })?;
        }
        Ok(sums)
    }

    /// Fills in the variances of ops whose inputs are known.
    fn propagate(&self, v: &mut [f64]) {
        for (at, op) in self.stage.ops.iter().enumerate() {
            let inputs: Vec<f64> = op.inputs.iter().map(|&input| v[input]).collect();
            let known = !inputs.is_empty() && inputs.iter().all(|v| !v.is_nan());
            if known && let Some(variance) = op.op.variance(&inputs) {
                v[at] = variance;
            }
        }
    }

    /// The ops of a pass at one point; those of fields are there.
    fn evaluate(&self, pass: &Pass, [v, vp]: [&[f64]; 2], values: &mut [[f64; 2]]) -> [f64; 2] {
        for &at in &pass.ops {
            let step = &self.stage.ops[at];
            let input = step.inputs.first().copied().unwrap_or(at);
            let [k, ntk] = values[input];
            values[at] = match step.op {
                // Fields are there, and the others are on planes or in heads.
                Op::CorrelateSphere { .. }
                | Op::Truncate { .. }
                | Op::Correlate
                | Op::Pooled(_)
                | Op::Readout(_)
                | Op::BoxMean(_) => continue,
                Op::Affine(affine) => {
                    [affine.w2 * k + affine.b2, affine.w2 * ntk + affine.ntk_scale * k + affine.ntk_shift]
                }
                Op::Dual(activation) => {
                    let dual = activation.dual(v[input], vp[input], k);
                    [dual.cov, ntk * dual.dot]
                }
                Op::Normalize(_) => {
                    let norm = ((v[input] + LayerNorm::EPSILON) * (vp[input] + LayerNorm::EPSILON)).sqrt();
                    [k / norm, ntk / norm]
                }
                Op::Sum => step
                    .inputs
                    .iter()
                    .fold([0.0; 2], |sum, &input| [sum[0] + values[input][0], sum[1] + values[input][1]]),
                // Dropout keeps K of different positions.
                Op::Dropout(_) => [k, ntk],
            };
        }
        values[pass.target]
    }
}

/// One pair under way.
struct Run<'a> {
    precise: &'a Precise,
    /// Of each field that is known.
    spectra: Vec<Spectrum>,
}

impl<'a> Run<'a> {
    fn new(precise: &'a Precise, [first, second]: [&Harmonics; 2]) -> Result<Run<'a>, BackendError> {
        let wide: Vec<[f64; ONE]> = second.values.iter().map(|&a| [a]).collect();
        let spectrum = |(field, transform): (&super::passes::Field, &LaneTransform<f64>)| {
            let mut k = vec![[0.0]; transform.coefficients_len()];
            if let Origin::Lift { .. } = field.origin {
                transform.correlate([1.0, 0.0], first.channels, &first.values, &wide, &mut k)?;
            }
            Ok([k, Vec::new()])
        };
        let spectra = precise.passes.fields.iter().zip(&precise.transforms).map(spectrum);
        Ok(Run { precise, spectra: spectra.collect::<Result<_, HarmonicError>>().map_err(refused("wgpu"))? })
    }

    /// Gives (K, Θ) of a pass at the points of each ring to `take`.
    fn rings(
        &mut self,
        pass: &Pass,
        variances: [&[f64]; 2],
        control: &Control,
        mut take: impl FnMut(&mut Self, usize, &[[f64; 2]]) -> Result<(), HarmonicError>,
    ) -> Result<(), BackendError> {
        let Precise { passes, transforms, stage, .. } = self.precise;
        let mut lines: Vec<(LaneWorkspace<f64, ONE>, Vec<[f64; ONE]>)> = Vec::new();
        for line in &pass.lines {
            let transform = &transforms[line.field];
            let mut workspace = transform.workspace();
            transform
                .load(&self.spectra[line.field][usize::from(line.ntk)], &mut workspace)
                .map_err(refused("wgpu"))?;
            lines.push((workspace, vec![[0.0]; transform.ring_len()]));
        }
        let mut values = vec![[0.0; 2]; stage.ops.len()];
        let mut ring = vec![[0.0; 2]; 4 * stage.nodes * stage.nodes];
        for j in 0..stage.nodes {
            control.check()?;
            for (line, (workspace, points)) in pass.lines.iter().zip(&mut lines) {
                transforms[line.field].inverse_ring(j, workspace, points).map_err(refused("wgpu"))?;
            }
            for (at, out) in ring.iter_mut().enumerate() {
                for (line, (_, points)) in pass.lines.iter().zip(&lines) {
                    values[passes.fields[line.field].op][usize::from(line.ntk)] = points[at][0];
                }
                *out = self.precise.evaluate(pass, variances, &mut values);
            }
            take(self, j, &ring).map_err(refused("wgpu"))?;
        }
        Ok(())
    }

    /// The coefficients that a pass gives.
    fn truncate(
        &mut self,
        pass: &Pass,
        variances: [&[f64]; 2],
        control: &Control,
    ) -> Result<(), BackendError> {
        let Some(into) = pass.into else { return Ok(()) };
        let transform = &self.precise.transforms[into];
        let mut tracks: Vec<LaneWorkspace<f64, ONE>> =
            (0..self.precise.passes.tracks()).map(|_| transform.workspace()).collect();
        self.rings(pass, variances, control, |_, j, ring| {
            for (track, workspace) in tracks.iter_mut().enumerate() {
                let values: Vec<[f64; ONE]> = ring.iter().map(|value| [value[track]]).collect();
                transform.forward_ring(j, &values, workspace)?;
            }
            Ok(())
        })?;
        for (track, workspace) in tracks.iter().enumerate() {
            let mut coefficients = vec![[0.0]; transform.coefficients_len()];
            transform.store(workspace, &mut coefficients).map_err(refused("wgpu"))?;
            self.spectra[into][track] = coefficients;
        }
        Ok(())
    }

    /// K of an op that is a field at the identity, Σ_l (2l+1)/8π² Σ_m A^l_mm.
    fn at_identity(&self, op: usize) -> f64 {
        let Some(field) = self.precise.passes.field_of(op) else { return f64::NAN };
        let k = &self.spectra[field][0];
        debug_assert_eq!(k.len(), rotation_len(self.precise.passes.fields[field].bandlimit));
        let trace = |l: usize| {
            let order = l as isize;
            (-order..=order).map(|m| k[rotation_index(l, m, m)][0]).sum::<f64>()
        };
        let degrees = 0..self.precise.passes.fields[field].bandlimit;
        degrees.map(|l| (2 * l + 1) as f64 * trace(l)).sum::<f64>() / (8.0 * PI * PI)
    }
}
