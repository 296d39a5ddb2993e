//! Records dispatches and submits them in bounded pieces, two in flight.
//!
//! A driver resets a device that works on one submission for some seconds. Work is counted in elements times operations; how
//! much of it takes [`SUBMISSION`] is found out as it runs.

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ekernel_pairs::Watch;

use crate::{
    Device, GpuError,
    device::lock,
    tensors::{Tensor, Tensors},
};

/// Loop iterations of an invocation at most, counted roughly: some drivers end one silently after 65535.
pub(crate) const ITERATIONS: usize = 16_384;

/// How long a submission should take.
const SUBMISSION: Duration = Duration::from_millis(150);

/// Submissions in flight.
const IN_FLIGHT: usize = 2;

/// Work of the first submission: some milliseconds on a small GPU.
const FIRST: f64 = 2e7;

/// How much work the device does in one submission, learned while running.
#[derive(Debug)]
pub(crate) struct Pace(Mutex<f64>);

impl Pace {
    pub(crate) fn new() -> Pace {
        Pace(Mutex::new(FIRST))
    }

    fn target(&self) -> f64 {
        *lock(&self.0)
    }

    /// Learns from one submission.
    fn learn(&self, work: f64, took: Duration) {
        let mut target = lock(&self.0);
        let fitting = work * SUBMISSION.as_secs_f64() / took.as_secs_f64().max(1e-4);
        // Small submissions say little about large ones: their time is that of starting and of looking. What took too long says
        // enough.
        if work > 0.5 * *target || took > SUBMISSION {
            *target = fitting.clamp(0.25 * *target, 2.0 * *target).clamp(1e5, 1e14);
        }
    }
}

struct Flight {
    done: Arc<AtomicBool>,
    work: f64,
    /// How much of all work is done with it, from 0 to 1.
    reached: f64,
    started: Instant,
}

/// A read-back under way.
pub(crate) struct Readback {
    staging: wgpu::Buffer,
    bytes: u64,
    state: Arc<Mutex<Option<bool>>>,
}

