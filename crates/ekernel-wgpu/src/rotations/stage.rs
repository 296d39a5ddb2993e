//! A stage on the device: records its dispatches for the pairs of a chunk.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use ekernel_core::{BackendError, Plan, plan::RotationStage};
use ekernel_harmonic::rotation_len;
use ekernel_shaders::{Rotation, RotationPoint};

use super::{
    passes::{Line, Origin, Pass},
    shape::{Shape, WORDS, WORKGROUP},
    tables::Tables,
};
use crate::{
    Device, GpuError,
    bindings::{READ, UNIFORM, WRITE, group, layout},
    recorder::{ITERATIONS, Recorder},
    strategy::{Lanes, Recorded},
    tensors::{self, Tensor},
};

/// `Job` of `rotations/grid.wgsl`.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
struct Job {
    lanes: u32,
    unit_words: u32,
    channels: u32,
    bandlimit: u32,
    rings: u32,
    first_ring: u32,
    table_ring: u32,
    circle: u32,
    line: u32,
    spectrum_words: u32,
    spectrum_at: u32,
    first_degree: u32,
    at: u32,
    tracks: u32,
    parts: u32,
    part_items: u32,
    all_rings: u32,
    first_channel: u32,
    end_channel: u32,
    start: u32,
}

/// What a dispatch binds besides lanes and pages.
struct Bound<'a> {
    table: &'a wgpu::Buffer,
    input: &'a wgpu::Buffer,
    spectrum: &'a wgpu::Buffer,
    output: &'a wgpu::Buffer,
}

const LABEL: &str = "ekernel.job";

/// What shaders bind: the job, lanes, both pages, [`Bound`].
const TYPES: [wgpu::BufferBindingType; 8] = [UNIFORM, READ, READ, READ, READ, READ, READ, WRITE];

/// The shaders of a stage.
struct Shaders {
    device: Device,
    layout: wgpu::BindGroupLayout,
    /// Of each pass.
    points: Vec<RotationPoint>,
}

/// A stage ready for pairs.
pub(crate) struct Stage {
    pub(super) shape: Shape,
    shaders: Shaders,
    tables: Tables,
}

impl Shaders {
    /// Compiles all of them.
    fn new(device: &Device, shape: &Shape, stage: &RotationStage) -> Result<Shaders, GpuError> {
        let points = shape.passes.passes.iter().map(|pass| shape.passes.point(stage, pass)).collect();
        let made = Shaders { device: device.clone(), layout: layout(device, LABEL, &TYPES)?, points };
        for kind in Rotation::ALL {
            made.pipeline(kind)?;
        }
        for point in &made.points {
            made.point_pipeline(point)?;
        }
        Ok(made)
    }

    fn pipeline(&self, kind: Rotation) -> Result<wgpu::ComputePipeline, GpuError> {
        self.device.pipeline(kind.label(), || kind.source(), &[], &[&self.layout])
    }

    fn point_pipeline(&self, point: &RotationPoint) -> Result<wgpu::ComputePipeline, GpuError> {
        self.device.pipeline(&point.label(), || point.source(), &[], &[&self.layout])
    }
}

/// Compiles the shaders of a stage.
///
/// Errors: [`GpuError::Refused`] with the compiler's words.
pub(super) fn compile(device: &Device, plan: &Plan, stage: &RotationStage) -> Result<(), GpuError> {
    Shaders::new(device, &Shape::new(plan, stage), stage).map(|_| ())
}

impl Recorded for Stage {
    fn result_words(&self) -> usize {
        self.shape.result_words()
    }

    fn max_lanes(&self, chunk_bytes: u64) -> u32 {
        self.shape.max_lanes(chunk_bytes)
    }

    fn working_bytes(&self, device: &Device, chunk_bytes: u64) -> u64 {
        let largest = self.shape.ring_bytes().max(4 * self.shape.passes.spectrum_words as u64);
        self.shape.buffers() * tensors::size(device, chunk_bytes.max(largest))
    }

