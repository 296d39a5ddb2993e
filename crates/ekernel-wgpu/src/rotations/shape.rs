//! How large the working buffers of a stage are.

use ekernel_core::{Plan, plan::RotationStage};

use super::passes::Passes;
use crate::recorder::ITERATIONS;

/// Invocations of a workgroup, as in `rotations/grid.wgsl`.
pub(super) const WORKGROUP: u64 = 64;

/// Pairs of a chunk at most: more would only make it longer.
const MOST_LANES: u64 = 1 << 14;

/// Words of the results of a part of a ring: ΣK, Σu, ΣΘ and how many points they are.
pub(super) const WORDS: usize = 4;

/// The grid and the passes of a stage.
pub(super) struct Shape {
    pub(super) nodes: usize,
    pub(super) channels: usize,
    pub(super) passes: Passes,
}

impl Shape {
    pub(super) fn new(plan: &Plan, stage: &RotationStage) -> Shape {
        let channels = plan.input.channels();
        Shape { nodes: stage.nodes, channels, passes: Passes::new(stage, channels, plan.kinds) }
    }

    pub(super) fn circle(&self) -> usize {
        2 * self.nodes
    }

    /// Points of a ring, four at a time.
    pub(super) fn items(&self) -> usize {
        self.circle() * (self.circle() / 4 + 1)
    }

    /// Points of a part of a ring, four at a time, and the parts of a ring.
    pub(super) fn parts(&self) -> [usize; 2] {
        let lines = self.passes.passes.iter().map(|pass| pass.lines.len()).max().unwrap_or(1);
        let iterations = lines * self.passes.line() / 4 + 6;
        let items = (ITERATIONS / iterations).max(1) * WORKGROUP as usize;
        [items, self.items().div_ceil(items)]
    }

    /// Words of results per lane.
    pub(super) fn result_words(&self) -> usize {
        let [_, parts] = self.parts();
        WORDS * self.nodes * parts
    }

    /// Bytes of the largest working buffer of a ring of one lane. A byte per point counts too, so that a dispatch is short
    /// where working buffers are small.
    pub(super) fn ring_bytes(&self) -> u64 {
        let [circle, line] = [self.circle() as u64, self.passes.line() as u64];
        let lines = self.passes.passes.iter().map(|pass| pass.lines.len() as u64).max().unwrap_or(1);
        let truncates = self.passes.passes.iter().any(|pass| pass.into.is_some());
        let values = if truncates { 4 * self.passes.tracks() as u64 * circle * circle } else { 0 };
        (4 * lines * circle * line).max(4 * line * line).max(values).max(circle * circle)
    }

    /// Working buffers that are held at the same time: spectrum, lines and orders, or in a truncation spectrum, lines, values and
    /// what becomes of them in two steps.
    pub(super) fn buffers(&self) -> u64 {
        if self.passes.passes.iter().any(|pass| pass.into.is_some()) { 5 } else { 3 }
    }

    /// Lanes that working buffers of so many bytes can hold, at least 1.
    pub(super) fn max_lanes(&self, chunk_bytes: u64) -> u32 {
        let whole = self.ring_bytes() * self.nodes as u64;
        let per_lane =
            whole.max(4 * self.passes.spectrum_words as u64).max(4 * self.result_words() as u64).max(1);
        (chunk_bytes / per_lane).clamp(1, MOST_LANES) as u32
    }
}
