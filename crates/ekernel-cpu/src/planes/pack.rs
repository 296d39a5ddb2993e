//! The per-image maps of several images, interleaved by lane.

use std::ptr;

use bytemuck::Pod;
use ekernel_core::plan::{Form, Plan, PlaneNode, PlaneOp, Pointwise, inverse_std, pool_loss};

use super::Scalar;
use crate::{
    duals::{NUMBERS, Smooth},
    fused::FusedStage,
    image::Image,
    simd::Aligned,
};

/// What one op needs of its images, `[position][lane]`. Maps that the op has no use for are empty.
#[derive(Clone, Debug)]
pub(crate) struct OpMaps<T> {
    /// Standard deviation s = √v of the op's output.
    pub(super) std: Aligned<T>,
    /// 1/s, 0 where s = 0.
    pub(super) inverse: Aligned<T>,
    /// What a smooth dual needs.
    pub(super) smooth: Option<SmoothMaps>,
    /// normalize: the factor 1/√(v + ε).
    pub(super) norm: Aligned<T>,
    /// pooled, where defects are pooled: m, the window mean of s before the pool, and α = (m² − v)/m².
    pub(super) pool_mean: Aligned<T>,
    pub(super) pool_loss: Aligned<T>,
    /// correlate: the features, `[channel][position][lane]`; divided by s where the op carries the defect.
    pub(super) features: Aligned<T>,
}

impl<T: Scalar> OpMaps<T> {
    fn none() -> OpMaps<T> {
        let none = || Aligned::zeros(0);
        OpMaps {
            std: none(),
            inverse: none(),
            smooth: None,
            norm: none(),
            pool_mean: none(),
            pool_loss: none(),
            features: none(),
        }
    }
}

/// What a smooth dual needs of its images, in float64.
#[derive(Clone, Debug)]
pub(crate) struct SmoothMaps {
    pub(super) smooth: Smooth,
    /// The numbers of [`Smooth::numbers`], of the variances of the dual's input.
    pub(super) numbers: [Aligned<f64>; NUMBERS],
    /// The variances of the dual's input, where that or its output is a defect.
    pub(super) variance: Aligned<f64>,
    /// The standard deviations of its output, where that is a defect.
    pub(super) std: Aligned<f64>,
}

/// The maps of a stage's ops.
type StageMaps<T> = Vec<OpMaps<T>>;

/// Several images side by side.
#[derive(Clone, Debug)]
pub(crate) struct Pack<T> {
    pub(crate) stages: Vec<StageMaps<T>>,
}

impl<T: Scalar> Pack<T> {
    /// Interleaves the first `images.len()` ≤ `lanes` lanes; the others stay zero. What the fused kernel computes has no maps here.
    pub(crate) fn new(plan: &Plan, fused: &[FusedStage], images: &[&Image], lanes: usize) -> Pack<T> {
        let maps = |(stage, fused): (usize, &FusedStage)| {
            stage_maps(plan, stage, |op| fused.by_itself[op], images, lanes)
        };
        Pack { stages: fused.iter().enumerate().map(maps).collect() }
    }

    /// A pack of the stages before `known`, whose variances are there already.
    pub(crate) fn until(plan: &Plan, known: usize, images: &[&Image], lanes: usize) -> Pack<T> {
        Pack { stages: (0..known).map(|stage| stage_maps(plan, stage, |_| true, images, lanes)).collect() }
    }

    /// Bytes of one image's share of a pack.
    pub(crate) fn bytes_per_image(plan: &Plan) -> u64 {
        let maps = |op: &PlaneNode| {
            let features = if op.op == PlaneOp::Correlate { plan.input.channels() } else { 0 };
            let pooled = if matches!(op.op, PlaneOp::Pooled(_)) { 2 } else { 0 };
            let smooth = match op.op {
                PlaneOp::Pointwise(Pointwise::Dual(activation)) => {
                    Smooth::new(activation).map_or(0, |smooth| 8 * (smooth.count() + 2))
                }
                _ => 0,
            };
            ((op.at.extent[0] * op.at.extent[1]) * (size_of::<T>() * (2 + features + pooled) + smooth)) as u64
        };
        plan.stages.iter().flat_map(|stage| &stage.ops).map(maps).sum()
    }
}

