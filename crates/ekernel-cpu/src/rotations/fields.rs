//! The ops of a stage sorted by which values on SO(3) they are functions of.
//!
//! A *field* is a function k(U) (and Θ(U)) that has to be known point by point: a lifted kernel, a truncated one, or a sum
//! of functions of several fields. Every other op is a function of one field alone: K_o = F(cos θ), Θ_o = A(cos θ)·Θ +
//! B(cos θ) with k = √(qq')·cos θ, so that a whole run of layers costs no more than one.

use ekernel_core::plan::{RotationStage, SphereOp};

/// Where the values of a field come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Origin {
    /// The cross-correlation of the signals; the index among the lifts of the stage.
    Lift(usize),
    /// The low degrees of an op.
    Truncate {
        /// The op.
        input: usize,
    },
    /// A sum of ops of several fields.
    Mix {
        /// The ops.
        inputs: Vec<usize>,
    },
}

/// One field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) origin: Origin,
    /// The op whose values it is.
    pub(super) op: usize,
    /// How many truncations lie behind it, one after the other.
    pub(super) level: usize,
    /// The bandlimit of a lift or a truncation.
    pub(super) bandlimit: usize,
}

/// The fields of a stage.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) fields: Vec<Field>,
    /// The field of each op.
    pub(super) of: Vec<usize>,
}

impl Fields {
    pub(super) fn new(stage: &RotationStage) -> Fields {
        let mut found = Fields { fields: Vec::new(), of: Vec::new() };
        let mut lifts = 0;
        for (at, op) in stage.ops.iter().enumerate() {
            let (origin, bandlimit) = match op.op {
                SphereOp::Correlate { bandlimit } => {
                    lifts += 1;
                    (Origin::Lift(lifts - 1), bandlimit)
                }
                SphereOp::Truncate { bandlimit } => (Origin::Truncate { input: op.inputs[0] }, bandlimit),
                _ => {
                    let field = found.of[op.inputs[0]];
                    if op.inputs.iter().all(|&input| found.of[input] == field) {
                        found.of.push(field);
                        continue;
                    }
                    (Origin::Mix { inputs: op.inputs.clone() }, 0)
                }
            };
            let below = op.inputs.iter().map(|&input| found.fields[found.of[input]].level).max();
            let level = below.unwrap_or(0) + usize::from(matches!(origin, Origin::Truncate { .. }));
            found.of.push(found.fields.len());
            found.fields.push(Field { origin, op: at, level, bandlimit });
        }
        found
    }

    /// The bandlimits of the lifts.
    pub(super) fn lifts(&self) -> impl Iterator<Item = usize> {
        self.fields
            .iter()
            .filter(|field| matches!(field.origin, Origin::Lift(_)))
            .map(|field| field.bandlimit)
    }

    /// The field of an op.
    pub(super) fn field(&self, op: usize) -> &Field {
        &self.fields[self.of[op]]
    }

    /// The ops on the way from the field of `op` to `op`, the field's own left out.
    pub(super) fn path(&self, stage: &RotationStage, op: usize) -> Vec<usize> {
        let origin = self.field(op).op;
        let mut needed = vec![false; op + 1];
        needed[op] = true;
        for at in (0..=op).rev() {
            if needed[at] && at != origin {
                stage.ops[at].inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        (0..=op).filter(|&at| needed[at] && at != origin).collect()
    }

    /// The largest level of any field.
    pub(super) fn levels(&self) -> usize {
        self.fields.iter().map(|field| field.level).max().unwrap_or(0)
    }
}
