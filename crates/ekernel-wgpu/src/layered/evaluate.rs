//! Records the ops of a stage on a block of offsets.

use std::borrow::Cow;

use ekernel_core::plan::{Plan, PlaneOp, Pointwise};
use ekernel_shaders::Stage;

use super::{
    affine, box_mean, correlate, dropout, dual,
    layout::Layout,
    normalize,
    params::Params,
    pooled,
    rectangle::Rectangle,
    stages::{Stages, WORKGROUP},
    sum,
};
use crate::{
    GpuError,
    recorder::{ITERATIONS, Recorder},
    strategy::Lanes,
    tensors::Tensor,
};

/// A rectangle of sink offsets.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) rows: Vec<isize>,
    pub(super) cols: Vec<isize>,
    /// Where it lies in the lists it was cut from.
    pub(super) base: [usize; 2],
}

impl Block {
    /// Cuts lists of offsets into blocks of at most `most` planes.
    pub(super) fn split(rows: &[isize], cols: &[isize], most: u64) -> Vec<Block> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let block = |Rectangle { begin, end }| Block {
            rows: rows[begin[0]..end[0]].to_vec(),
            cols: cols[begin[1]..end[1]].to_vec(),
            base: begin,
        };
        Rectangle::split([rows.len(), cols.len()], most).into_iter().map(block).collect()
    }

    /// The offsets as the shaders read them, after words that come first.
    pub(super) fn words(&self) -> Vec<i32> {
        self.rows.iter().chain(&self.cols).map(|d| *d as i32).collect()
    }
}

/// What a dispatch reads besides its parameters.
pub(super) struct Chunk {
    pub(super) group: wgpu::BindGroup,
    lanes: u32,
    rows: u32,
    cols: u32,
}

impl Chunk {
    /// Parameters with the chunk's sizes.
    pub(super) fn sized(&self, params: Params) -> Params {
        Params { lanes: self.lanes, rows: self.rows, cols: self.cols, ..params }
    }
}

/// Records for some lanes.
pub(super) struct Evaluator<'a> {
    pub(super) plan: &'a Plan,
    pub(super) layout: &'a Layout,
    pub(super) stages: &'a Stages,
    pub(super) lanes: &'a Lanes<'a>,
}