    fn record(&self, lanes: &Lanes<'_>, recorder: &mut Recorder<'_>) -> Result<(), GpuError> {
        let count = u64::from(lanes.count);
        let spectrum = recorder.tensor(4 * count * self.shape.passes.spectrum_words as u64)?;
        for field in &self.shape.passes.fields {
            let Origin::Lift { unit_at } = field.origin else { continue };
            let bound = Bound {
                table: &self.tables.circle,
                input: &self.tables.circle,
                spectrum: &self.tables.circle,
                output: spectrum.buffer(),
            };
            let elements = count * rotation_len(field.bandlimit) as u64;
            for first in (0..self.shape.channels).step_by(ITERATIONS) {
                let end = (first + ITERATIONS).min(self.shape.channels);
                let job = Job {
                    bandlimit: field.bandlimit as u32,
                    spectrum_at: field.spectrum_at as u32,
                    at: unit_at as u32,
                    first_channel: first as u32,
                    end_channel: end as u32,
                    ..self.job(lanes, &(0..0))
                };
                self.dispatch(Rotation::Contract, lanes, &job, &bound, (elements, end - first), recorder)?;
            }
        }
        let blocks = self.blocks(lanes);
        let parts = self.shape.passes.passes.len() * blocks.len();
        for (number, pass) in self.shape.passes.passes.iter().zip(&self.shaders.points).enumerate() {
            for (at, rings) in blocks.iter().enumerate() {
                let part = number * blocks.len() + at;
                recorder.part(part..part + 1, parts, |recorder| {
                    self.pass(pass, rings, lanes, &spectrum, recorder)
                })?;
            }
        }
        Ok(())
    }
}

impl Stage {
    /// Errors: [`BackendError::Device`] if the device refuses the shaders or cannot hold the tables.
    pub(super) fn new(device: &Device, plan: &Plan, stage: &RotationStage) -> Result<Stage, BackendError> {
        let shape = Shape::new(plan, stage);
        let shaders = Shaders::new(device, &shape, stage)?;
        let tables = Tables::new(device, stage, &shape.passes)?;
        Ok(Stage { shape, shaders, tables })
    }

    /// Bytes on the device that do not depend on the samples.
    pub(super) fn bytes(&self) -> u64 {
        self.tables.bytes()
    }

    /// Ranges of rings that lie in one page of the tables and whose working buffers are small enough.
    fn blocks(&self, lanes: &Lanes<'_>) -> Vec<Range<usize>> {
        let most = (lanes.chunk_bytes / (self.shape.ring_bytes() * u64::from(lanes.count))).max(1);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut blocks = Vec::new();
        let mut start = 0;
        while start < self.shape.nodes {
            let page_end = (start / self.tables.per_page + 1) * self.tables.per_page;
            let end = page_end.min(start.saturating_add(most)).min(self.shape.nodes);
            blocks.push(start..end);
            start = end;
        }
        blocks
    }

    fn job(&self, lanes: &Lanes<'_>, rings: &Range<usize>) -> Job {
        let [part_items, parts] = self.shape.parts();
        Job {
            lanes: lanes.count,
            unit_words: self.shape.passes.unit_words as u32,
            channels: self.shape.channels as u32,
            rings: rings.len() as u32,
            first_ring: rings.start as u32,
            table_ring: (rings.start % self.tables.per_page) as u32,
            circle: self.shape.circle() as u32,
            line: self.shape.passes.line() as u32,
            spectrum_words: self.shape.passes.spectrum_words as u32,
            tracks: self.shape.passes.tracks() as u32,
            parts: parts as u32,
            part_items: part_items as u32,
            all_rings: self.shape.nodes as u32,
            ..Job::default()
        }
    }

