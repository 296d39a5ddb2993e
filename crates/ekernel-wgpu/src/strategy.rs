//! How one readout, and the stage that it reads, is computed on the device.

use std::fmt;

use ekernel_cpu::float64::Image;

use crate::{Device, GpuError, recorder::Recorder};

/// Pairs of copies of samples, or of units on the sphere, that lie in one page each.
pub(crate) struct Lanes<'a> {
    /// How many.
    pub(crate) count: u32,
    /// Per lane: the first one's place in its page, the second's, flags of copies (1: bit for bit equal, 2: one sample), 0.
    pub(crate) lanes: &'a wgpu::Buffer,
    /// The page of the first ones.
    pub(crate) first: &'a wgpu::Buffer,
    /// The page of the second ones.
    pub(crate) second: &'a wgpu::Buffer,
    /// [`Recorded::result_words`] per lane, zeros before.
    pub(crate) results: &'a wgpu::Buffer,
    /// Bytes that one working buffer should take at most; halved when the device runs out of memory.
    pub(crate) chunk_bytes: u64,
}

/// What chunks of lanes are recorded with.
pub(crate) trait Recorded: Send + Sync {
    /// Words per lane that [`Recorded::record`] leaves in the results.
    fn result_words(&self) -> usize;

    /// Lanes that working buffers of so many bytes can hold, at least 1.
    fn max_lanes(&self, chunk_bytes: u64) -> u32;

    /// Bytes of working buffers that it holds at the same time, of chunks of so many.
    fn working_bytes(&self, device: &Device, chunk_bytes: u64) -> u64;

    /// Records all dispatches for some lanes.
    fn record(&self, lanes: &Lanes<'_>, recorder: &mut Recorder<'_>) -> Result<(), GpuError>;
}

impl<S: Recorded + ?Sized> Recorded for Box<S> {
    fn result_words(&self) -> usize {
        (**self).result_words()
    }

    fn max_lanes(&self, chunk_bytes: u64) -> u32 {
        (**self).max_lanes(chunk_bytes)
    }

    fn working_bytes(&self, device: &Device, chunk_bytes: u64) -> u64 {
        (**self).working_bytes(device, chunk_bytes)
    }

    fn record(&self, lanes: &Lanes<'_>, recorder: &mut Recorder<'_>) -> Result<(), GpuError> {
        (**self).record(lanes, recorder)
    }
}

/// How one readout of planes is computed on the device.
pub(crate) trait Strategy: Recorded {
    /// "layered" or "fused".
    fn name(&self) -> &'static str;

    /// How pairs and planes are divided among dispatches, with working buffers of so many bytes.
    fn describe(&self, chunk_bytes: u64) -> String;

    /// Float32 words of maps per copy, uploaded once.
    fn copy_words(&self) -> usize;

    /// Writes the maps of one copy, [`Strategy::copy_words`] of them, zeros before.
    fn pack(&self, image: &Image, out: &mut [f32]);

    /// (K, Θ) of a lane from its results: sums in float64.
    ///
    /// Errors: [`GpuError::Unfinished`] if the device did not do all of its work.
    fn value(&self, words: &[u32], device: &str) -> Result<[f64; 2], GpuError>;
}

/// How one stage of a plan is computed on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageStrategy {
    /// Its number in the plan.
    pub stage: usize,
    /// "fused" or "layered"; "rotations" for a stage on SO(3).
    pub name: &'static str,
    /// The layout, or why it is not fused.
    pub detail: String,
}

impl fmt::Display for StageStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stage {} {}: {}", self.stage, self.name, self.detail)
    }
}
