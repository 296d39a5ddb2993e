//! What a plan costs per pair: elements, nominal flops, bytes.

use super::{Op, Plan, Readout, Sink, Stage};

/// The cost of one stage per pair of images (and per orbit element).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StageCost {
    /// Number of planes.
    pub planes: u64,
    /// Number of elements, summed over planes and ops that compute something at each element other than copying.
    pub elements: u64,
    /// Nominal floating point operations.
    pub flops: u64,
    /// Bytes of float32 working memory for one pair: the planes alive at once, and the rows of pooled planes.
    pub bytes: u64,
}

/// The cost of a plan per pair of samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// Per stage, for one orbit element.
    pub stages: Vec<StageCost>,
    /// Orbit elements per pair, for each stage.
    pub orbit: Vec<u64>,
    /// Nominal floating point operations per pair, orbit included.
    pub flops: u64,
    /// Float32 working memory for one pair.
    pub bytes: u64,
    /// What the largest 4-D kernel tensors of the literal recursion would take in float32.
    pub tensor_bytes: u64,
}

const F32: u64 = 4;

impl Plan {
    /// The cost per pair. Flops are nominal: they count the arithmetic of the textbook form of each op (see
    /// [`crate::Activation::flops`]), so they compare architectures; backends report what they really execute.
    pub fn cost(&self) -> Cost {
        let kinds = self.kinds.count() as u64;
        let stages: Vec<StageCost> = self.stages.iter().map(|stage| self.stage_cost(stage)).collect();
        let mut orbit = vec![1; self.stages.len()];
        for readout in &self.readouts {
            if let Readout::Planes { stage, orbit: elements } = readout {
                orbit[*stage] = elements.len() as u64;
            }
        }
        for i in (0..self.stages.len()).rev() {
            for op in &self.stages[i].ops {
                if let Op::Pooled(source) = op.op {
                    orbit[source] = orbit[i];
                }
            }
        }
        let group = self.group.map_or(1, |group| group.order() as u64);
        let largest = self
            .stages
            .iter()
            .flat_map(|stage| &stage.ops)
            .map(|op| (op.extent[0] * op.extent[1]) as u64)
            .max();
        Cost {
            flops: stages.iter().zip(&orbit).map(|(stage, orbit)| stage.flops * orbit).sum(),
            bytes: stages.iter().map(|stage| stage.bytes).sum(),
            tensor_bytes: largest.map_or(0, |n| kinds * F32 * group * group * n.saturating_mul(n)),
            stages,
            orbit,
        }
    }

    fn stage_cost(&self, stage: &Stage) -> StageCost {
        let kinds = self.kinds.count() as u64;
        let (mut elements, mut flops) = (0, 0);
        for op in &stage.ops {
            let count: u64 = (0..2)
                .map(|axis| -> u64 {
                    let span = |offset: &isize| op.span(axis, offset * op.step[axis] as isize).len() as u64;
                    stage.offsets[axis].iter().map(span).sum()
                })
                .product();
            let per_element = match &op.op {
                Op::Correlate => 2 * self.input.channels() as u64,
                Op::BoxMean(window) => kinds * (window.size[0] + window.size[1] - 1) as u64,
                Op::Affine(_) => 3 * kinds - 1,
                Op::Dual(activation) => activation.flops() + kinds - 2,
                Op::Normalize(_) => 1 + kinds,
                Op::Sum => kinds * (op.inputs.len() as u64 - 1),
                Op::Dropout(_) | Op::Pooled(_) | Op::Readout(_) => 0,
            };
            if per_element > 0 {
                elements += count;
                flops += count * per_element;
            }
        }
        let last = stage.ops.last();
        let area = stage.ops.iter().map(|op| (op.extent[0] * op.extent[1]) as u64).max().unwrap_or(0);
        let pooled = match stage.sink {
            Sink::LocalPool { window, .. } => {
                let rows = (2 * window.size[0] - 1).div_ceil(window.strides[0]) as u64;
                let cols = last.map_or(0, |_| (2 * stage.output[1]).saturating_sub(1)) as u64;
                rows * cols * (stage.output[0] * stage.output[1]) as u64
            }
            _ => 0,
        };
        StageCost {
            planes: (stage.offsets[0].len() * stage.offsets[1].len()) as u64,
            elements,
            flops,
            bytes: F32 * kinds * (live(stage) as u64 * area + pooled),
        }
    }
}

/// The largest number of ops whose planes are alive at once.
fn live(stage: &Stage) -> usize {
    let last_use: Vec<usize> = (0..stage.ops.len())
        .map(|i| stage.ops.iter().rposition(|op| op.inputs.contains(&i)).unwrap_or(stage.ops.len()))
        .collect();
    (0..stage.ops.len()).map(|now| (0..=now).filter(|&i| last_use[i] >= now).count()).max().unwrap_or(0)
}
