//! What is computed once per image: its transformed copies and the variance of every op at every position.

use ekernel_core::{
    Element, Samples,
    plan::{Op, Plan, Sink},
};
use ndarray::Axis;

use crate::{
    planes::{Lanes, Pack, Runner, norm_factors, pooled_self, pools_defects},
    simd::Isa,
};

/// One copy of an image and the variances along the plan.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// Pixels `[row][col][channel]` of g·f.
    pub(crate) features: Vec<f64>,
    /// K_ff(t, t) behind every op of every stage, `[stage][op][position]`.
    pub(crate) variances: Vec<Vec<Vec<f64>>>,
}

impl Image {
    /// The copy g·f of a sample divided by `size`, its variances still to be found.
    pub(crate) fn new(samples: &Samples, index: usize, element: Element, size: f64) -> Image {
        let mut features: Vec<f64> = match samples {
            Samples::Vectors(x) => x.row(index).to_vec(),
            Samples::Images(x) => element.apply(x.index_axis(Axis(0), index)).iter().copied().collect(),
            Samples::Spheres(_) | Samples::Molecules(_) => Vec::new(),
        };
        if size != 1.0 {
            features.iter_mut().for_each(|x| *x /= size);
        }
        Image { features, variances: Vec::new() }
    }

    /// Whether both hold the same pixels, bit for bit.
    pub(crate) fn equals(&self, other: &Image) -> bool {
        self.features == other.features
    }

    /// Bytes an image takes.
    pub(crate) fn bytes(plan: &Plan) -> u64 {
        let positions: usize =
            plan.stages.iter().flat_map(|s| &s.ops).map(|op| op.extent[0] * op.extent[1]).sum();
        8 * (positions + plan.input.shape().iter().product::<usize>()) as u64
    }
}

/// Fills in the variances of up to one register of images, stage by stage in float64.
pub(crate) fn fill_variances(plan: &Plan, isa: Isa, images: &mut [Image]) {
    for stage in 0..plan.stages.len() {
        // Pooled variances come from whole planes of the earlier stage, of all images at once.
        let pooled: Vec<Option<Vec<Vec<f64>>>> = plan.stages[stage]
            .ops
            .iter()
            .map(|op| match op.op {
                Op::Pooled(source) => Some(pooled_variances(plan, isa, source, images)),
                _ => None,
            })
            .collect();
        for (lane, image) in images.iter_mut().enumerate() {
            let mut maps: Vec<Vec<f64>> = Vec::new();
            for (i, op) in plan.stages[stage].ops.iter().enumerate() {
                let map = match (&pooled[i], op.op) {
                    (Some(pooled), _) => pooled[lane].clone(),
                    (None, Op::Correlate) => correlate(&image.features, plan.input.channels()),
                    (None, other) => pointwise(other, plan, stage, i, &maps),
                };
                maps.push(map);
            }
            image.variances.push(maps);
        }
    }
}

fn correlate(features: &[f64], channels: usize) -> Vec<f64> {
    features.chunks_exact(channels).map(|f| f.iter().map(|x| x * x).sum::<f64>() / channels as f64).collect()
}

/// The variance behind an op, from those behind its inputs.
fn pointwise(op: Op, plan: &Plan, stage: usize, index: usize, maps: &[Vec<f64>]) -> Vec<f64> {
    let ops = &plan.stages[stage].ops;
    let inputs = &ops[index].inputs;
    let each = |f: &dyn Fn(f64) -> f64| maps[inputs[0]].iter().map(|v| f(*v)).collect();
    match op {
        Op::BoxMean(window) => {
            let (extent, output) = (ops[inputs[0]].extent, ops[index].extent);
            let (rows, cols) = (taps(&window, extent, output, 0), taps(&window, extent, output, 1));
            let v = &maps[inputs[0]];
            let area = window.area() as f64;
            let sum = |row: &Vec<usize>, col: &Vec<usize>| -> f64 {
                row.iter().map(|r| col.iter().map(|c| v[r * extent[1] + c]).sum::<f64>()).sum::<f64>() / area
            };
            rows.iter().flat_map(|row| cols.iter().map(move |col| sum(row, col))).collect()
        }
        Op::Affine(affine) => each(&|v| affine.w2 * v + affine.b2),
        Op::Dual(activation) => each(&|v| activation.variance(v)),
        Op::Normalize(over) => {
            let v = &maps[inputs[0]];
            v.iter().zip(norm_factors(v, over)).map(|(v, n)| v * n * n).collect()
        }
        Op::Dropout(keep) => each(&|v| v / keep),
        Op::Sum => {
            let mut sum = vec![0.0; maps[inputs[0]].len()];
            for &input in inputs {
                sum.iter_mut().zip(&maps[input]).for_each(|(sum, v)| *sum += v);
            }
            sum
        }
        Op::Correlate | Op::Pooled(_) | Op::Readout(_) | Op::CorrelateSphere { .. } | Op::Truncate { .. } => {
            vec![]
        }
    }
}

