//! Lanes on the device: chunk after chunk, with what to do when the device fails. The same for planes and for SO(3).

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use ekernel_core::{BackendError, Control};
use ekernel_pairs::Watch;

use crate::{
    Device, GpuError,
    device::{SMALLEST_CHUNK, lock},
    recorder::{Pace, Readback, Recorder},
    resident::{CHUNKS_IN_FLIGHT, Resident},
    strategy::{Lanes, Recorded},
};

/// Lanes of a tile at most.
const TILE_LANES: f64 = 5e5;

/// A pair of what lies on the device: of which set and which one in it, and flags for the shaders.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane {
    pub(crate) places: [(usize, usize); 2],
    pub(crate) flags: u32,
}

impl Lane {
    pub(crate) fn new(lane: &ekernel_pairs::Lane) -> Lane {
        let flags = u32::from(lane.identical) | u32::from(lane.same) << 1;
        Lane { places: lane.units.map(|unit| (unit.set, unit.index)), flags }
    }
}

/// Pairs of a tile: a second or so of a card that does 1e12 operations in one, or of a processor; cancelling does not wait for a
/// tile. `flops` are those of a pair.
pub(crate) fn tile_pairs(device: &Device, flops: f64, lanes_per_pair: f64) -> f64 {
    let second = if device.is_software() { 2e9 } else { 5e11 };
    (second / flops.max(1.0)).min(TILE_LANES / lanes_per_pair)
}

/// What a session computes on and with.
pub(crate) struct Working<S> {
    resident: Mutex<Arc<Resident<S>>>,
    chunk_bytes: AtomicU64,
    pace: Pace,
}

impl<S> Working<S> {
    /// `wished` are the bytes that a working buffer should take at most.
    pub(crate) fn new(resident: Resident<S>, wished: u64) -> Working<S> {
        let chunk_bytes = AtomicU64::new(resident.device.chunk_bytes(wished));
        Working { resident: Mutex::new(Arc::new(resident)), chunk_bytes, pace: Pace::new() }
    }

    /// What lies on the device now: another after it was lost.
    pub(crate) fn resident(&self) -> Arc<Resident<S>> {
        Arc::clone(&lock(&self.resident))
    }

    /// Bytes that a working buffer takes at most now: fewer after memory ran out.
    pub(crate) fn chunk_bytes(&self) -> u64 {
        self.chunk_bytes.load(Ordering::Relaxed)
    }
}

/// A session whose lanes are computed in chunks.
pub(crate) trait Chunked {
    /// How one of its readouts is computed.
    type Strategy: Recorded;

    fn working(&self) -> &Working<Self::Strategy>;

