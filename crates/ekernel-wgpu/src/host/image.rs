//! One copy of a sample and its variances along the plan, in float64.

use ekernel_core::{
    BackendError, Control, Element, LayerNorm, Over, Padding, Samples, Window,
    plan::{Form, Op, Plan, Sink, Stage},
};
use ndarray::Axis;

use super::{Maps, Pair};

/// A copy g·f of a sample.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// Pixels `[row][col][channel]`, divided by the sample's size.
    pub(crate) features: Vec<f64>,
    /// K_ff(t, t) behind every op of every stage, `[stage][op][position]`.
    pub(crate) variances: Vec<Vec<Vec<f64>>>,
}

impl Image {
    /// The copy g·f of a sample divided by `size`, with its variances.
    ///
    /// Errors: [`BackendError::Cancelled`].
    pub(crate) fn new(
        plan: &Plan,
        samples: &Samples,
        (index, element): (usize, Element),
        size: f64,
        control: &Control,
    ) -> Result<Image, BackendError> {
        let mut image = Image { features: features(samples, index, element, size), variances: Vec::new() };
        for stage in 0..plan.stages.len() {
            let mut maps: Vec<Vec<f64>> = Vec::new();
            for (i, op) in plan.stages[stage].ops.iter().enumerate() {
                let map = match op.op {
                    Op::Pooled(source) => pooled(plan, source, &image, control)?,
                    Op::Correlate => correlate(&image.features, plan.input.channels()),
                    other => pointwise(other, &plan.stages[stage], i, &maps),
                };
                maps.push(map);
            }
            image.variances.push(maps);
        }
        Ok(image)
    }
}

/// The numbers of g·f divided by `size`.
pub(crate) fn features(samples: &Samples, index: usize, element: Element, size: f64) -> Vec<f64> {
    let mut features: Vec<f64> = match samples {
        Samples::Vectors(x) => x.row(index).to_vec(),
        Samples::Images(x) => element.apply(x.index_axis(Axis(0), index)).iter().copied().collect(),
        Samples::Spheres(_) | Samples::Molecules(_) => vec![],
    };
    if size != 1.0 {
        features.iter_mut().for_each(|x| *x /= size);
    }
    features
}

fn correlate(features: &[f64], channels: usize) -> Vec<f64> {
    features.chunks_exact(channels).map(|f| f.iter().map(|x| x * x).sum::<f64>() / channels as f64).collect()
}

/// The variance behind an op, from those behind its inputs.
fn pointwise(op: Op, stage: &Stage, index: usize, maps: &[Vec<f64>]) -> Vec<f64> {
    let inputs = &stage.ops[index].inputs;
    let each = |f: &dyn Fn(f64) -> f64| maps[inputs[0]].iter().map(|v| f(*v)).collect();
    match op {
        Op::BoxMean(window) => {
            let (extent, output) = (stage.ops[inputs[0]].extent, stage.ops[index].extent);
            let area = window.area() as f64;
            window_sums(&window, extent, output, &maps[inputs[0]], |v| v)
                .into_iter()
                .map(|x| x / area)
                .collect()
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

/// For each output position the sum of f(map) over the window.
fn window_sums(
    window: &Window,
    extent: [usize; 2],
    output: [usize; 2],
    map: &[f64],
    f: impl Fn(f64) -> f64,
) -> Vec<f64> {
    let [rows, cols] = [0, 1].map(|axis| taps(window, extent, output, axis));
    let mut sums = Vec::with_capacity(output[0] * output[1]);
    for row in &rows {
        for col in &cols {
            let of_row = |r: &usize| col.iter().map(|c| f(map[r * extent[1] + c])).sum::<f64>();
            sums.push(row.iter().map(of_row).sum());
        }
    }
    sums
}

/// For each output index of an axis, the input indices under its window.
fn taps(window: &Window, extent: [usize; 2], output: [usize; 2], axis: usize) -> Vec<Vec<usize>> {
    let n = extent[axis] as isize;
    let low = window.low(extent)[axis] as isize;
    let under = |index: usize| {
        (0..window.size[axis])
            .map(|a| (index * window.strides[axis] + a) as isize - low)
            .filter_map(|at| match window.padding {
                Padding::Circular => Some(at.rem_euclid(n) as usize),
                _ => (0..n).contains(&at).then_some(at as usize),
            })
            .collect()
    };
    (0..output[axis]).map(under).collect()
}

/// K(T, T) of the copy's own pooled kernel.
fn pooled(plan: &Plan, source: usize, image: &Image, control: &Control) -> Result<Vec<f64>, BackendError> {
    let stage = &plan.stages[source];
    if stage.sink == Sink::Rewrap {
        return Ok(image.variances[source].last().cloned().unwrap_or_default());
    }
    let maps = Maps::new(plan, image);
    let plane = Pair::new(plan, [&maps, &maps], true, true, control).pooled(source, [0, 0])?;
    Ok(if pools_defects(stage) {
        let own = pool_means(plan, source, image).into_iter().zip(plane.cov);
        // `max` would make a number of what is none.
        own.map(|(m, u)| if u > m * m { 0.0 } else { m * m - u }).collect()
    } else {
        plane.cov
    })
}

/// m(T): the mean over the window of a stage's local pool of s = √v before it, times √scale.
pub(crate) fn pool_means(plan: &Plan, source: usize, image: &Image) -> Vec<f64> {
    let stage = &plan.stages[source];
    let (Sink::LocalPool { window, scale }, Some(last)) = (&stage.sink, stage.ops.last()) else {
        return vec![];
    };
    let v = &image.variances[source][stage.ops.len() - 1];
    let weight = scale.sqrt() / window.area() as f64;
    window_sums(window, last.extent, stage.output, v, f64::sqrt).into_iter().map(|x| weight * x).collect()
}

/// Whether a stage's local pool adds up defects.
pub(crate) fn pools_defects(stage: &Stage) -> bool {
    matches!(stage.sink, Sink::LocalPool { .. }) && stage.ops.last().is_some_and(|op| op.form == Form::Defect)
}

/// 1/√(v + ε) at each position; over all axes v is its mean.
pub(crate) fn norm_factors(v: &[f64], over: Over) -> Vec<f64> {
    match over {
        Over::Channels => v.iter().map(|v| (v + LayerNorm::EPSILON).sqrt().recip()).collect(),
        Over::All => {
            let mean = v.iter().sum::<f64>() / v.len() as f64;
            vec![(mean + LayerNorm::EPSILON).sqrt().recip(); v.len()]
        }
    }
}

/// 1/s, 0 where s = 0; of what is not a number, not a number.
pub(crate) fn inverse_std(v: f64) -> f64 {
    if v == 0.0 { 0.0 } else { v.sqrt().recip() }
}