    /// One pass over some rings.
    fn pass(
        &self,
        (pass, point): (&Pass, &RotationPoint),
        rings: &Range<usize>,
        lanes: &Lanes<'_>,
        spectrum: &Tensor,
        recorder: &mut Recorder<'_>,
    ) -> Result<(), GpuError> {
        let rows = u64::from(lanes.count) * rings.len() as u64;
        let [circle, line] = [self.shape.circle() as u64, self.shape.passes.line() as u64];
        let lines = recorder.tensor(4 * pass.lines.len() as u64 * rows * circle * line)?;
        for (number, of) in pass.lines.iter().enumerate() {
            self.lines((number, *of), rings, lanes, [spectrum, &lines], recorder)?;
        }
        let job = self.job(lanes, rings);
        let Some(into) = pass.into else {
            return self.point(point, lanes, &job, [spectrum, &lines], lanes.results, recorder);
        };
        let tracks = self.shape.passes.tracks() as u64;
        let values = recorder.tensor(4 * tracks * rows * circle * circle)?;
        self.point(point, lanes, &job, [spectrum, &lines], values.buffer(), recorder)?;
        let field = &self.shape.passes.fields[into];
        let width = 2 * field.bandlimit as u64 - 1;
        let job = Job { bandlimit: field.bandlimit as u32, spectrum_at: field.spectrum_at as u32, ..job };
        let folded = recorder.tensor(4 * tracks * rows * circle * width)?;
        let gathered = recorder.tensor(4 * tracks * rows * width * width)?;
        let work = self.shape.circle();
        let [circles, wigner] = [&self.tables.circle, self.wigner(into, rings)];
        let bound = |table, input, output| Bound { table, input, spectrum: circles, output };
        self.dispatch(
            Rotation::Fold,
            lanes,
            &job,
            &bound(circles, values.buffer(), folded.buffer()),
            (tracks * rows * circle * width, work),
            recorder,
        )?;
        self.dispatch(
            Rotation::Gather,
            lanes,
            &job,
            &bound(circles, folded.buffer(), gathered.buffer()),
            (tracks * rows * width * width, work),
            recorder,
        )?;
        let elements = tracks * u64::from(lanes.count) * rotation_len(field.bandlimit) as u64;
        self.dispatch(
            Rotation::Degrees,
            lanes,
            &job,
            &bound(wigner, gathered.buffer(), spectrum.buffer()),
            (elements, 4 * rings.len()),
            recorder,
        )
    }

    /// One function on lines of constant α.
    fn lines(
        &self,
        (number, line): (usize, Line),
        rings: &Range<usize>,
        lanes: &Lanes<'_>,
        [spectrum, lines]: [&Tensor; 2],
        recorder: &mut Recorder<'_>,
    ) -> Result<(), GpuError> {
        let field = &self.shape.passes.fields[line.field];
        let rows = u64::from(lanes.count) * rings.len() as u64;
        let width = 2 * field.bandlimit - 1;
        let orders = recorder.tensor(4 * rows * (width * width) as u64)?;
        let further = if line.ntk { rotation_len(field.bandlimit) } else { 0 };
        let job = Job {
            bandlimit: field.bandlimit as u32,
            spectrum_at: (field.spectrum_at + further) as u32,
            // The mean of K and of the defect are known better than a sum.
            first_degree: u32::from(!line.ntk),
            at: number as u32,
            ..self.job(lanes, rings)
        };
        let bound = Bound {
            table: self.wigner(line.field, rings),
            input: &self.tables.circle,
            spectrum: spectrum.buffer(),
            output: orders.buffer(),
        };
        let elements = rows * (width * width) as u64;
        self.dispatch(Rotation::Orders, lanes, &job, &bound, (elements, 4 * field.bandlimit), recorder)?;
        let bound = Bound {
            table: &self.tables.circle,
            input: orders.buffer(),
            spectrum: &self.tables.circle,
            output: lines.buffer(),
        };
        let elements = rows * (self.shape.circle() * width) as u64;
        self.dispatch(Rotation::Lines, lanes, &job, &bound, (elements, width), recorder)
    }

    fn point(
        &self,
        point: &RotationPoint,
        lanes: &Lanes<'_>,
        job: &Job,
        [spectrum, lines]: [&Tensor; 2],
        output: &wgpu::Buffer,
        recorder: &mut Recorder<'_>,
    ) -> Result<(), GpuError> {
        let bound =
            Bound { table: &self.tables.circle, input: lines.buffer(), spectrum: spectrum.buffer(), output };
        let workgroups = u64::from(job.lanes) * u64::from(job.rings) * u64::from(job.parts);
        let points = f64::from(job.lanes) * f64::from(job.rings) * 4.0 * self.shape.items() as f64;
        let work = points * (self.shape.passes.line() + 16 * point.steps.len()) as f64;
        let pipeline = self.shaders.point_pipeline(point)?;
        recorder.pieces(workgroups, work, |recorder, piece, work| {
            // Points are most of the work.
            recorder.reach(piece.end as f64 / workgroups as f64);
            self.piece((&point.label(), &pipeline), lanes, job, &bound, (piece, work), recorder)
        })
    }