    /// Everything that it needs, on a device.
    fn upload(&self, device: &Device, watch: Watch<'_>) -> Result<Resident<Self::Strategy>, BackendError>;

    /// (K, Θ) of what the results are `of`: a readout by its number, and a lane.
    ///
    /// Errors: [`GpuError::Unfinished`] if the device did not do all of its work.
    fn value(
        &self,
        strategy: &Self::Strategy,
        words: &[u32],
        of: (usize, &Lane),
        device: &str,
    ) -> Result<[f64; 2], GpuError>;

    /// (K, Θ) of every lane at a readout. A lost device is opened anew, and what was under way is repeated once; where memory
    /// runs out, chunks are halved.
    fn run(&self, index: usize, lanes: &[Lane], watch: Watch<'_>) -> Result<Vec<[f64; 2]>, BackendError> {
        let Working { chunk_bytes, .. } = self.working();
        let count = |results: &[Option<[f64; 2]>]| results.iter().flatten().count();
        let mut results: Vec<Option<[f64; 2]>> = vec![None; lanes.len()];
        // Lanes that had a result when the device was last lost.
        let mut revived: Option<usize> = None;
        loop {
            let resident = self.working().resident();
            let mut done = self.attempt(&resident, index, lanes, &mut results, watch);
            if matches!(done, Err(GpuError::OutOfMemory { .. })) {
                lock(&resident.spare).clear();
                done = resident.device.idle(watch.control).and(done);
            }
            match done {
                Ok(()) => {
                    (watch.tell)(1.0);
                    return Ok(results.into_iter().map(Option::unwrap_or_default).collect());
                }
                Err(GpuError::Lost { .. }) if revived.is_none_or(|before| before < count(&results)) => {
                    revived = Some(count(&results));
                    self.revive(&resident, watch.control)?;
                }
                Err(error @ GpuError::OutOfMemory { .. }) => {
                    let bytes = chunk_bytes.load(Ordering::Relaxed);
                    if bytes <= SMALLEST_CHUNK {
                        return Err(error.into());
                    }
                    tracing::warn!("{error}; chunks are halved to {} bytes", bytes / 2);
                    chunk_bytes.store(bytes / 2, Ordering::Relaxed);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Opens the device anew and uploads everything again, unless another thread has done so.
    fn revive(&self, lost: &Arc<Resident<Self::Strategy>>, control: &Control) -> Result<(), BackendError> {
        let mut resident = lock(&self.working().resident);
        if Arc::ptr_eq(&resident, lost) {
            // The watch of a tile hears of the tile alone.
            *resident = Arc::new(self.upload(&lost.device.reopen()?, Watch::silent(control))?);
        }
        Ok(())
    }

    /// Computes the lanes that have no result yet.
    fn attempt(
        &self,
        resident: &Resident<Self::Strategy>,
        index: usize,
        lanes: &[Lane],
        results: &mut [Option<[f64; 2]>],
        watch: Watch<'_>,
    ) -> Result<(), GpuError> {
        let Some(readout) = &resident.readouts[index] else { return Ok(()) };
        let (device, strategy) = (&resident.device, &readout.strategy);
        let page = |(set, number): (usize, usize)| (set, number / resident.per_page);
        let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, lane) in lanes.iter().enumerate().filter(|(at, _)| results[*at].is_none()) {
            groups.entry(lane.places.map(page)).or_default().push(at);
        }
        let tensors = lock(&resident.spare).pop().unwrap_or_default();
        let mut recorder = Recorder::new(device, &self.working().pace, watch, tensors);
        let mut begun = lanes.len() - groups.values().map(Vec::len).sum::<usize>();
        let mut under_way: VecDeque<(Readback, Vec<usize>)> = VecDeque::new();
        let words = strategy.result_words();
        let mut collect = |recorder: &mut Recorder<'_>, (readback, ids): (Readback, Vec<usize>)| {
            let found = recorder.finish(&readback)?;
            for (id, words) in ids.into_iter().zip(found.chunks(words)) {
                results[id] = Some(self.value(strategy, words, (index, &lanes[id]), device.name())?);
            }
            Ok::<(), GpuError>(())
        };
        let chunk_bytes = self.working().chunk_bytes();
        let most = strategy.max_lanes(chunk_bytes) as usize;
        for (pages, ids) in groups {
            for ids in ids.chunks(most) {
                let place = |(_, number): (usize, usize)| (number % resident.per_page) as u32;
                let data: Vec<[u32; 4]> = ids
                    .iter()
                    .map(|&id| {
                        let [first, second] = lanes[id].places.map(place);
                        [first, second, lanes[id].flags, 0]
                    })
                    .collect();
                let storage = wgpu::BufferUsages::STORAGE;
                let lane_buffer = device.upload("ekernel.lanes", bytemuck::cast_slice(&data), storage)?;
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
                let part = begun..begun + ids.len();
                recorder.part(part.clone(), lanes.len(), |recorder| strategy.record(&chunk, recorder))?;
                begun = part.end;
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

#[cfg(test)]
mod tests {
    use ekernel_testnets::gpu;

    use super::*;
    use crate::resident::OnDevice;

    /// What happens to a chunk.
    #[derive(Clone, Copy)]
    enum Fate {
        Done,
        NoMemory,
        Lost,
    }

    /// The fates of the next chunks, and of each how much was held on the device when it was recorded.
    #[derive(Default)]
    struct Script {
        fates: Mutex<VecDeque<Fate>>,
        held: Mutex<Vec<Option<usize>>>,
    }

    struct Scripted(Arc<Script>);

    impl Recorded for Scripted {
        fn result_words(&self) -> usize {
            1
        }

        fn max_lanes(&self, _: u64) -> u32 {
            1
        }

        fn working_bytes(&self, _: &Device, _: u64) -> u64 {
            0
        }

        fn record(&self, _: &Lanes<'_>, recorder: &mut Recorder<'_>) -> Result<(), GpuError> {
            let device = recorder.device();
            let held = device.wgpu().generate_allocator_report().map(|report| report.allocations.len());
            lock(&self.0.held).push(held);
            recorder.clear(&device.storage("a buffer", 1 << 20)?);
            match lock(&self.0.fates).pop_front() {
                None | Some(Fate::Done) => Ok(()),
                Some(Fate::NoMemory) => {
                    recorder.submit()?;
                    Err(device.out_of_memory("a buffer", 1 << 20))
                }
                Some(Fate::Lost) => Err(device.lost("")),
            }
        }
    }

    type Values = Result<Vec<[f64; 2]>, BackendError>;

    struct Session {
        script: Arc<Script>,
        working: Working<Scripted>,
        /// What was told of the work.
        told: Mutex<Vec<f64>>,
    }

    fn resident(device: &Device, script: &Arc<Script>) -> Result<Resident<Scripted>, GpuError> {
        let pages = vec![vec![device.storage("a page", 4)?]];
        let readouts = vec![Some(OnDevice { strategy: Scripted(Arc::clone(script)), pages })];
        Ok(Resident { device: device.clone(), readouts, per_page: 1 << 10, spare: Mutex::default() })
    }

    impl Chunked for Session {
        type Strategy = Scripted;

        fn working(&self) -> &Working<Scripted> {
            &self.working
        }

        fn upload(&self, device: &Device, _: Watch<'_>) -> Result<Resident<Scripted>, BackendError> {
            Ok(resident(device, &self.script)?)
        }

        fn value(
            &self,
            _: &Scripted,
            _: &[u32],
            (_, lane): (usize, &Lane),
            _: &str,
        ) -> Result<[f64; 2], GpuError> {
            Ok([lane.flags.into(), 0.0])
        }
    }

    /// What eight lanes, each a chunk of its own, give; and the session.
    fn run(fates: &[Fate]) -> Option<(Values, Session)> {
        let Ok(choice) = gpu::adapter()?.parse();
        let device = gpu::opened(Device::open_blocking(&choice));
        let script =
            Arc::new(Script { fates: Mutex::new(fates.iter().copied().collect()), ..Script::default() });
        let working = Working::new(resident(&device, &script).expect("memory"), 1 << 18);
        device.idle(&Control::new()).expect("idle");
        let session = Session { script, working, told: Mutex::default() };
        let lanes: Vec<Lane> = (0..8).map(|flags| Lane { places: [(0, 0); 2], flags }).collect();
        let (control, tell) = (Control::new(), |part| lock(&session.told).push(part));
        let found = session.run(0, &lanes, Watch { control: &control, tell: &tell });
        Some((found, session))
    }

    fn all() -> Vec<[f64; 2]> {
        (0..8).map(|lane| [f64::from(lane), 0.0]).collect()
    }

    /// A smaller chunk is tried when the device has let go of the larger one.
    #[test]
    fn what_found_no_memory_is_released_before_the_next_attempt() {
        let Some((found, session)) = run(&[Fate::NoMemory, Fate::NoMemory]) else { return };
        assert_eq!(found.expect("computed"), all());
        assert_eq!(session.working.chunk_bytes(), 1 << 16);
        let told = lock(&session.told);
        assert!(told.is_sorted() && told.len() > 4 && told.last() == Some(&1.0), "{told:?}");
        let held = lock(&session.script.held);
        assert!(held[1] == held[0] && held[2] == held[0] && held.len() == 10, "{held:?}");
    }

    /// Results come when more chunks than [`CHUNKS_IN_FLIGHT`] are under way, here of the third.
    #[test]
    fn a_device_is_opened_anew_as_long_as_there_is_progress() {
        use Fate::{Done, Lost};
        let Some((found, _)) = run(&[Done, Done, Done, Lost, Done, Done, Done, Lost]) else { return };
        assert_eq!(found.expect("computed"), all());
        let Some((found, _)) = run(&[Done, Done, Done, Lost, Done, Lost]) else { return };
        let error = found.expect_err("lost twice");
        assert!(
            matches!(&error, BackendError::Device { problem, .. } if problem.contains("lost")),
            "{error}"
        );
    }
}
