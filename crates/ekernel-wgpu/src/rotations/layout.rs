//! What lies on the device of one unit for one stage.

use ekernel_core::{
    LayerNorm,
    plan::{Pointwise, RotationStage, SphereOp},
};
use ekernel_harmonic::{Harmonics, sphere_len};

use super::passes::{Origin, Passes};

/// Writes a unit: of each op s, 1/s, v and what it has besides, then the lifted signals. `size` is what the signal is divided
/// by first, where the plan is homogeneous; `variances` are those of the signal as it is.
pub(super) fn pack(
    stage: &RotationStage,
    passes: &Passes,
    signal: &Harmonics,
    (variances, size): (&[f64], f64),
    out: &mut [f32],
) {
    for (at, op) in stage.ops.iter().enumerate() {
        let v = variances[at] / (size * size);
        let s = v.sqrt();
        let special = match op.op {
            SphereOp::Truncate { .. } => {
                let wide = variances[op.inputs[0]];
                // 1 − √(v_o/v) without cancellation.
                if wide > 0.0 {
                    (1.0 - variances[at] / wide) / (1.0 + (variances[at] / wide).sqrt())
                } else {
                    0.0
                }
            }
            SphereOp::Pointwise(Pointwise::Normalize(_)) => {
                (variances[op.inputs[0]] / (size * size) + LayerNorm::EPSILON).sqrt().recip()
            }
            _ => 0.0,
        };
        let inverse = if s > 0.0 { s.recip() } else { 0.0 };
        out[4 * at..4 * at + 4].copy_from_slice(&[s, inverse, v, special].map(|x| x as f32));
    }
    let channels = signal.channels;
    for field in &passes.fields {
        let Origin::Lift { unit_at } = field.origin else { continue };
        let values = &signal.values[..sphere_len(field.bandlimit) * channels];
        let q = variances[field.op];
        let norm = if q > 0.0 { q.sqrt() } else { f64::INFINITY };
        let rest: f64 = values[channels..].iter().map(|a| (a / norm) * (a / norm)).sum();
        out[unit_at] = rest as f32;
        out[unit_at + 1..][..values.len()].iter_mut().zip(values).for_each(|(to, a)| *to = (a / norm) as f32);
    }
}
