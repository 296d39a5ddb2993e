//! What lies on the device for a session, in pages that a binding can hold, and how each readout is computed.

use std::sync::{Arc, Mutex};

use ekernel_core::{Plan, plan::Readout};

use crate::{
    Device, GpuError, StrategyChoice, WgpuOptions,
    fused::{self, Fused},
    layered::Layered,
    strategy::{Recorded, Strategy},
    tensors::Tensors,
};

/// Chunks whose results are still under way.
pub(crate) const CHUNKS_IN_FLIGHT: usize = 2;

/// Bytes of a page at most.
pub(crate) const PAGE_BYTES: u64 = 128 << 20;

/// One readout on the device.
pub(crate) struct OnDevice<S> {
    pub(crate) strategy: S,
    /// Per set its pages.
    pub(crate) pages: Vec<Vec<wgpu::Buffer>>,
}

/// All readouts on the device.
pub(crate) struct Resident<S> {
    pub(crate) device: Device,
    /// Of planes per readout, where it reads them; on SO(3) per stage.
    pub(crate) readouts: Vec<Option<OnDevice<S>>>,
    /// Copies, or units, in a page.
    pub(crate) per_page: usize,
    /// Working buffers that no recorder uses.
    pub(crate) spare: Mutex<Vec<Tensors>>,
}

/// How each readout of a plan will be computed; `None` for those of vectors.
pub(crate) fn strategies(
    device: &Device,
    plan: &Arc<Plan>,
    options: &WgpuOptions,
) -> Result<Vec<Option<Box<dyn Strategy>>>, GpuError> {
    let strategy = |readout: &Readout| -> Result<Option<Box<dyn Strategy>>, GpuError> {
        let Readout::Planes { stage, .. } = readout else { return Ok(None) };
        if options.strategy != StrategyChoice::Layered
            && let Some(fused) = Fused::new(device, plan, *stage, options.tuning)?
        {
            return Ok(Some(Box::new(fused)));
        }
        if options.strategy == StrategyChoice::Fused {
            let reason = fused::fits(device.limits(), plan, *stage, options.tuning).err().unwrap_or_default();
            return Err(GpuError::NotFused { device: device.name().to_owned(), stage: *stage, reason });
        }
        Ok(Some(Box::new(Layered::new(device, plan, *stage)?)))
    };
    plan.readouts.iter().map(strategy).collect()
}

/// The name of the strategy that [`strategies`] chooses for a stage of planes.
pub(crate) fn strategy_name(
    device: &Device,
    plan: &Plan,
    stage: usize,
    options: &WgpuOptions,
) -> &'static str {
    let fits = || fused::fits(device.limits(), plan, stage, options.tuning).is_ok();
    if options.strategy != StrategyChoice::Layered && fits() { "fused" } else { "layered" }
}

impl<S> Resident<S> {
    /// Bytes of pages on the device.
    pub(crate) fn bytes(&self) -> u64 {
        let pages = self.readouts.iter().flatten().flat_map(|readout| readout.pages.iter().flatten());
        pages.map(wgpu::Buffer::size).sum()
    }
}

impl<S: Recorded> Resident<S> {
    /// Bytes that a tile adds: working buffers, and results of chunks under way with their copies on the host.
    pub(crate) fn working_bytes(&self, chunk_bytes: u64) -> u64 {
        let strategies = || self.readouts.iter().flatten().map(|readout| &readout.strategy);
        let working = strategies().map(|strategy| strategy.working_bytes(&self.device, chunk_bytes)).max();
        let results =
            |strategy: &S| 4 * strategy.result_words() as u64 * u64::from(strategy.max_lanes(chunk_bytes));
        let under_way = 2 * (CHUNKS_IN_FLIGHT as u64 + 1);
        working.unwrap_or(0) + under_way * strategies().map(results).max().unwrap_or(0)
    }
}

/// A page on the device.
pub(crate) fn upload(device: &Device, label: &str, words: &[f32]) -> Result<wgpu::Buffer, GpuError> {
    let buffer = device.upload(label, bytemuck::cast_slice(words), wgpu::BufferUsages::STORAGE)?;
    // Frees the copy that the upload made.
    device.checked("an upload", 0, |_| device.queue().submit([]))?;
    Ok(buffer)
}
