//! layered: a plan executed op by op, each op a dispatch over materialised kernel tensors `[lane][offset][position]` of a
//! chunk of pairs (and, where one pair is too large, of a block of offsets). It does every plan.
//!
//! One op, one file, one shader: `box_mean.rs` fills in the parameters of `shaders/layered/box_mean.wgsl`.

mod affine;
mod box_mean;
mod correlate;
mod dropout;
pub(crate) mod dual;
mod evaluate;
mod layout;
mod local_pool;
mod normalize;
mod params;
mod plane_sum;
mod pooled;
mod stages;
mod sum;
mod taps;

use std::sync::Arc;

use ekernel_core::Plan;

use crate::{
    Device, GpuError,
    host::Image,
    recorder::Recorder,
    strategy::{Lanes, Strategy},
};
use evaluate::{Block, Evaluator};
use layout::Layout;
use stages::Stages;

/// Pairs of a chunk at most: more would only make it longer.
const MOST_LANES: u64 = 4096;

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
    /// Errors: [`GpuError::TooManyTaps`], [`GpuError::Refused`].
    pub(crate) fn new(device: &Device, plan: &Arc<Plan>, stage: usize) -> Result<Layered, GpuError> {
        taps::check(plan, stage)
            .map_err(|problem| GpuError::TooManyTaps { device: device.name().to_owned(), problem })?;
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

/// Bytes of the largest plane of a stage, of one lane.
fn plane_bytes(plan: &Plan, stage: usize) -> u64 {
    let area = plan.stages[stage].ops.iter().map(|op| op.extent[0] * op.extent[1]).max();
    4 * plan.kinds.count() as u64 * area.unwrap_or(1) as u64
}

impl Strategy for Layered {
    fn name(&self) -> &'static str {
        "layered"
    }

    fn copy_words(&self) -> usize {
        self.layout.words()
    }

    fn pack(&self, image: &Image, out: &mut [f32]) {
        self.layout.pack(&self.plan, image, out);
    }

    fn result_words(&self) -> usize {
        plane_sum::WORDS * self.planes() as usize
    }

    fn max_lanes(&self, chunk_bytes: u64) -> u32 {
        let own = plane_bytes(&self.plan, self.stage) * self.planes();
        // Of an earlier stage at least one plane of every lane is there at a time.
        let earlier = (0..self.stage).map(|stage| plane_bytes(&self.plan, stage)).max().unwrap_or(0);
        let per_lane = own.max(earlier).max(4 * self.result_words() as u64).max(1);
        (chunk_bytes / per_lane).clamp(1, MOST_LANES) as u32
    }

    fn record(&self, lanes: &Lanes<'_>, recorder: &mut Recorder<'_>) -> Result<(), GpuError> {
        let [rows, cols] = self.offsets();
        let per_plane = plane_bytes(&self.plan, self.stage) * u64::from(lanes.full);
        let evaluator = Evaluator { plan: &self.plan, layout: &self.layout, stages: &self.stages, lanes };
        for block in Block::split(rows, cols, lanes.chunk_bytes / per_plane.max(1)) {
            let planes = evaluator.evaluate(self.stage, &block, recorder)?;
            evaluator.plane_sum(self.stage, &block, &planes, [rows.len(), cols.len()], recorder)?;
        }
        Ok(())
    }

    fn value(&self, words: &[u32], device: &str) -> Result<[f64; 2], GpuError> {
        plane_sum::value(&self.plan, self.stage, words, device)
    }
}