/// Records and submits.
pub(crate) struct Recorder<'a> {
    device: &'a Device,
    watch: Watch<'a>,
    pace: &'a Pace,
    tensors: Tensors,
    encoder: Option<wgpu::CommandEncoder>,
    work: f64,
    /// Which part of all work is being recorded, and how much of all is recorded.
    part: Range<f64>,
    reached: f64,
    flights: VecDeque<Flight>,
    last_end: Instant,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(
        device: &'a Device,
        pace: &'a Pace,
        watch: Watch<'a>,
        tensors: Tensors,
    ) -> Recorder<'a> {
        Recorder {
            device,
            watch,
            pace,
            tensors,
            encoder: None,
            work: 0.0,
            part: 0.0..1.0,
            reached: 0.0,
            flights: VecDeque::new(),
            last_end: Instant::now(),
        }
    }

    /// Records some of so many equal parts of what is being recorded. That they are done is told when the device has done them.
    pub(crate) fn part<T>(
        &mut self,
        part: Range<usize>,
        of: usize,
        record: impl FnOnce(&mut Self) -> Result<T, GpuError>,
    ) -> Result<T, GpuError> {
        let whole = self.part.clone();
        let at = |n: usize| whole.start + (whole.end - whole.start) * n as f64 / of as f64;
        self.part = at(part.start)..at(part.end);
        let recorded = record(self)?;
        self.reach(1.0);
        self.part = whole;
        Ok(recorded)
    }

    /// Notes that with what is recorded next so much of the part is done, from 0 to 1.
    pub(crate) fn reach(&mut self, done: f64) {
        self.reached = self.part.start + (self.part.end - self.part.start) * done;
    }

    /// A working buffer of at least so many bytes, holding anything.
    pub(crate) fn tensor(&self, bytes: u64) -> Result<Tensor, GpuError> {
        self.tensors.take(self.device, bytes)
    }

    /// The working buffers, for the next recorder, once everything recorded is done.
    pub(crate) fn into_tensors(self) -> Tensors {
        self.tensors
    }

    pub(crate) fn device(&self) -> &'a Device {
        self.device
    }

    fn encoder(&mut self) -> &mut wgpu::CommandEncoder {
        let device = self.device.wgpu();
        self.encoder.get_or_insert_with(|| {
            device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("ekernel") })
        })
    }

    /// Divides workgroups that do so much work among dispatches, none of which should take longer than a submission:
    /// `record` records those of a range, which do so much of it.
    pub(crate) fn pieces(
        &mut self,
        workgroups: u64,
        work: f64,
        mut record: impl FnMut(&mut Self, Range<u64>, f64) -> Result<(), GpuError>,
    ) -> Result<(), GpuError> {
        let each = work / workgroups.max(1) as f64;
        let longest = u64::from(self.device.limits().max_compute_workgroups_per_dimension);
        let mut start = 0;
        while start < workgroups {
            let target = self.pace.target();
            // What does not fit in this submission makes the next one, but for leftovers.
            let room = (target - self.work).max(0.25 * target);
            let count = ((room / each.max(1.0)) as u64).clamp(1, longest).min(workgroups - start);
            record(self, start..start + count, each * count as f64)?;
            start += count;
        }
        Ok(())
    }

    /// Records `workgroups` workgroups, laid out in two dimensions where one would be too long.
    pub(crate) fn dispatch(
        &mut self,
        label: &str,
        pipeline: &wgpu::ComputePipeline,
        groups: &[&wgpu::BindGroup],
        workgroups: u64,
        work: f64,
    ) -> Result<(), GpuError> {
        // Of small ones many may be recorded before they are submitted.
        self.watch.control.check().map_err(|_| GpuError::Cancelled)?;
        let longest = u64::from(self.device.limits().max_compute_workgroups_per_dimension);
        let rows = workgroups.div_ceil(longest).max(1);
        let shape = [workgroups.div_ceil(rows), rows];
        let mut pass = self
            .encoder()
            .begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some(label), timestamp_writes: None });
        pass.set_pipeline(pipeline);
        for (index, group) in (0..).zip(groups) {
            pass.set_bind_group(index, *group, &[]);
        }
        pass.dispatch_workgroups(shape[0] as u32, shape[1] as u32, 1);
        drop(pass);
        self.work += work;
        if self.work >= self.pace.target() { self.submit() } else { Ok(()) }
    }

    /// Sets a buffer to zeros.
    pub(crate) fn clear(&mut self, buffer: &wgpu::Buffer) {
        self.encoder().clear_buffer(buffer, 0, None);
    }

    /// Copies the first `bytes` of a buffer to the host, once all that was recorded before is done.
    pub(crate) fn read(&mut self, buffer: &wgpu::Buffer, bytes: u64) -> Result<Readback, GpuError> {
        use wgpu::BufferUsages as Usage;
        let staging = self.device.buffer("read-back", bytes, Usage::MAP_READ | Usage::COPY_DST)?;
        let state = Arc::new(Mutex::new(None));
        let report = Arc::clone(&state);
        let encoder = self.encoder();
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, bytes);
        encoder.map_buffer_on_submit(&staging, wgpu::MapMode::Read, 0..bytes, move |mapped| {
            *lock(&report) = Some(mapped.is_ok());
        });
        Ok(Readback { staging, bytes, state })
    }

    /// Submits what was recorded, after waiting until fewer than [`IN_FLIGHT`] submissions are under way.
    pub(crate) fn submit(&mut self) -> Result<(), GpuError> {
        self.watch.control.check().map_err(|_| GpuError::Cancelled)?;
        while self.flights.len() >= IN_FLIGHT {
            self.land()?;
        }
        let Some(encoder) = self.encoder.take() else { return Ok(()) };
        let queue = self.device.queue();
        // Software adapters do the work within this call.
        let started = Instant::now();
        self.device.checked("a submission", 0, |_| queue.submit([encoder.finish()]))?;
        let done = Arc::new(AtomicBool::new(false));
        let report = Arc::clone(&done);
        queue.on_submitted_work_done(move || report.store(true, Ordering::Release));
        let work = std::mem::take(&mut self.work);
        self.flights.push_back(Flight { done, work, reached: self.reached, started });
        Ok(())
    }

    /// Waits for the oldest submission.
    fn land(&mut self) -> Result<(), GpuError> {
        let Some(flight) = self.flights.pop_front() else { return Ok(()) };
        self.device.wait(self.watch.control, || flight.done.load(Ordering::Acquire))?;
        let now = Instant::now();
        self.pace.learn(flight.work, now - flight.started.max(self.last_end));
        self.last_end = now;
        (self.watch.tell)(flight.reached);
        Ok(())
    }

    /// The bytes of a read-back that was submitted.
    pub(crate) fn finish(&mut self, readback: &Readback) -> Result<Vec<u32>, GpuError> {
        let state = || *lock(&readback.state);
        while state().is_none() && !self.flights.is_empty() {
            self.land()?;
        }
        self.device.wait(self.watch.control, || state().is_some())?;
        let lost = || self.device.lost("a buffer could not be mapped");
        if state() != Some(true) {
            return Err(lost());
        }
        let words = {
            let view = readback.staging.slice(0..readback.bytes).get_mapped_range().map_err(|_| lost())?;
            bytemuck::pod_collect_to_vec(&view)
        };
        readback.staging.unmap();
        Ok(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A short submission takes as long as it takes to start one and to see its end, whatever work is in it.
    #[test]
    fn pace_learns_nothing_from_short_submissions() {
        let pace = Pace::new();
        for work in [0.0, 1.0, 0.01 * FIRST] {
            pace.learn(work, Duration::from_millis(2));
            assert_eq!(pace.target(), FIRST, "{work:e}");
        }
        pace.learn(FIRST, Duration::from_millis(2));
        assert_eq!(pace.target(), 2.0 * FIRST);
        // Too long is too long, even if it was meant to be short.
        pace.learn(0.4 * FIRST, SUBMISSION * 2);
        assert_eq!(pace.target(), 0.5 * FIRST);
    }
}