    fn wigner(&self, field: usize, rings: &Range<usize>) -> &wgpu::Buffer {
        &self.tables.wigner[field][rings.start / self.tables.per_page]
    }

    /// One shader, an invocation per element, of so many multiply-adds each.
    fn dispatch(
        &self,
        kind: Rotation,
        lanes: &Lanes<'_>,
        job: &Job,
        bound: &Bound<'_>,
        (elements, each): (u64, usize),
        recorder: &mut Recorder<'_>,
    ) -> Result<(), GpuError> {
        let pipeline = self.shaders.pipeline(kind)?;
        let work = elements as f64 * (4 + 2 * each) as f64;
        let workgroups = elements.div_ceil(WORKGROUP);
        recorder.pieces(workgroups, work, |recorder, piece, work| {
            self.piece((kind.label(), &pipeline), lanes, job, bound, (piece, work), recorder)
        })
    }

    /// A dispatch of some workgroups, which do so much work.
    fn piece(
        &self,
        (label, pipeline): (&str, &wgpu::ComputePipeline),
        lanes: &Lanes<'_>,
        job: &Job,
        bound: &Bound<'_>,
        (piece, work): (Range<u64>, f64),
        recorder: &mut Recorder<'_>,
    ) -> Result<(), GpuError> {
        let job = Job { start: piece.start as u32, ..*job };
        let group = self.group(lanes, &job, bound)?;
        recorder.dispatch(label, pipeline, &[&group], piece.end - piece.start, work)
    }

    fn group(&self, lanes: &Lanes<'_>, job: &Job, bound: &Bound<'_>) -> Result<wgpu::BindGroup, GpuError> {
        let Shaders { device, layout, .. } = &self.shaders;
        let job = device.upload(LABEL, bytemuck::bytes_of(job), wgpu::BufferUsages::UNIFORM)?;
        let Bound { table, input, spectrum, output } = *bound;
        let buffers = [&job, lanes.lanes, lanes.first, lanes.second, table, input, spectrum, output];
        group(device, LABEL, layout, &buffers)
    }

    /// (K, Θ) of a lane from its results, which are sums: in float64, `bound` being √(vv').
    ///
    /// Errors: [`GpuError::Unfinished`] if the device did not do all of its work.
    pub(super) fn value(&self, words: &[u32], bound: f64, device: &str) -> Result<[f64; 2], GpuError> {
        let [_, parts] = self.shape.parts();
        let points = (self.shape.circle() * self.shape.circle()) as f64;
        let (mut cov, mut defect, mut ntk) = (0.0, 0.0, 0.0);
        for (weight, ring) in self.tables.weights.iter().zip(words.chunks_exact(WORDS * parts)) {
            let mut sums = [0.0; WORDS];
            for part in ring.chunks_exact(WORDS) {
                for (sum, word) in sums.iter_mut().zip(part) {
                    *sum += f64::from(f32::from_bits(*word));
                }
            }
            if sums[3] != points {
                let (device, found) = (device.to_owned(), sums[3] as u64);
                return Err(GpuError::Unfinished { device, found, expected: points as u64 });
            }
            cov += weight * sums[0];
            defect += weight * sums[1];
            ntk += weight * sums[2];
        }
        // The smaller of the two has the smaller error.
        let nngp = if defect.abs() < cov.abs() { bound - defect } else { cov };
        Ok([nngp, if self.shape.passes.ntk { ntk } else { 0.0 }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_lies_as_the_shader_reads_it() {
        crate::wgsl_layout::same_layout!(
            Job,
            "Job" of Rotation::ALL[0].source(),
            lanes, unit_words, channels, bandlimit, rings, first_ring, table_ring, circle, line, spectrum_words, spectrum_at, first_degree, at, tracks, parts, part_items, all_rings, first_channel, end_channel, start,
        );
    }
}