fn stage_maps<T: Scalar>(
    plan: &Plan,
    stage: usize,
    wanted: impl Fn(usize) -> bool,
    images: &[&Image],
    lanes: usize,
) -> StageMaps<T> {
    let ops = &plan.stages[stage].ops;
    ops.iter()
        .enumerate()
        .map(|(i, op)| {
            if !wanted(i) {
                return OpMaps::none();
            }
            let positions = op.at.extent[0] * op.at.extent[1];
            let map = |map: fn(f64) -> f64| {
                let values =
                    |image: &Image| image.variances[stage][i].iter().map(|v| T::new(map(*v))).collect();
                interleaved(positions, images, lanes, values)
            };
            OpMaps {
                std: map(f64::sqrt),
                inverse: map(inverse_std),
                smooth: smooth_maps(op, ops, stage, images, lanes),
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

/// The values of images `[position]` as `[position][lane]`. One image in all lanes is computed once.
fn interleaved<U: Pod>(
    positions: usize,
    images: &[&Image],
    lanes: usize,
    values: impl Fn(&Image) -> Vec<U>,
) -> Aligned<U> {
    let mut out = Aligned::zeros(positions * lanes);
    if let [first, rest @ ..] = images
        && rest.iter().all(|image| ptr::eq(*image, *first))
    {
        let places = out.as_mut_slice().chunks_exact_mut(lanes);
        places.zip(values(first)).for_each(|(all, value)| all[..images.len()].fill(value));
        return out;
    }
    for (lane, image) in images.iter().enumerate() {
        let places = out.as_mut_slice().iter_mut().skip(lane).step_by(lanes);
        places.zip(values(image)).for_each(|(place, value)| *place = value);
    }
    out
}

fn smooth_maps(
    op: &PlaneNode,
    ops: &[PlaneNode],
    stage: usize,
    images: &[&Image],
    lanes: usize,
) -> Option<SmoothMaps> {
    let PlaneOp::Pointwise(Pointwise::Dual(activation)) = op.op else { return None };
    let (smooth, input) = (Smooth::new(activation)?, op.inputs[0]);
    let map = |wanted: bool, map: &dyn Fn(f64) -> f64| {
        let positions = if wanted { op.at.extent[0] * op.at.extent[1] } else { 0 };
        let values = |image: &Image| image.variances[stage][input].iter().map(|v| map(*v)).collect();
        interleaved(positions, images, lanes, values)
    };
    let number = |which: usize| map(which < smooth.count(), &|v| smooth.numbers(v)[which]);
    Some(SmoothMaps {
        smooth,
        numbers: std::array::from_fn(number),
        variance: map([op.at.form, ops[input].at.form].contains(&Form::Defect), &|v| v),
        std: map(op.at.form == Form::Defect, &|v| smooth.variance(v).sqrt()),
    })
}

/// A map of a pooled op whose producer carries the defect, from each image's window means.
fn pool_map<T: Scalar>(
    plan: &Plan,
    op: &PlaneNode,
    images: &[&Image],
    lanes: usize,
    map: &dyn Fn(&Image, usize, f64) -> f64,
) -> Aligned<T> {
    let PlaneOp::Pooled(source) = op.op else { return Aligned::zeros(0) };
    if !plan.stages[source].pools_defects() {
        return Aligned::zeros(0);
    }
    interleaved(op.at.extent[0] * op.at.extent[1], images, lanes, |image| {
        let means = plan.pool_means(source, &image.variances).into_iter().enumerate();
        means.map(|(t, m)| T::new(map(image, t, m))).collect()
    })
}

fn norm<T: Scalar>(
    op: &PlaneNode,
    ops: &[PlaneNode],
    stage: usize,
    images: &[&Image],
    lanes: usize,
) -> Aligned<T> {
    let PlaneOp::Pointwise(Pointwise::Normalize(over)) = op.op else { return Aligned::zeros(0) };
    debug_assert!(op.inputs[0] < ops.len());
    interleaved(op.at.extent[0] * op.at.extent[1], images, lanes, |image| {
        let factors = over.factors(&image.variances[stage][op.inputs[0]]);
        factors.into_iter().map(T::new).collect()
    })
}

fn features<T: Scalar>(
    op: &PlaneNode,
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
    interleaved(channels * positions, images, lanes, |image| {
        let scale = |t: usize| match op.at.form {
            Form::Defect => inverse_std(image.variances[stage][index][t]),
            Form::Cov => 1.0,
        };
        let scales: Vec<f64> = (0..positions).map(scale).collect();
        let of = |c: usize, t: usize| T::new(image.features[t * channels + c] * scales[t]);
        (0..channels).flat_map(|c| (0..positions).map(move |t| (c, t))).map(|(c, t)| of(c, t)).collect()
    })
}
