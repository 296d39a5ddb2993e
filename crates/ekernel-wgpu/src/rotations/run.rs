//! Pairs of units on the device: chunk after chunk, with what to do when the device fails.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, atomic::Ordering},
};

use ekernel_core::{BackendError, Control};

use super::{
    resident::Resident,
    session::{Lane, RotationSession, SMALLEST_CHUNK},
    stage::Lanes,
};
use crate::{
    GpuError,
    device::lock,
    recorder::{Readback, Recorder},
};

/// Chunks whose results are still under way.
const CHUNKS_IN_FLIGHT: usize = 2;

impl RotationSession<'_> {
    /// (K, Θ) of every lane behind a stage. A lost device is opened anew once; where memory runs out, chunks are halved.
    pub(super) fn run(
        &self,
        stage: usize,
        lanes: &[Lane],
        control: &Control,
    ) -> Result<Vec<[f64; 2]>, BackendError> {
        let mut results: Vec<Option<[f64; 2]>> = vec![None; lanes.len()];
        let mut revived = false;
        loop {
            let resident = Arc::clone(&lock(&self.resident));
            match self.attempt(&resident, stage, lanes, &mut results, control) {
                Ok(()) => return Ok(results.into_iter().map(Option::unwrap_or_default).collect()),
                Err(GpuError::Lost { .. }) if !revived => {
                    revived = true;
                    self.revive(&resident, control)?;
                }
                Err(error @ GpuError::OutOfMemory { .. }) => {
                    let bytes = self.chunk_bytes.load(Ordering::Relaxed);
                    if bytes <= SMALLEST_CHUNK {
                        return Err(error.into());
                    }
                    tracing::warn!("{error}; chunks are halved to {} bytes", bytes / 2);
                    self.chunk_bytes.store(bytes / 2, Ordering::Relaxed);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Opens the device anew and uploads everything again, unless another thread has done so.
    fn revive(&self, lost: &Arc<Resident>, control: &Control) -> Result<(), BackendError> {
        let mut resident = lock(&self.resident);
        if Arc::ptr_eq(&resident, lost) {
            tracing::warn!("{} was lost; it is opened anew", lost.device.describe());
            let (anew, _) = Resident::new(&lost.device.reopen()?, &self.maker(&self.samples()), control)?;
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
        let on_device = &resident.stages[index];
        let stage = &on_device.stage;
        let page = |(set, unit): (usize, usize)| (set, unit / resident.per_page);
        let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, lane) in lanes.iter().enumerate().filter(|(at, _)| results[*at].is_none()) {
            groups.entry(lane.units.map(page)).or_default().push(at);
        }
        let tensors = lock(&resident.spare).pop().unwrap_or_default();
        let mut recorder = Recorder::new(&resident.device, &self.pace, control, tensors);
        let mut under_way: VecDeque<(Readback, Vec<usize>)> = VecDeque::new();
        let words = stage.shape.result_words();
        let mut collect = |recorder: &mut Recorder<'_>, (readback, ids): (Readback, Vec<usize>)| {
            let found = recorder.finish(&readback)?;
            for (id, words) in ids.into_iter().zip(found.chunks(words)) {
                let [first, second] = lanes[id].units.map(|(set, unit)| &self.sets[set].units[unit]);
                let [v, vp] =
                    [first, second].map(|unit| unit.variances[index].last().copied().unwrap_or(0.0));
                let size = first.size * second.size;
                let value = stage.value(words, v.sqrt() * vp.sqrt() / size)?;
                // What is not a number is computed again in float64.
                let fits = first.fits && second.fits;
                results[id] = Some(value.map(|x| if fits { x * size } else { f64::NAN }));
            }
            Ok::<(), GpuError>(())
        };
        let chunk_bytes = self.chunk_bytes.load(Ordering::Relaxed);
        let full = stage.shape.max_lanes(chunk_bytes) as usize;
        for (pages, ids) in groups {
            for ids in ids.chunks(full) {
                let data: Vec<[u32; 4]> = ids
                    .iter()
                    .map(|&id| {
                        let [first, second] =
                            lanes[id].units.map(|(_, unit)| (unit % resident.per_page) as u32);
                        [first, second, 0, 0]
                    })
                    .collect();
                let device = &resident.device;
                let storage = wgpu::BufferUsages::STORAGE;
                let lane_buffer = device.upload("ekernel.lanes", bytemuck::cast_slice(&data), storage)?;
                let bytes = 4 * (words * ids.len()) as u64;
                let output = device.storage("ekernel.results", bytes)?;
                let chunk = Lanes {
                    count: ids.len() as u32,
                    lanes: &lane_buffer,
                    pages: pages.map(|(set, page)| &on_device.pages[set][page]),
                    results: &output,
                    chunk_bytes,
                };
                stage.record(&chunk, &mut recorder)?;
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