impl Evaluator<'_> {
    pub(super) fn chunk(&self, block: &Block, recorder: &Recorder<'_>) -> Result<Chunk, GpuError> {
        let words = block.words();
        let offsets = recorder.device().upload(
            "ekernel.offsets",
            bytemuck::cast_slice(&words),
            wgpu::BufferUsages::STORAGE,
        )?;
        let group = self.stages.chunk([self.lanes.lanes, self.lanes.first, self.lanes.second, &offsets])?;
        let [rows, cols] = [&block.rows, &block.cols].map(|list| list.len() as u32);
        Ok(Chunk { group, lanes: self.lanes.count, rows, cols })
    }

    /// The planes of a stage's last op at the sink offsets of a block.
    pub(super) fn evaluate(
        &self,
        stage: usize,
        block: &Block,
        recorder: &mut Recorder<'_>,
    ) -> Result<Tensor, GpuError> {
        let chunk = self.chunk(block, recorder)?;
        let (ops, facts) = (&self.plan.stages[stage].ops, self.plan.facts().of(stage));
        let mut planes: Vec<Option<Tensor>> = Vec::with_capacity(ops.len());
        // What is pooled is most of the work.
        let (mut pool, pools) = (0, ops.iter().filter(|op| matches!(op.op, PlaneOp::Pooled(_))).count());
        for (i, op) in ops.iter().enumerate() {
            let of =
                |input: Option<usize>| chunk.sized(Params::of_op(self.plan, self.layout, (stage, i), input));
            let input = op.inputs.first().copied();
            let out = recorder.tensor(of(input).bytes())?;
            let read = |input: Option<usize>| input.and_then(|input| planes[input].as_ref());
            let mut run = |kind: Stage, params: Params, from: Option<&Tensor>| {
                let from = from
                    .map_or(Cow::Borrowed(self.lanes.lanes), |tensor| Cow::Owned(tensor.buffer().clone()));
                self.dispatch(kind, &chunk, params, &[&from, out.buffer()], recorder)
            };
            match op.op {
                PlaneOp::Correlate => {
                    let params = correlate::params(of(None));
                    for part in Rectangle::split([1, params.channels as usize], ITERATIONS) {
                        run(Stage::Correlate, params.adding(part), None)?;
                    }
                }
                PlaneOp::BoxMean(window) => {
                    let params = box_mean::params(of(input), &window, &ops[op.inputs[0]]);
                    for part in Rectangle::split(window.size, ITERATIONS) {
                        run(Stage::BoxMean, params.adding(part), read(input))?;
                    }
                }
                PlaneOp::Pointwise(Pointwise::Affine(affine)) => {
                    run(Stage::Affine, affine::params(of(input), &affine), read(input))?
                }
                PlaneOp::Pointwise(Pointwise::Dual(activation)) => {
                    let (family, params) = dual::params(of(input), activation);
                    run(Stage::Dual(family), params, read(input))?;
                }
                PlaneOp::Pointwise(Pointwise::Normalize(_)) => {
                    run(Stage::Normalize, normalize::params(of(input)), read(input))?
                }
                PlaneOp::Pointwise(Pointwise::Dropout(keep)) => {
                    run(Stage::Dropout, dropout::params(of(input), keep), read(input))?
                }
                PlaneOp::Pointwise(Pointwise::Sum) => {
                    for (branch, &input) in op.inputs.iter().enumerate() {
                        run(Stage::Sum, sum::params(of(Some(input)), branch), read(Some(input)))?;
                    }
                }
                PlaneOp::Pooled(source) => {
                    let coarse = recorder.part(pool..pool + 1, pools, |recorder| {
                        self.pooled(source, op, block, &chunk, recorder)
                    })?;
                    pool += 1;
                    let params = pooled::params(of(None), self.plan, source);
                    self.dispatch(Stage::Pooled, &chunk, params, &[coarse.buffer(), out.buffer()], recorder)?;
                }
            }
            planes.push(Some(out));
            for &input in op.inputs.iter().filter(|&&input| facts[input].last_reader == Some(i)) {
                planes[input] = None;
            }
        }
        match planes.pop().flatten() {
            Some(last) => Ok(last),
            None => unreachable!("a stage has at least one op, and its last one is read by nobody"),
        }
    }

    /// An op, an invocation per element.
    pub(super) fn dispatch(
        &self,
        stage: Stage,
        chunk: &Chunk,
        params: Params,
        buffers: &[&wgpu::Buffer],
        recorder: &mut Recorder<'_>,
    ) -> Result<(), GpuError> {
        let [rows, cols] = [0, 1].map(|axis| f64::from(params.tap_end[axis] - params.tap_begin[axis]));
        let workgroups = match stage {
            Stage::PlaneSum => u64::from(params.lanes) * u64::from(params.rows) * u64::from(params.cols),
            _ => params.elements().div_ceil(WORKGROUP),
        };
        let work = params.elements() as f64 * (12.0 + 4.0 * rows * cols);
        self.dispatch_sized(stage, chunk, params, buffers, (workgroups, work), recorder)
    }

    pub(super) fn dispatch_sized(
        &self,
        stage: Stage,
        chunk: &Chunk,
        params: Params,
        buffers: &[&wgpu::Buffer],
        (workgroups, work): (u64, f64),
        recorder: &mut Recorder<'_>,
    ) -> Result<(), GpuError> {
        let (label, pipeline) = (stage.label(), self.stages.pipeline(stage)?);
        recorder.pieces(workgroups, work, |recorder, piece, work| {
            let params = Params { start: piece.start as u32, ..params };
            let bytes = bytemuck::bytes_of(&params);
            let uniform = recorder.device().upload("ekernel.params", bytes, wgpu::BufferUsages::UNIFORM)?;
            let bound: Vec<&wgpu::Buffer> =
                std::iter::once(&uniform).chain(buffers.iter().copied()).collect();
            let group = self.stages.op(&bound)?;
            recorder.dispatch(&label, &pipeline, &[&chunk.group, &group], piece.end - piece.start, work)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_every_offset_once() {
        let (rows, cols): (Vec<isize>, Vec<isize>) = ((-3..4).collect(), (-2..3).collect());
        for most in [0, 1, 3, 5, 11, 34, 35, 1000] {
            let blocks = Block::split(&rows, &cols, most);
            let mut seen = vec![0; rows.len() * cols.len()];
            for block in &blocks {
                assert!((block.rows.len() * block.cols.len()) as u64 <= most.max(1));
                for (i, row) in block.rows.iter().enumerate() {
                    for (j, col) in block.cols.iter().enumerate() {
                        let at = [block.base[0] + i, block.base[1] + j];
                        assert_eq!([rows[at[0]], cols[at[1]]], [*row, *col]);
                        seen[at[0] * cols.len() + at[1]] += 1;
                    }
                }
            }
            assert!(seen.iter().all(|count| *count == 1), "{most} planes a block: {seen:?}");
        }
    }
}
