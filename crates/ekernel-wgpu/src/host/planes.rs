//! The ops on one plane, in float64.

use std::f64::consts::{FRAC_1_PI, PI};

use ekernel_core::{
    Activation, Padding,
    plan::{Form, Op},
};

use super::Pair;

/// K (or the defect u) and Θ on one plane, by position in the first image. Θ is empty where it is not asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plane {
    pub(crate) cov: Vec<f64>,
    pub(crate) ntk: Vec<f64>,
}

impl Plane {
    pub(super) fn zeros(len: usize, ntk: bool) -> Plane {
        Plane { cov: vec![0.0; len], ntk: vec![0.0; if ntk { len } else { 0 }] }
    }
}

/// An op that is not [`Op::Pooled`], on the plane at its offset; `equal` says that the offset is 0.
pub(super) fn step(
    pair: &Pair<'_>,
    (stage, i): (usize, usize),
    equal: bool,
    places: &[(usize, usize)],
    done: &[Plane],
) -> Plane {
    let op = pair.op(stage, i);
    let defect = op.form == Form::Defect;
    let [after, after_p] = pair.maps(stage, i);
    let mut out = Plane::zeros(op.extent[0] * op.extent[1], pair.has_ntk());
    let input = op.inputs.first().copied().unwrap_or(0);
    // A linear op that carries K may read an op that carries u.
    let read = |input: usize, t: usize, u: usize| {
        let x = done[input].cov[t];
        let [maps, other] = pair.maps(stage, input);
        let turned = pair.op(stage, input).form == Form::Defect && !defect;
        if turned { maps.std[t] * other.std[u] - x } else { x }
    };
    let theta = |input: usize, t: usize| done[input].ntk.get(t).copied().unwrap_or(0.0);
    for &(t, u) in places {
        // The caller asks once more and gives the plane up.
        if pair.control.is_cancelled() {
            break;
        }
        let (so, sop, r, rp) = (after.std[t], after_p.std[u], after.inverse[t], after_p.inverse[u]);
        let spread = |input: usize, t: usize, u: usize| {
            let [maps, other] = pair.maps(stage, input);
            let difference = maps.std[t] * r - other.std[u] * rp;
            0.5 * so * sop * difference * difference
        };
        let (cov, ntk) = match op.op {
            Op::Correlate => {
                let positions = op.extent[0] * op.extent[1];
                let channels = after.features.len() / positions;
                let each = (0..channels).map(|c| {
                    let [f, g] = [after.features[c * positions + t], after_p.features[c * positions + u]];
                    if defect { (f - g) * (f - g) } else { f * g }
                });
                let mean = each.sum::<f64>() / channels as f64;
                (if defect { 0.5 * so * sop * mean } else { mean }, 0.0)
            }
            Op::BoxMean(window) => {
                let extent = pair.op(stage, input).extent;
                let low = window.low(extent);
                let width = op.extent[1];
                let at = |position: usize, [a, b]: [usize; 2]| -> Option<usize> {
                    let [row, col] =
                        [(0, position / width, a), (1, position % width, b)].map(|(axis, index, a)| {
                            let n = extent[axis] as isize;
                            let at = (index * window.strides[axis] + a) as isize - low[axis] as isize;
                            match window.padding {
                                Padding::Circular => Some(at.rem_euclid(n) as usize),
                                _ => (0..n).contains(&at).then_some(at as usize),
                            }
                        });
                    Some(row? * extent[1] + col?)
                };
                let (mut cov, mut ntk) = (0.0, 0.0);
                for tap in (0..window.size[0]).flat_map(|a| (0..window.size[1]).map(move |b| [a, b])) {
                    let [maps, other] = pair.maps(stage, input);
                    match (at(t, tap), at(u, tap)) {
                        (Some(one), Some(two)) => {
                            cov += read(input, one, two);
                            ntk += theta(input, one);
                            cov += if defect { spread(input, one, two) } else { 0.0 };
                        }
                        (Some(one), None) if defect => cov += 0.5 * so * sop * (maps.std[one] * r).powi(2),
                        (None, Some(two)) if defect => cov += 0.5 * so * sop * (other.std[two] * rp).powi(2),
                        _ => {}
                    }
                }
                let area = window.area() as f64;
                (cov / area, ntk / area)
            }
            Op::Affine(affine) => {
                let x = read(input, t, u);
                let [maps, other] = pair.maps(stage, input);
                let k = if defect { maps.std[t] * other.std[u] - x } else { x };
                let mut cov = affine.w2 * x;
                if defect && affine.b2 != 0.0 {
                    cov += affine.w2 * spread(input, t, u) + affine.b2 * 0.5 * so * sop * (r - rp) * (r - rp);
                } else if !defect {
                    cov += affine.b2;
                }
                (cov, affine.w2 * theta(input, t) + affine.ntk_scale * k + affine.ntk_shift)
            }
            Op::Dual(activation) => {
                let value = done[input].cov[t];
                let [maps, other] = pair.maps(stage, input);
                let bound = maps.std[t] * other.std[u];
                let carried = pair.op(stage, input).form == Form::Defect;
                let u_in = if carried { value } else { (bound - value).max(0.0) };
                let k = if carried { bound - value } else { value };
                let (cov, u_out, dot) = match activation.kink() {
                    Some(slopes) => kinked(slopes, u_in, maps.inverse[t] * other.inverse[u], so * sop),
                    None if activation == Activation::Sign => sign(u_in, maps.inverse[t] * other.inverse[u]),
                    None => smooth(activation, maps.variance[t], other.variance[u], k),
                };
                (if defect { u_out } else { cov }, theta(input, t) * dot)
            }
            Op::Normalize(_) => {
                let factor = after.special[t] * after_p.special[u];
                (read(input, t, u) * factor, theta(input, t) * factor)
            }
            Op::Dropout(keep) => {
                let extra = keep.recip() - 1.0;
                let same = equal && pair.same;
                let x = read(input, t, u);
                let [maps, other] = pair.maps(stage, input);
                let more = match (same, defect) {
                    (true, _) => extra * x,
                    (false, true) => extra * maps.std[t] * other.std[u],
                    (false, false) => 0.0,
                };
                (x + more, theta(input, t) * if same { 1.0 + extra } else { 1.0 })
            }
            Op::Sum => op.inputs.iter().fold((0.0, 0.0), |(cov, ntk), &input| {
                let more = if defect { spread(input, t, u) } else { 0.0 };
                (cov + read(input, t, u) + more, ntk + theta(input, t))
            }),
            Op::Pooled(_) | Op::Readout(_) | Op::CorrelateSphere { .. } | Op::Truncate { .. } => (0.0, 0.0),
        };
        out.cov[t] = cov;
        if pair.has_ntk() {
            out.ntk[t] = ntk;
        }
    }
    out
}