/// For each output index of an axis, the input indices under its window.
fn taps(
    window: &ekernel_core::Window,
    extent: [usize; 2],
    output: [usize; 2],
    axis: usize,
) -> Vec<Vec<usize>> {
    let n = extent[axis] as isize;
    let low = window.low(extent)[axis] as isize;
    (0..output[axis])
        .map(|index| {
            (0..window.size[axis])
                .map(|a| (index * window.strides[axis] + a) as isize - low)
                .filter_map(|at| match window.padding {
                    ekernel_core::Padding::Circular => Some(at.rem_euclid(n) as usize),
                    _ => (0..n).contains(&at).then_some(at as usize),
                })
                .collect()
        })
        .collect()
}

/// m(T): the mean over the window of a stage's local pool of s = √v before it, times √scale.
pub(crate) fn pool_means(plan: &Plan, source: usize, image: &Image) -> Vec<f64> {
    let stage = &plan.stages[source];
    let (Sink::LocalPool { window, scale }, Some(last)) = (&stage.sink, stage.ops.last()) else {
        return vec![];
    };
    let v = &image.variances[source][stage.ops.len() - 1];
    let [rows, cols] = [0, 1].map(|axis| taps(window, last.extent, stage.output, axis));
    let weight = scale.sqrt() / window.area() as f64;
    let mean = |row: &Vec<usize>, col: &Vec<usize>| -> f64 {
        let each = row.iter().flat_map(|r| col.iter().map(move |c| v[r * last.extent[1] + c].sqrt()));
        weight * each.sum::<f64>()
    };
    rows.iter().flat_map(|row| cols.iter().map(move |col| mean(row, col))).collect()
}

/// K(T, T) of each image's own pooled kernel.
fn pooled_variances(plan: &Plan, isa: Isa, source: usize, images: &[Image]) -> Vec<Vec<f64>> {
    let stage = &plan.stages[source];
    let positions = stage.output[0] * stage.output[1];
    if let Sink::Rewrap = stage.sink {
        return images
            .iter()
            .map(|image| image.variances[source].last().cloned().unwrap_or_default())
            .collect();
    }
    let lanes = isa.lanes::<f64>();
    let mut out = Vec::new();
    for chunk in images.chunks(lanes) {
        let refs: Vec<&Image> = chunk.iter().collect();
        let pack = Pack::<f64>::until(plan, source + 1, &refs, lanes);
        let ones = vec![1.0; lanes];
        let job = Lanes { plan, isa, lanes, first: &pack, second: &pack, twins: ones.clone(), same: ones };
        let plane = pooled_self(&job, source);
        for (lane, image) in chunk.iter().enumerate() {
            let pooled = (0..positions).map(|t| plane[t * lanes + lane]);
            out.push(if pools_defects(stage) {
                pool_means(plan, source, image)
                    .iter()
                    .zip(pooled)
                    .map(|(m, u)| (m * m - u).max(0.0))
                    .collect()
            } else {
                pooled.collect()
            });
        }
    }
    out
}

/// Readout of a stage over the lanes.
pub(crate) fn readout<T: crate::planes::Scalar>(lanes: &Lanes<'_, T>, stage: usize) -> Vec<[f64; 2]> {
    Runner::new(lanes, stage, lanes.plan.stages[stage].offsets.clone()).readout(lanes)
}
