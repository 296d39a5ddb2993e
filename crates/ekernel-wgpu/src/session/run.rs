//! Lanes on the device: chunk after chunk, with what to do when the device fails.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, atomic::Ordering},
};

use ekernel_core::Control;

use super::{Lane, SMALLEST_CHUNK, WgpuSession};
use crate::{
    GpuError,
    device::lock,
    recorder::{Readback, Recorder},
    resident::Resident,
    strategy::Lanes,
};

/// Chunks whose results are still under way.
pub(crate) const CHUNKS_IN_FLIGHT: usize = 2;

impl WgpuSession<'_> {
    /// (K, Θ) of every lane at a readout. A lost device is opened anew, and what was under way is repeated once; where memory
    /// runs out, chunks are halved.
    pub(super) fn run(
        &self,
        index: usize,
        lanes: &[Lane],
        control: &Control,
    ) -> Result<Vec<[f64; 2]>, GpuError> {
        let count = |results: &[Option<[f64; 2]>]| results.iter().flatten().count();
        let mut results: Vec<Option<[f64; 2]>> = vec![None; lanes.len()];
        // Lanes that had a result when the device was last lost.
        let mut revived: Option<usize> = None;
        loop {
            let resident = Arc::clone(&lock(&self.resident));
            match self.attempt(&resident, index, lanes, &mut results, control) {
                Ok(()) => return Ok(results.into_iter().map(Option::unwrap_or_default).collect()),
                Err(GpuError::Lost { .. }) if revived.is_none_or(|before| before < count(&results)) => {
                    revived = Some(count(&results));
                    self.revive(&resident, control)?;
                }
                Err(error @ GpuError::OutOfMemory { .. }) => {
                    let bytes = self.chunk_bytes.load(Ordering::Relaxed);
                    if bytes <= SMALLEST_CHUNK {
                        return Err(error);
                    }
                    tracing::warn!("{error}; chunks are halved to {} bytes", bytes / 2);
                    self.chunk_bytes.store(bytes / 2, Ordering::Relaxed);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Opens the device anew and uploads everything again, unless another thread has done so.
    fn revive(&self, lost: &Arc<Resident>, control: &Control) -> Result<(), GpuError> {
        let mut resident = lock(&self.resident);
        if Arc::ptr_eq(&resident, lost) {
            let device = lost.device.reopen()?;
            let anew =
                Resident::new(&device, &self.plan, &self.options, (self.pairs, &self.elements), control)?;
            *resident = Arc::new(anew);
        }
        Ok(())
    }

    /// Computes the lanes that have no result yet.
    fn attempt(
        &self,
        resident: &Resident,
        index: usize,
        lanes: &[Lane],
        results: &mut [Option<[f64; 2]>],
        control: &Control,
    ) -> Result<(), GpuError> {
        let Some(readout) = &resident.readouts[index] else { return Ok(()) };
        let strategy = readout.strategy.as_ref();
        let page = |(set, copy): (usize, usize)| (set, copy / resident.per_page);
        let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, lane) in lanes.iter().enumerate().filter(|(at, _)| results[*at].is_none()) {
            groups.entry(lane.copies.map(page)).or_default().push(at);
        }
        let tensors = lock(&resident.spare).pop().unwrap_or_default();
        let mut recorder = Recorder::new(&resident.device, &self.pace, control, tensors);
        let mut under_way: VecDeque<(Readback, Vec<usize>)> = VecDeque::new();
        let words = strategy.result_words();
        let mut collect = |recorder: &mut Recorder<'_>, (readback, ids): (Readback, Vec<usize>)| {
            let found = recorder.finish(&readback)?;
            for (id, words) in ids.into_iter().zip(found.chunks(words)) {
                results[id] = Some(strategy.value(words, resident.device.name())?);
            }
            Ok::<(), GpuError>(())
        };
        let chunk_bytes = self.chunk_bytes.load(Ordering::Relaxed);
        let most = strategy.max_lanes(chunk_bytes) as usize;
        for (pages, ids) in groups {
            for ids in ids.chunks(most) {
                let data: Vec<[u32; 4]> = ids
                    .iter()
                    .map(|&id| {
                        let [first, second] =
                            lanes[id].copies.map(|(_, copy)| (copy % resident.per_page) as u32);
                        [first, second, lanes[id].flags, 0]
                    })
                    .collect();
                let device = &resident.device;
                let lane_buffer = device.upload(
                    "ekernel.lanes",
                    bytemuck::cast_slice(&data),
                    wgpu::BufferUsages::STORAGE,
                )?;
                let bytes = 4 * (words * ids.len()) as u64;
                let output = device.storage("ekernel.results", bytes)?;
                let [first, second] = pages.map(|(set, page)| &readout.pages[set][page]);
                let chunk = Lanes {
                    count: ids.len() as u32,
                    lanes: &lane_buffer,
                    first,
                    second,
                    results: &output,
                    chunk_bytes,
                };
                strategy.record(&chunk, &mut recorder)?;
                let readback = recorder.read(&output, bytes)?;
                recorder.submit()?;
                under_way.push_back((readback, ids.to_vec()));
                if under_way.len() > CHUNKS_IN_FLIGHT
                    && let Some(oldest) = under_way.pop_front()
                {
                    collect(&mut recorder, oldest)?;
                }
            }
        }
        under_way.into_iter().try_for_each(|chunk| collect(&mut recorder, chunk))?;
        lock(&resident.spare).push(recorder.into_tensors());
        Ok(())
    }
}
