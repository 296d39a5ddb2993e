//! The per-image maps of several images, interleaved by lane.

use ekernel_core::plan::{Form, Plan, PlaneOp, Pointwise, inverse_std, pool_loss};

use super::Scalar;
use crate::{images::Image, simd::Aligned};

/// What one op needs of its images, `[position][lane]`. Maps that the op has no use for are empty.
#[derive(Clone, Debug)]
pub(crate) struct OpMaps<T> {
    /// Standard deviation s = √v of the op's output.
    pub(super) std: Aligned<T>,
    /// 1/s, 0 where s = 0.
    pub(super) inverse: Aligned<T>,
    /// The variance v of the op's output, where a smooth dual reads it.
    pub(super) variance: Aligned<T>,
    /// normalize: the factor 1/√(v + ε).
    pub(super) norm: Aligned<T>,
    /// pooled, where defects are pooled: m, the window mean of s before the pool, and α = (m² − v)/m².
    pub(super) pool_mean: Aligned<T>,
    pub(super) pool_loss: Aligned<T>,
    /// correlate: the features, `[channel][position][lane]`; divided by s where the op carries the defect.
    pub(super) features: Aligned<T>,
}

/// The maps of a stage's ops.
type StageMaps<T> = Vec<OpMaps<T>>;

/// Several images side by side.
#[derive(Clone, Debug)]
pub(crate) struct Pack<T> {
    pub(crate) stages: Vec<StageMaps<T>>,
}

impl<T: Scalar> Pack<T> {
    /// Interleaves the first `images.len()` ≤ `lanes` lanes; the others stay zero.
    pub(crate) fn new(plan: &Plan, images: &[&Image], lanes: usize) -> Pack<T> {
        let stages = (0..plan.stages.len()).map(|stage| stage_maps(plan, stage, images, lanes)).collect();
        Pack { stages }
    }

    /// A pack of the stages before `known`, whose variances are there already.
    pub(crate) fn until(plan: &Plan, known: usize, images: &[&Image], lanes: usize) -> Pack<T> {
        Pack { stages: (0..known).map(|stage| stage_maps(plan, stage, images, lanes)).collect() }
    }

    /// Bytes of one image's share of a pack.
    pub(crate) fn bytes_per_image(plan: &Plan) -> u64 {
        let maps = |op: &ekernel_core::plan::PlaneNode| {
            let features = if op.op == PlaneOp::Correlate { plan.input.channels() } else { 0 };
            (op.at.extent[0] * op.at.extent[1]) as u64
                * (3 + features as u64 + if matches!(op.op, PlaneOp::Pooled(_)) { 2 } else { 0 })
        };
        plan.stages.iter().flat_map(|stage| &stage.ops).map(maps).sum::<u64>() * size_of::<T>() as u64
    }
}

fn stage_maps<T: Scalar>(plan: &Plan, stage: usize, images: &[&Image], lanes: usize) -> StageMaps<T> {
    let ops = &plan.stages[stage].ops;
    let facts = plan.facts().of(stage);
    ops.iter()
        .enumerate()
        .map(|(i, op)| {
            let variance = |image: &Image| image.variances[stage][i].clone();
            let positions = op.at.extent[0] * op.at.extent[1];
            let interleaved = |wanted: bool, map: &dyn Fn(f64) -> f64| {
                let mut out = Aligned::zeros(if wanted { positions * lanes } else { 0 });
                if wanted {
                    for (lane, image) in images.iter().enumerate() {
                        for (t, v) in variance(image).iter().enumerate() {
                            out.as_mut_slice()[t * lanes + lane] = T::new(map(*v));
                        }
                    }
                }
                out
            };
            OpMaps {
                std: interleaved(true, &f64::sqrt),
                inverse: interleaved(true, &inverse_std),
                variance: interleaved(facts[i].variance_read, &|v| v),
                norm: norm(op, ops, stage, images, lanes),
                pool_mean: pool_map(plan, op, images, lanes, &|_, _, m| m),
                pool_loss: pool_map(plan, op, images, lanes, &|image: &Image, t, m| {
                    pool_loss(m, image.variances[stage][i][t])
                }),
                features: features(op, stage, i, plan, images, lanes),
            }
        })
        .collect()
}

/// A map of a pooled op whose producer carries the defect, from each image's window means.
fn pool_map<T: Scalar>(
    plan: &Plan,
    op: &ekernel_core::plan::PlaneNode,
    images: &[&Image],
    lanes: usize,
    map: &dyn Fn(&Image, usize, f64) -> f64,
) -> Aligned<T> {
    let PlaneOp::Pooled(source) = op.op else { return Aligned::zeros(0) };
    if !plan.stages[source].pools_defects() {
        return Aligned::zeros(0);
    }
    let mut out = Aligned::zeros(op.at.extent[0] * op.at.extent[1] * lanes);
    for (lane, image) in images.iter().enumerate() {
        for (t, m) in plan.pool_means(source, &image.variances).into_iter().enumerate() {
            out.as_mut_slice()[t * lanes + lane] = T::new(map(image, t, m));
        }
    }
    out
}

fn norm<T: Scalar>(
    op: &ekernel_core::plan::PlaneNode,
    ops: &[ekernel_core::plan::PlaneNode],
    stage: usize,
    images: &[&Image],
    lanes: usize,
) -> Aligned<T> {
    let PlaneOp::Pointwise(Pointwise::Normalize(over)) = op.op else { return Aligned::zeros(0) };
    debug_assert!(op.inputs[0] < ops.len());
    let mut out = Aligned::zeros(op.at.extent[0] * op.at.extent[1] * lanes);
    for (lane, image) in images.iter().enumerate() {
        let v = &image.variances[stage][op.inputs[0]];
        for (t, scale) in over.factors(v).into_iter().enumerate() {
            out.as_mut_slice()[t * lanes + lane] = T::new(scale);
        }
    }
    out
}

fn features<T: Scalar>(
    op: &ekernel_core::plan::PlaneNode,
    stage: usize,
    index: usize,
    plan: &Plan,
    images: &[&Image],
    lanes: usize,
) -> Aligned<T> {
    if op.op != PlaneOp::Correlate {
        return Aligned::zeros(0);
    }
    let (positions, channels) = (op.at.extent[0] * op.at.extent[1], plan.input.channels());
    let mut out = Aligned::zeros(channels * positions * lanes);
    for (lane, image) in images.iter().enumerate() {
        for t in 0..positions {
            let scale =
                if op.at.form == Form::Defect { inverse_std(image.variances[stage][index][t]) } else { 1.0 };
            for c in 0..channels {
                out.as_mut_slice()[(c * positions + t) * lanes + lane] =
                    T::new(image.features[t * channels + c] * scale);
            }
        }
    }
    out
}
