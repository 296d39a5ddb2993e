//! What lies on the device for a session, in pages that a binding can hold, and how each readout is computed. Of images: the maps
//! of every copy of every sample.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use ekernel_core::{BackendError, Control, GroupElement, Pairs, Plan, plan::Readout};

use crate::{
    Device, GpuError, StrategyChoice, WgpuOptions,
    copies::size,
    fused::{self, Fused},
    host::Image,
    layered::Layered,
    run::CHUNKS_IN_FLIGHT,
    strategy::{Recorded, Strategy},
    tensors::Tensors,
    watch::Watch,
};

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

impl Resident<Box<dyn Strategy>> {
    /// Computes the maps of all copies on all cores and uploads them.
    pub(crate) fn new(
        device: &Device,
        plan: &Arc<Plan>,
        options: &WgpuOptions,
        (pairs, elements): (&Pairs, &[GroupElement]),
        watch: Watch<'_>,
    ) -> Result<Resident<Box<dyn Strategy>>, GpuError> {
        let strategies = strategies(device, plan, options)?;
        let sets = pairs.sets();
        let words: Vec<usize> = strategies.iter().flatten().map(|strategy| strategy.copy_words()).collect();
        let most = 4 * words.iter().max().copied().unwrap_or(1) as u64;
        let per_page = (PAGE_BYTES.min(device.largest_binding()) / most.max(1)).max(1) as usize;
        let mut readouts: Vec<Option<OnDevice<_>>> = strategies
            .into_iter()
            .map(|strategy| strategy.map(|strategy| OnDevice { strategy, pages: vec![vec![]; sets.len()] }))
            .collect();
        let (done, of) = (AtomicUsize::new(0), sets.iter().map(|set| set.len()).sum::<usize>());
        for (set, samples) in sets.iter().enumerate() {
            let sizes: Vec<f64> = (0..samples.len()).map(|index| size(plan, samples, index)).collect();
            let copies = samples.len() * elements.len();
            for start in (0..copies).step_by(per_page) {
                let count = per_page.min(copies - start);
                let image = |copy: usize| {
                    let (index, element) = (copy / elements.len(), copy % elements.len());
                    if element == 0 {
                        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                        (watch.tell)(done as f64 / of as f64);
                    }
                    Image::new(plan, samples, (index, elements[element]), sizes[index], watch.control)
                };
                let pages = pack(&readouts, (start, count), &image, watch.control)?;
                for (readout, page) in readouts.iter_mut().flatten().zip(pages) {
                    let bytes = bytemuck::cast_slice(&page);
                    let buffer = device.upload("ekernel.maps", bytes, wgpu::BufferUsages::STORAGE)?;
                    // Frees the copy that the upload made.
                    device.checked("an upload", 0, |_| device.queue().submit([]))?;
                    readout.pages[set].push(buffer);
                }
            }
        }
        Ok(Resident { device: device.clone(), readouts, per_page, spare: Mutex::default() })
    }
}

/// One page of every readout, copies `start` on, filled on all cores.
fn pack(
    readouts: &[Option<OnDevice<Box<dyn Strategy>>>],
    (start, count): (usize, usize),
    image: &(dyn Fn(usize) -> Result<Image, BackendError> + Sync),
    control: &Control,
) -> Result<Vec<Vec<f32>>, GpuError> {
    let strategies: Vec<&dyn Strategy> =
        readouts.iter().flatten().map(|readout| readout.strategy.as_ref()).collect();
    let mut pages: Vec<Vec<f32>> =
        strategies.iter().map(|strategy| vec![0.0; count * strategy.copy_words()]).collect();
    if strategies.is_empty() {
        return Ok(pages);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(count);
    let share = count.div_ceil(threads);
    std::thread::scope(|scope| {
        // Each thread gets the same copies of every page.
        let mut rests: Vec<&mut [f32]> = pages.iter_mut().map(Vec::as_mut_slice).collect();
        for first in (0..count).step_by(share) {
            let copies = share.min(count - first);
            let mine: Vec<&mut [f32]> = rests
                .iter_mut()
                .zip(&strategies)
                .map(|(rest, strategy)| {
                    let (own, other) = std::mem::take(rest).split_at_mut(copies * strategy.copy_words());
                    *rest = other;
                    own
                })
                .collect();
            let strategies = &strategies;
            scope
                .spawn(move || fill(strategies, mine, start + first..start + first + copies, image, control));
        }
    });
    control.check().map_err(|_| GpuError::Cancelled)?;
    Ok(pages)
}

fn fill(
    strategies: &[&dyn Strategy],
    mut pages: Vec<&mut [f32]>,
    copies: std::ops::Range<usize>,
    image: &(dyn Fn(usize) -> Result<Image, BackendError> + Sync),
    control: &Control,
) {
    for (at, copy) in copies.enumerate() {
        // Cancelled in between or before.
        let Ok(image) = image(copy) else { return };
        if control.is_cancelled() {
            return;
        }
        for (page, strategy) in pages.iter_mut().zip(strategies) {
            let words = strategy.copy_words();
            strategy.pack(&image, &mut page[at * words..][..words]);
        }
    }
}
