//! What is computed once per image: its transformed copies and the variance of every op at every position.

use ekernel_core::{
    GroupElement, Samples,
    plan::{Op, Plan, Sink, Variances},
};

use crate::{
    planes::{Lanes, Pack, Runner, pooled_self},
    simd::Isa,
};

/// One copy of an image and the variances along the plan.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// Pixels `[row][col][channel]` of g·f.
    pub(crate) features: Vec<f64>,
    /// K_ff(t, t) behind every op of every stage, `[stage][op][position]`.
    pub(crate) variances: Variances,
}

impl Image {
    /// The copy g·f of a sample divided by `size`, its variances still to be found.
    pub(crate) fn new(samples: &Samples, index: usize, element: GroupElement, size: f64) -> Image {
        Image { features: samples.copy(index, element, size), variances: Vec::new() }
    }

    /// [`Plan::spoils_float32`] of its variances, once they are filled in.
    pub(crate) fn spoils_float32(&self, plan: &Plan) -> bool {
        plan.spoils_float32(&self.variances)
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
            for (i, pooled) in pooled.iter().enumerate() {
                let pixels = (&image.features[..], plan.input.channels());
                maps.push(match pooled {
                    Some(pooled) => pooled[lane].clone(),
                    None => plan.stages[stage].variances(i, pixels, &maps),
                });
            }
            image.variances.push(maps);
        }
    }
}

/// K(T, T) of each image's own pooled kernel.
fn pooled_variances(plan: &Plan, isa: Isa, source: usize, images: &[Image]) -> Vec<Vec<f64>> {
    let stage = &plan.stages[source];
    let positions = stage.output[0] * stage.output[1];
    if let Sink::Rewrap = stage.sink {
        return images
            .iter()
            .map(|image| image.variances[source].last().cloned().expect("a stage has at least one op"))
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
            out.push(plan.pooled_variances(source, &image.variances, pooled));
        }
    }
    out
}

/// Readout of a stage over the lanes.
pub(crate) fn readout<T: crate::planes::Scalar>(lanes: &Lanes<'_, T>, stage: usize) -> Vec<[f64; 2]> {
    Runner::new(lanes, stage, lanes.plan.stages[stage].offsets.clone()).readout(lanes)
}
