//! In which order a stage is computed.
//!
//! A *field* is a function on SO(3) that is held by coefficients: a lifted or a truncated kernel. All other ops act at each point
//! alone. One pass over the grid evaluates the ops between fields and the input of a truncation, whose coefficients it gives;
//! the last one the readout.

use ekernel_core::{
    Activation, KernelSet,
    plan::{Pointwise, RotationStage, SphereOp},
};
use ekernel_harmonic::{rotation_len, sphere_len};
use ekernel_shaders::{PointSink, PointStep, RotationPoint};

use crate::layered::dual::family;

/// A function that is held by coefficients.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// The op whose values it is.
    pub(super) op: usize,
    /// L.
    pub(super) bandlimit: usize,
    /// Where it begins among the coefficients of a lane.
    pub(super) spectrum_at: usize,
    pub(super) origin: Origin,
}

/// Where a field comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The signals: the sum of squares of all degrees but the first, and `[packed lm][channel]` over √q, at this word of a unit.
    Lift { unit_at: usize },
    /// The low degrees of an op.
    Truncate { input: usize },
}

/// One function on lines of constant α: K of a field, or its Θ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) field: usize,
    pub(super) ntk: bool,
}

/// One pass over the grid.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    /// The field whose coefficients it gives; the readout's pass has none.
    pub(super) into: Option<usize>,
    /// What is evaluated at each point, fields included, each op after those it reads; the last one is the op that the pass is for.
    pub(super) ops: Vec<usize>,
    /// Which functions must lie on lines.
    pub(super) lines: Vec<Line>,
    /// Whether K is an odd function of cos θ, and so smaller than √(vv') by far where signals are far apart.
    pub(super) odd: bool,
}

/// The fields and passes of a stage.
#[derive(Clone, Debug)]
pub(super) struct Passes {
    pub(super) fields: Vec<Field>,
    pub(super) passes: Vec<Pass>,
    /// Words of a lane's coefficients.
    pub(super) spectrum_words: usize,
    /// Words of a unit: four for each op, then the lifts.
    pub(super) unit_words: usize,
    pub(super) ntk: bool,
}

impl Passes {
    pub(super) fn new(stage: &RotationStage, channels: usize, kinds: KernelSet) -> Passes {
        let ntk = kinds == KernelSet::Both;
        let (mut spectrum_words, mut unit_words) = (0, 4 * stage.ops.len());
        let mut fields = Vec::new();
        for (op, step) in stage.ops.iter().enumerate() {
            let (bandlimit, origin, words) = match step.op {
                SphereOp::Correlate { bandlimit } => {
                    let unit_at = unit_words;
                    unit_words += 1 + sphere_len(bandlimit) * channels;
                    // Behind the coefficients lies the mean defect.
                    (bandlimit, Origin::Lift { unit_at }, rotation_len(bandlimit) + 1)
                }
                SphereOp::Truncate { bandlimit } => {
                    let tracks = 1 + usize::from(ntk);
                    (bandlimit, Origin::Truncate { input: step.inputs[0] }, tracks * rotation_len(bandlimit))
                }
                _ => continue,
            };
            fields.push(Field { op, bandlimit, spectrum_at: spectrum_words, origin });
            spectrum_words += words;
        }
        let mut found = Passes { fields, passes: Vec::new(), spectrum_words, unit_words, ntk };
        let truncations: Vec<(Option<usize>, usize)> = found
            .fields
            .iter()
            .enumerate()
            .filter_map(|(at, field)| match field.origin {
                Origin::Truncate { input } => Some((Some(at), input)),
                Origin::Lift { .. } => None,
            })
            .collect();
        let last = (None, stage.ops.len() - 1);
        found.passes =
            truncations.into_iter().chain([last]).map(|(into, op)| found.pass(stage, into, op)).collect();
        found
    }

