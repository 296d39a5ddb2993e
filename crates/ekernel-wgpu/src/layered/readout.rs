//! A readout of planes, op by op: how pairs and planes are divided, and what its results are.

use std::sync::Arc;

use ekernel_core::{Plan, plan::PlaneOp};
use ekernel_cpu::float64::Image;

use super::{
    evaluate::{Block, Evaluator},
    layout::{Layout, plane_bytes},
    plane_sum,
    stages::Stages,
};
use crate::{
    Device, GpuError,
    recorder::Recorder,
    strategy::{Lanes, Recorded, Strategy},
    tensors,
};
/// Pairs of a chunk at most: more would only make it longer.
const MOST_LANES: u64 = 4096;

/// Planes of an earlier stage, of every lane of a full chunk, that there is room for at a time: each such block is a pass over
/// the pooled planes.
const EARLIER_PLANES: u64 = 16;

/// One readout, op by op.
pub(crate) struct Layered {
    plan: Arc<Plan>,
    /// The readout's stage.
    stage: usize,
    layout: Layout,
    stages: Stages,
}

impl Layered {
    /// The readout of a stage.
    ///
    /// Errors: [`GpuError::Refused`].
    pub(crate) fn new(device: &Device, plan: &Arc<Plan>, stage: usize) -> Result<Layered, GpuError> {
        let layout = Layout::new(plan, stage);
        let stages = Stages::new(device)?;
        Ok(Layered { plan: Arc::clone(plan), stage, layout, stages })
    }

    fn offsets(&self) -> &[Vec<isize>; 2] {
        &self.plan.stages[self.stage].offsets
    }

    fn planes(&self) -> u64 {
        let [rows, cols] = self.offsets();
        (rows.len() * cols.len()) as u64
    }
}

/// Working buffers that are held at the same time while a stage is evaluated, those of the stages it reads included.
fn buffers(plan: &Plan, stage: usize) -> usize {
    let (ops, facts) = (&plan.stages[stage].ops, plan.facts().of(stage));
    let (mut held, mut most) = (0, 0);
    for (i, op) in ops.iter().enumerate() {
        let below = if let PlaneOp::Pooled(source) = op.op { 1 + buffers(plan, source) } else { 0 };
        held += 1;
        most = most.max(held + below);
        held -= op.inputs.iter().filter(|&&input| facts[input].last_reader == Some(i)).count();
    }
    most
}

impl Recorded for Layered {
    fn result_words(&self) -> usize {
        plane_sum::WORDS * self.planes() as usize
    }

    fn max_lanes(&self, chunk_bytes: u64) -> u32 {
        let own = plane_bytes(&self.plan, self.stage) * self.planes();
        let earlier = |stage: usize| plane_bytes(&self.plan, stage) * EARLIER_PLANES;
        let earlier = (0..self.stage).map(earlier).max().unwrap_or(0);
        let per_lane = own.max(earlier).max(4 * self.result_words() as u64).max(1);
        (chunk_bytes / per_lane).clamp(1, MOST_LANES) as u32
    }

    fn working_bytes(&self, device: &Device, chunk_bytes: u64) -> u64 {
        let largest = (0..=self.stage).map(|stage| plane_bytes(&self.plan, stage)).max().unwrap_or(0);
        buffers(&self.plan, self.stage) as u64 * tensors::size(device, chunk_bytes.max(largest))
    }

    fn record(&self, lanes: &Lanes<'_>, recorder: &mut Recorder<'_>) -> Result<(), GpuError> {
        let [rows, cols] = self.offsets();
        let per_plane = plane_bytes(&self.plan, self.stage) * u64::from(lanes.count);
        let evaluator = Evaluator { plan: &self.plan, layout: &self.layout, stages: &self.stages, lanes };
        let blocks = Block::split(rows, cols, lanes.chunk_bytes / per_plane.max(1));
        for (at, block) in blocks.iter().enumerate() {
            recorder.part(at..at + 1, blocks.len(), |recorder| {
                let planes = evaluator.evaluate(self.stage, block, recorder)?;
                evaluator.plane_sum(self.stage, block, &planes, [rows.len(), cols.len()], recorder)
            })?;
        }
        Ok(())
    }
}

impl Strategy for Layered {
    fn name(&self) -> &'static str {
        "layered"
    }

    fn describe(&self, chunk_bytes: u64) -> String {
        let lanes = self.max_lanes(chunk_bytes);
        let pairs = if lanes == 1 { "one pair".to_owned() } else { format!("at most {lanes} pairs") };
        let mut text = format!("chunks of {pairs} in buffers of {} KiB", chunk_bytes >> 10);
        for (stage, node) in self.plan.stages.iter().enumerate().take(self.stage + 1) {
            let most = chunk_bytes / (plane_bytes(&self.plan, stage) * u64::from(lanes));
            let planes = node.offsets[0].len() * node.offsets[1].len();
            let blocks = Block::split(&node.offsets[0], &node.offsets[1], most).len();
            if blocks > 1 && self.layout.has(stage) {
                text += &format!(", the {planes} planes of stage {stage} in {blocks} blocks");
            }
        }
        text
    }

    fn copy_words(&self) -> usize {
        self.layout.words()
    }

    fn pack(&self, image: &Image, out: &mut [f32]) {
        self.layout.pack(&self.plan, image, out);
    }

    fn value(&self, words: &[u32], device: &str) -> Result<[f64; 2], GpuError> {
        plane_sum::value(&self.plan, self.stage, words, device)
    }
}
