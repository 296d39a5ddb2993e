//! A readout of planes, fused: what a dispatch does of it, and what its results are.

use ekernel_core::{Plan, double::scaled};
use ekernel_cpu::float64::Image;

use super::{
    chain::Chain,
    pipeline::{self, Pipeline},
    planner::{Layout, PART_WORDS, Room},
};
use crate::{
    Device, GpuError, Tuning,
    device::largest_binding,
    recorder::Recorder,
    strategy::{Lanes, Recorded, Strategy},
};
/// Operations of a position behind a layer, about: what a dispatch's work is measured in.
const OPERATIONS: f64 = 80.0;

/// Pairs of a chunk at most.
const MOST_LANES: u64 = 1 << 16;

/// One readout, fused.
pub(crate) struct Fused {
    chain: Chain,
    layout: Layout,
    pipeline: Pipeline,
}

impl Fused {
    /// The readout of a stage; nothing where [`fits`] gives a reason.
    ///
    /// Errors: [`GpuError::Refused`] if the driver refuses the shader.
    pub(crate) fn new(
        device: &Device,
        plan: &Plan,
        stage: usize,
        tuning: Tuning,
    ) -> Result<Option<Fused>, GpuError> {
        let Ok((chain, layout)) = lay_out(device.limits(), plan, stage, tuning) else { return Ok(None) };
        let pipeline = Pipeline::new(device, &chain, &layout)?;
        Ok(Some(Fused { chain, layout, pipeline }))
    }

    /// Work of one pair.
    fn lane_work(&self) -> f64 {
        OPERATIONS * self.layout.visits() * self.chain.layers.len() as f64
    }
}

/// Whether a stage is fused.
///
/// Errors: why not.
pub(crate) fn fits(limits: &wgpu::Limits, plan: &Plan, stage: usize, tuning: Tuning) -> Result<(), String> {
    lay_out(limits, plan, stage, tuning).map(|_| ())
}

/// The module of a fused stage and its constants, as a device compiles them: for looking at the machine code.
#[derive(Clone, Debug)]
pub struct FusedShader {
    /// The module.
    pub shader: ekernel_shaders::Fused,
    /// Its `override` constants.
    pub constants: Vec<(&'static str, f64)>,
}

/// The module of a stage on a device of these limits.
///
/// # Errors
///
/// Why the stage is not fused.
pub fn fused_shader(
    plan: &Plan,
    stage: usize,
    limits: &wgpu::Limits,
    tuning: Tuning,
) -> Result<FusedShader, String> {
    let (chain, layout) = lay_out(limits, plan, stage, tuning)?;
    Ok(FusedShader { shader: layout.shader(&chain), constants: pipeline::constants(&chain, &layout) })
}

fn lay_out(
    limits: &wgpu::Limits,
    plan: &Plan,
    stage: usize,
    tuning: Tuning,
) -> Result<(Chain, Layout), String> {
    let chain = Chain::new(plan, stage)?;
    let layout = Layout::new(&chain, Room::of(limits, tuning))?;
    let (most, needed) = (largest_binding(limits), layout.largest_buffer());
    if needed > most {
        return Err(format!(
            "its planes need a buffer of {needed} bytes, and the device binds at most {most}"
        ));
    }
    Ok((chain, layout))
}

impl Recorded for Fused {
    fn result_words(&self) -> usize {
        PART_WORDS * self.layout.parts()
    }

    fn max_lanes(&self, chunk_bytes: u64) -> u32 {
        (chunk_bytes / (4 * self.result_words() as u64)).clamp(1, MOST_LANES) as u32
    }

    fn working_bytes(&self, _: &Device, _: u64) -> u64 {
        0
    }

    fn record(&self, lanes: &Lanes<'_>, recorder: &mut Recorder<'_>) -> Result<(), GpuError> {
        let chunk = self.pipeline.lanes(lanes)?;
        let parts = self.layout.parts() as u64;
        let work = self.lane_work() * f64::from(lanes.count);
        let workgroups = u64::from(lanes.count) * parts;
        recorder.pieces(workgroups, work, |recorder, piece, work| {
            recorder.reach(piece.end as f64 / workgroups as f64);
            let job = self.pipeline.job(lanes, piece.clone())?;
            let (label, pipeline) = (self.pipeline.label(), self.pipeline.get());
            recorder.dispatch(label, pipeline, &[&chunk, &job], piece.end - piece.start, work)
        })
    }
}

impl Strategy for Fused {
    fn name(&self) -> &'static str {
        "fused"
    }

    fn describe(&self, _: u64) -> String {
        self.layout.to_string()
    }

    fn copy_words(&self) -> usize {
        self.chain.entry_words() * self.chain.copy_entries()
    }

    fn pack(&self, image: &Image, out: &mut [f32]) {
        self.chain.pack(image, bytemuck::cast_slice_mut(out));
    }

    fn value(&self, words: &[u32], device: &str) -> Result<[f64; 2], GpuError> {
        let (mut nngp, mut ntk, mut found) = (0.0, 0.0, 0);
        for part in words.chunks_exact(PART_WORDS) {
            // Every part of a pair has the same unit; an unfinished one has none, and no elements.
            let unit = (part[2] as i32).saturating_add(self.chain.scale.exponent);
            let sum = |word: u32| self.chain.scale.mantissa * scaled(f64::from(f32::from_bits(word)), unit);
            nngp += sum(part[0]);
            ntk += sum(part[1]);
            found += u64::from(part[3]);
        }
        let expected = self.chain.elements();
        if found != expected {
            return Err(GpuError::Unfinished { device: device.to_owned(), found, expected });
        }
        if self.chain.is_kinked() {
            ntk -= nngp;
        }
        Ok([nngp, if self.chain.has_ntk { ntk } else { 0.0 }])
    }
}
