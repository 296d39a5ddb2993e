//! What a plan costs per pair: elements, nominal flops, bytes.

use std::collections::HashMap;

use super::{Plan, PlaneOp, Pointwise, Readout, RotationStage, Sink, SphereOp, Stage};

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

/// The cost of one stage on SO(3) per pair of signals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RotationCost {
    /// Number of grid points.
    pub points: u64,
    /// Nominal floating point operations.
    pub flops: u64,
    /// Bytes of float32 working memory for one pair: coefficients, and the values alive at once on one ring of the grid.
    pub bytes: u64,
}

/// The cost of a plan per pair of samples; of molecules, per pair of atoms.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// Per stage, for one orbit element.
    pub stages: Vec<StageCost>,
    /// Orbit elements per pair, for each stage.
    pub orbit: Vec<u64>,
    /// Per stage on SO(3).
    pub rotations: Vec<RotationCost>,
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
                if let PlaneOp::Pooled(source) = op.op {
                    orbit[source] = orbit[i];
                }
            }
        }
        let group = self.group.map_or(1, |group| group.order() as u64);
        let largest =
            self.stages.iter().flat_map(|stage| &stage.ops).map(|op| op.at.positions() as u64).max();
        let rotations: Vec<RotationCost> =
            self.rotations.iter().map(|stage| self.rotation_cost(stage)).collect();
        let planar = largest.map_or(0, |n| times(&[kinds * F32, group, group, n, n]));
        // The literal recursion has a pair of rotations at every entry, on 2L × (2L−1)² points each.
        let spherical = self.rotations.iter().map(|stage| {
            let n = 2 * stage.bandlimit as u64;
            let points = n * (n - 1) * (n - 1);
            (kinds * F32).saturating_mul(points).saturating_mul(points)
        });
        let flops = stages.iter().zip(&orbit).map(|(stage, orbit)| times(&[stage.flops, *orbit]));
        let bytes = stages.iter().map(|stage| stage.bytes);
        Cost {
            flops: plus(flops.chain(rotations.iter().map(|stage| stage.flops))),
            bytes: plus(bytes.chain(rotations.iter().map(|stage| stage.bytes))),
            tensor_bytes: spherical.fold(planar, u64::max),
            stages,
            orbit,
            rotations,
        }
    }

    /// An inverse transform sums over l for each ring and pair of orders, then over the orders along α and along γ; a
    /// forward one is its mirror image. Real signals, so that L(4L²−1)/3 coefficients are as many real numbers.
    fn rotation_cost(&self, stage: &RotationStage) -> RotationCost {
        let kinds = self.kinds.count() as u64;
        let points = stage.points() as u64;
        let [rings, circle] = [stage.nodes as u64, 2 * stage.nodes as u64];
        let coefficients = |l: usize| (l * (4 * l * l - 1) / 3) as u64;
        let transform = |l: usize| {
            let orders = 2 * l as u64 - 1;
            2 * rings * (coefficients(l) + orders * circle * orders + circle * circle * orders)
        };
        let (mut flops, mut held) = (points * kinds * 2, 0);
        for node in &stage.ops {
            flops += match &node.op {
                SphereOp::Correlate { bandlimit } => {
                    held += coefficients(*bandlimit);
                    times(&[2, self.input.channels() as u64, coefficients(*bandlimit)])
                        .saturating_add(transform(*bandlimit))
                }
                SphereOp::Truncate { bandlimit } => {
                    held += kinds * coefficients(*bandlimit);
                    2 * kinds * transform(*bandlimit)
                }
                // The factors of a normalisation are one for all points.
                SphereOp::Pointwise(Pointwise::Normalize(_)) => points * kinds,
                SphereOp::Pointwise(op) => points * op.flops(kinds, node.inputs.len() as u64),
            };
        }
        let alive = stage.ops.most_alive() as u64;
        RotationCost { points, flops, bytes: F32 * (held + kinds * alive * circle * circle) }
    }

    fn stage_cost(&self, stage: &Stage) -> StageCost {
        let kinds = self.kinds.count() as u64;
        let (mut elements, mut flops) = (0_u64, 0_u64);
        // Ops of one extent, step and wrapping have equally many elements.
        let mut counted: HashMap<_, u64> = HashMap::new();
        for op in &stage.ops {
            let count = *counted.entry((op.at.extent, op.at.step, op.at.cyclic)).or_insert_with(|| {
                let along = |axis: usize| {
                    let span =
                        |offset: &isize| op.at.span(axis, offset * op.at.step[axis] as isize).len() as u64;
                    plus(stage.offsets[axis].iter().map(span))
                };
                times(&[along(0), along(1)])
            });
            let per_element = match &op.op {
                PlaneOp::Correlate => 2 * self.input.channels() as u64,
                PlaneOp::BoxMean(window) => kinds * (window.size[0] + window.size[1] - 1) as u64,
                PlaneOp::Pooled(_) => 0,
                PlaneOp::Pointwise(pointwise) => pointwise.flops(kinds, op.inputs.len() as u64),
            };
            if per_element > 0 {
                elements = count.saturating_add(elements);
                flops = times(&[count, per_element]).saturating_add(flops);
            }
        }
        let area = stage.ops.iter().map(|op| op.at.positions() as u64).max().unwrap_or(0);
        let pooled = match stage.sink {
            Sink::LocalPool { window, .. } => {
                let rows = (2 * window.size[0] - 1).div_ceil(window.strides[0]) as u64;
                let cols = (2 * stage.output[1]).saturating_sub(1) as u64;
                // The sums, and what rounding has added to them.
                times(&[2, rows, cols, (stage.output[0] * stage.output[1]) as u64])
            }
            _ => 0,
        };
        let live = stage.ops.most_alive() as u64;
        StageCost {
            planes: (stage.offsets[0].len() * stage.offsets[1].len()) as u64,
            elements,
            flops,
            bytes: times(&[F32 * kinds, times(&[live, area]).saturating_add(pooled)]),
        }
    }
}

/// Saturating product.
fn times(factors: &[u64]) -> u64 {
    factors.iter().fold(1, |product, factor| product.saturating_mul(*factor))
}

/// Saturating sum.
fn plus(terms: impl Iterator<Item = u64>) -> u64 {
    terms.fold(0, u64::saturating_add)
}