/// θ and sin θ − θ cos θ of the angle with 1 − cos θ = d ∈ \[0, 2\].
fn angle(d: f64) -> (f64, f64) {
    let d = d.clamp(0.0, 2.0);
    let theta = 2.0 * (0.5 * d).sqrt().asin();
    if theta < 0.2 {
        let square = theta * theta;
        let series = 1.0 / 3.0
            - square
                * (1.0 / 30.0 - square * (1.0 / 840.0 - square * (1.0 / 45_360.0 - square / 3_991_680.0)));
        return (theta, theta * square * series);
    }
    (theta, (d * (2.0 - d)).sqrt() - theta * (1.0 - d))
}

/// K_σ, its defect and K̇ of slopes (a, b) at the defect u; 1/ss' is 0 where an image is dark.
fn kinked([a, b]: [f64; 2], u: f64, inverse: f64, bound: f64) -> (f64, f64, f64) {
    let half_jump = 0.5 * (a - b) * (a - b);
    let slope = 0.5 * (a * a + b * b);
    if inverse == 0.0 {
        return (bound, half_jump * u + a * b * u, slope - 0.5 * half_jump);
    }
    let (theta, sector) = angle(u * inverse);
    let defect = half_jump * (u - sector * FRAC_1_PI / inverse) + a * b * u;
    (bound - defect, defect, slope - half_jump * theta * FRAC_1_PI)
}

/// K_σ, its defect and K̇ of a sign at the defect u.
fn sign(u: f64, inverse: f64) -> (f64, f64, f64) {
    if inverse == 0.0 {
        return (0.0, 0.0, 0.0);
    }
    let defect = 2.0 * angle(u * inverse).0 / PI;
    (1.0 - defect, defect, 0.0)
}

/// K_σ, its defect and K̇ by the closed form.
fn smooth(activation: Activation, v: f64, vp: f64, k: f64) -> (f64, f64, f64) {
    let dual = activation.dual(v, vp, k);
    let bound = (activation.variance(v) * activation.variance(vp)).sqrt();
    (dual.cov, (bound - dual.cov).max(0.0), dual.dot)
}
