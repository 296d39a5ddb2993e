//! local_pool: the planes of an earlier stage add up to coarser ones; rewrap regroups them, a pool of one position.

use ekernel_core::{
    Padding,
    plan::{PlaneNode, Sink, Stage as PlanStage},
};
use ekernel_shaders::Stage;

use super::{
    evaluate::{Block, Chunk, Evaluator},
    geometry::gather,
    layout::plane_bytes,
    params::Params,
    rectangle::Rectangle,
    stages::WORKGROUP,
};
use crate::{
    GpuError,
    recorder::{ITERATIONS, Recorder},
    tensors::Tensor,
};

impl Evaluator<'_> {
    /// The pooled planes of `source` at the offsets of the reading op.
    pub(super) fn pooled(
        &self,
        source: usize,
        reader: &PlaneNode,
        block: &Block,
        chunk: &Chunk,
        recorder: &mut Recorder<'_>,
    ) -> Result<Tensor, GpuError> {
        let stage = &self.plan.stages[source];
        let Some(last) = stage.ops.last() else { unreachable!("a stage has at least one op") };
        let (sums, _) = gather(self.plan, source);
        let low = sums.low(last.at.extent);
        let params = chunk.sized(Params {
            extent: stage.output.map(|n| n as i32),
            input_extent: last.at.extent.map(|n| n as i32),
            step: reader.at.step.map(|n| n as i32),
            cyclic: stage.output_cyclic.into(),
            output_cyclic: stage.output_cyclic.into(),
            has_ntk: (self.plan.kinds == ekernel_core::KernelSet::Both).into(),
            window: sums.size.map(|n| n as i32),
            stride: sums.strides.map(|n| n as i32),
            low: low.map(|n| n as i32),
            circular: (sums.padding == Padding::Circular).into(),
            fine_cyclic: last.at.cyclic.into(),
            ..Params::default()
        });
        // Sums, and what rounding has added to them.
        let out = recorder.tensor(2 * params.bytes())?;
        recorder.clear(out.buffer());
        let [rows, cols] =
            [(0, &block.rows), (1, &block.cols)].map(|(axis, list)| fine(stage, reader, axis, list));
        let fine_plane = plane_bytes(self.plan, source);
        let most = self.lanes.chunk_bytes / (fine_plane * u64::from(self.lanes.count)).max(1);
        let blocks = Block::split(&rows, &cols, most);
        for (at, fine) in blocks.iter().enumerate() {
            recorder.part(at..at + 1, blocks.len(), |recorder| {
                let planes = self.evaluate(source, fine, recorder)?;
                self.gather(fine, [rows.len(), cols.len()], (&planes, &out), params, chunk, recorder)
            })?;
        }
        Ok(out)
    }

    /// Adds one block of fine planes, one of several that `all` rows and columns of offsets were cut into.
    fn gather(
        &self,
        fine: &Block,
        all: [usize; 2],
        (planes, out): (&Tensor, &Tensor),
        params: Params,
        chunk: &Chunk,
        recorder: &mut Recorder<'_>,
    ) -> Result<(), GpuError> {
        let tables = [table(&fine.rows), table(&fine.cols)];
        let mut words = fine.words();
        tables.iter().for_each(|(_, table)| words.extend(table));
        let offsets = recorder.device().upload(
            "ekernel.fine_offsets",
            bytemuck::cast_slice(&words),
            wgpu::BufferUsages::STORAGE,
        )?;
        let params = Params {
            fine: [fine.rows.len() as u32, fine.cols.len() as u32],
            fine_low: [tables[0].0, tables[1].0],
            fine_span: [tables[0].1.len() as u32, tables[1].1.len() as u32],
            ..params
        };
        let size = params.window.map(|n| n as usize);
        let taps = size[0] * size[1];
        // An element has at most the square of the window's taps, of them the window's on one plane.
        let most = if taps * taps <= ITERATIONS { usize::MAX } else { ITERATIONS / taps };
        let last = |list: &[isize], end: usize| list[end - 1] as i32 + 1;
        for part in Rectangle::split([fine.rows.len(), fine.cols.len()], most) {
            let Rectangle { begin, end } = part;
            let fine_begin = [fine.rows[begin[0]] as i32, fine.cols[begin[1]] as i32];
            let fine_end = [last(&fine.rows, end[0]), last(&fine.cols, end[1])];
            let share = part.count() as f64 / (all[0] * all[1]) as f64;
            for window in Rectangle::split(size, ITERATIONS) {
                let params = Params { fine_begin, fine_end, ..params.adding(window) };
                let found = share * (taps * window.count()) as f64;
                let work = params.elements() as f64 * (12.0 + 4.0 * found);
                let buffers = [planes.buffer(), out.buffer(), &offsets];
                let workgroups = params.elements().div_ceil(WORKGROUP);
                self.dispatch_sized(Stage::LocalPool, chunk, params, &buffers, (workgroups, work), recorder)?;
            }
        }
        Ok(())
    }
}

/// The offsets of the producer's last op that make up the planes which the reader reads.
fn fine(producer: &PlanStage, reader: &PlaneNode, axis: usize, offsets: &[isize]) -> Vec<isize> {
    let n = producer.output[axis] as isize;
    let read: Vec<isize> = offsets
        .iter()
        .map(|d| d * reader.at.step[axis] as isize)
        .map(|d| if producer.output_cyclic { d.rem_euclid(n) } else { d })
        .filter(|d| d.abs() < n)
        .collect();
    let feeds = |fine: isize, coarse: isize| match producer.sink {
        Sink::LocalPool { window, .. } => {
            (fine - window.strides[axis] as isize * coarse).unsigned_abs() < window.size[axis]
        }
        _ => fine.rem_euclid(n) == coarse,
    };
    let wanted = |fine: &isize| read.iter().any(|coarse| feeds(*fine, *coarse));
    producer.offsets[axis].iter().copied().filter(wanted).collect()
}

/// The smallest offset of a list, and for each from it to the largest where it stands in the list, −1 if nowhere.
fn table(list: &[isize]) -> (i32, Vec<i32>) {
    let (Some(&low), Some(&high)) = (list.first(), list.last()) else { return (0, vec![]) };
    let at = |d: isize| list.binary_search(&d).map_or(-1, |at| at as i32);
    (low as i32, (low..=high).map(at).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_find_offsets() {
        assert_eq!(table(&[-3, -1, 0, 2]), (-3, vec![0, -1, 1, 2, -1, 3]));
        assert_eq!(table(&[]), (0, vec![]));
    }
}