    fn pass(&self, stage: &RotationStage, into: Option<usize>, target: usize) -> Pass {
        let mut needed = vec![false; target + 1];
        needed[target] = true;
        for at in (0..=target).rev() {
            if needed[at] && self.field_of(at).is_none() {
                stage.ops[at].inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        let ops: Vec<usize> = (0..=target).filter(|&at| needed[at]).collect();
        let lines = ops.iter().filter_map(|&op| self.field_of(op)).flat_map(|field| {
            let carries = self.ntk && matches!(self.fields[field].origin, Origin::Truncate { .. });
            let of = |ntk| Line { field, ntk };
            std::iter::once(of(false)).chain(carries.then(|| of(true)))
        });
        let odd = ops.iter().all(|&op| is_odd(&stage.ops[op].op));
        Pass { into, lines: lines.collect(), ops, odd }
    }

    /// The field whose values an op is.
    pub(super) fn field_of(&self, op: usize) -> Option<usize> {
        self.fields.iter().position(|field| field.op == op)
    }

    /// Functions whose coefficients a pass gives: K, and Θ where it is asked for.
    pub(super) fn tracks(&self) -> usize {
        1 + usize::from(self.ntk)
    }

    /// Numbers of a line of the field with the most.
    pub(super) fn line(&self) -> usize {
        self.fields.iter().map(|field| 2 * field.bandlimit - 1).max().unwrap_or(1)
    }

    /// The shader of a pass.
    pub(super) fn point(&self, stage: &RotationStage, pass: &Pass) -> RotationPoint {
        let steps = pass.ops.iter().map(|&op| (op, self.step(stage, pass, op))).collect();
        let sink = if pass.into.is_some() { PointSink::Values } else { PointSink::Mean };
        let lifted = self.fields.iter().find(|field| matches!(field.origin, Origin::Lift { .. }));
        let nearness = lifted.map_or(0, |field| field.spectrum_at);
        RotationPoint { steps, sink, nearness, odd: pass.odd }
    }

    fn step(&self, stage: &RotationStage, pass: &Pass, op: usize) -> PointStep {
        let step = &stage.ops[op];
        if let Some(at) = self.field_of(op) {
            let field = &self.fields[at];
            let number = pass.lines.iter().position(|line| line.field == at).unwrap_or(0);
            let (bandlimit, first) = (field.bandlimit, field.spectrum_at);
            return match field.origin {
                Origin::Lift { .. } => PointStep::Lifted {
                    field: number,
                    bandlimit,
                    means: [first, first + rotation_len(bandlimit)],
                },
                Origin::Truncate { input } => {
                    let odd = self.passes.iter().any(|pass| pass.into == Some(at) && pass.odd);
                    PointStep::Truncated { input, field: number, bandlimit, mean: first, ntk: self.ntk, odd }
                }
            };
        }
        let input = step.inputs[0];
        match step.op {
            SphereOp::Pointwise(Pointwise::Affine(_)) => PointStep::Affine { input },
            SphereOp::Pointwise(Pointwise::Dual(activation)) => {
                PointStep::Dual { input, dual: family(activation).0 }
            }
            SphereOp::Pointwise(Pointwise::Normalize(_)) => PointStep::Normalize { input },
            SphereOp::Pointwise(Pointwise::Sum) => PointStep::Sum { inputs: step.inputs.clone() },
            // Fields are above.
            SphereOp::Pointwise(Pointwise::Dropout(_))
            | SphereOp::Correlate { .. }
            | SphereOp::Truncate { .. } => PointStep::Dropout { input },
        }
    }
}

/// Whether an op keeps an odd function of cos θ odd.
fn is_odd(op: &SphereOp) -> bool {
    match op {
        SphereOp::Pointwise(Pointwise::Dual(Activation::Erf { c, .. } | Activation::Sin { c, .. })) => {
            *c == 0.0
        }
        SphereOp::Pointwise(Pointwise::Dual(activation)) => *activation == Activation::Sign,
        SphereOp::Pointwise(Pointwise::Affine(affine)) => affine.b2 == 0.0,
        _ => true,
    }
}
