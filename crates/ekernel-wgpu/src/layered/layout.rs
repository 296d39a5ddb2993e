//! Where the maps of each op lie within a copy.

use ekernel_core::plan::{Plan, PlaneOp, Pointwise};

use ekernel_cpu::float64::Image;

use super::maps::Maps;

/// Word offsets of an op's maps; those it does not have are 0.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OpWords {
    pub(super) std: u32,
    pub(super) inverse: u32,
    /// v where a smooth dual reads it, s elsewhere.
    pub(super) variance: u32,
    /// Features, the factor of normalize or the window means of a pool.
    pub(super) special: u32,
    /// α of a pool.
    pub(super) loss: u32,
}

/// The maps of the stages that a readout is made of.
pub(super) struct Layout {
    /// Per stage its ops; empty for stages that belong to other readouts.
    pub(super) stages: Vec<Vec<OpWords>>,
    words: u32,
}

impl Layout {
    pub(super) fn new(plan: &Plan, readout: usize) -> Layout {
        let mut layout = Layout { stages: vec![vec![]; plan.stages.len()], words: 0 };
        let mut wanted = vec![false; plan.stages.len()];
        mark(plan, readout, &mut wanted);
        for (stage, _) in wanted.iter().enumerate().filter(|(_, wanted)| **wanted) {
            layout.stages[stage] =
                (0..plan.stages[stage].ops.len()).map(|op| layout.op(plan, stage, op)).collect();
        }
        layout
    }

    fn op(&mut self, plan: &Plan, stage: usize, index: usize) -> OpWords {
        let ops = &plan.stages[stage].ops;
        let op = &ops[index];
        let positions = (op.at.positions()) as u32;
        let mut take = |words: u32| {
            self.words += words;
            self.words - words
        };
        let (std, inverse) = (take(positions), take(positions));
        let variance = if plan.facts().of(stage)[index].variance_read { take(positions) } else { std };
        let mut words = OpWords { std, inverse, variance, special: 0, loss: 0 };
        match op.op {
            PlaneOp::Correlate => words.special = take(positions * plan.input.channels() as u32),
            PlaneOp::Pointwise(Pointwise::Normalize(_)) => words.special = take(positions),
            PlaneOp::Pooled(source) if plan.stages[source].pools_defects() => {
                (words.special, words.loss) = (take(positions), take(positions));
            }
            _ => {}
        }
        words
    }

    /// Whether the readout is made of a stage.
    pub(super) fn has(&self, stage: usize) -> bool {
        !self.stages[stage].is_empty()
    }

    /// Words of a copy.
    pub(super) fn words(&self) -> usize {
        self.words as usize
    }

    /// Writes the maps of a copy, rounded once.
    pub(super) fn pack(&self, plan: &Plan, image: &Image, out: &mut [f32]) {
        let maps = Maps::new(plan, image);
        for (stage, ops) in self.stages.iter().enumerate() {
            for (index, words) in ops.iter().enumerate() {
                let own = &maps.0[stage][index];
                let mut put = |at: u32, map: &[f64]| {
                    out[at as usize..][..map.len()].iter_mut().zip(map).for_each(|(to, x)| *to = *x as f32);
                };
                put(words.std, &own.std);
                put(words.inverse, &own.inverse);
                if words.variance != words.std {
                    put(words.variance, &own.variance);
                }
                put(words.special, if own.features.is_empty() { &own.special } else { &own.features });
                put(words.loss, &own.loss);
            }
        }
    }
}

fn mark(plan: &Plan, stage: usize, wanted: &mut [bool]) {
    wanted[stage] = true;
    for op in &plan.stages[stage].ops {
        if let PlaneOp::Pooled(source) = op.op {
            mark(plan, source, wanted);
        }
    }
}

/// Bytes of the largest plane of a stage, of one lane; pooled ones are there twice while they are added up.
pub(super) fn plane_bytes(plan: &Plan, stage: usize) -> u64 {
    let copies = |op: &PlaneOp| if matches!(op, PlaneOp::Pooled(_)) { 2 } else { 1 };
    let area = plan.stages[stage].ops.iter().map(|op| copies(&op.op) * op.at.positions()).max();
    4 * plan.kinds.count() as u64 * area.unwrap_or(1) as u64
}
