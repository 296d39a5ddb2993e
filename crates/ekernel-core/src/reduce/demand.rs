//! Demand: the offsets each stage must evaluate, and the form in which each value is carried.

use super::limits::at_most;
use crate::{
    ArchError,
    plan::{Form, Plan, PlaneNode, PlaneOp, Pointwise, Sink, Stage},
};

/// Fills in [`Stage::offsets`] from the readouts down, and every op's form.
pub(super) fn propagate(stages: &mut [Stage]) -> Result<(), ArchError> {
    let mut laid_out = 0;
    for i in (0..stages.len()).rev() {
        forms(&mut stages[i].ops);
        let (before, rest) = stages.split_at_mut(i);
        let stage = &mut rest[0];
        if let Sink::Mean { .. } | Sink::Diagonal = stage.sink {
            for axis in 0..2 {
                stage.offsets[axis] = readout_offsets(stage, axis, laid_out)?;
                laid_out += stage.offsets[axis].len();
            }
        }
        for node in &stage.ops {
            if let PlaneOp::Pooled(source) = node.op {
                if let (Form::Defect, Some(last)) = (node.at.form, before[source].ops.last_mut()) {
                    last.at.form = Form::Defect;
                }
                for axis in 0..2 {
                    let step = node.at.step[axis] as isize;
                    let read = stage.offsets[axis].iter().map(|offset| offset * step);
                    before[source].offsets[axis] = pooled_offsets(&before[source], axis, read, laid_out)?;
                    laid_out += before[source].offsets[axis].len();
                }
            }
        }
    }
    Ok(())
}

/// Refuses `more` offsets beside those that are laid out.
fn room(laid_out: usize, more: isize) -> Result<(), ArchError> {
    at_most("offsets of planes", laid_out as u64 + more.unsigned_abs() as u64, Plan::MOST_OFFSETS as u64)
}

fn readout_offsets(stage: &Stage, axis: usize, laid_out: usize) -> Result<Vec<isize>, ArchError> {
    let last = stage.last().at;
    let n = last.extent[axis] as isize;
    if stage.sink == Sink::Diagonal {
        return Ok(vec![0]);
    }
    room(laid_out, 2 * n)?;
    Ok(if last.cyclic { (0..n).collect() } else { (1 - n..n).collect() })
}

/// The offsets of the last op that the output offsets `read` are made of.
fn pooled_offsets(
    stage: &Stage,
    axis: usize,
    read: impl Iterator<Item = isize>,
    laid_out: usize,
) -> Result<Vec<isize>, ArchError> {
    let last = stage.last().at;
    let [n, output] = [last.extent[axis], stage.output[axis]].map(|x| x as isize);
    let read = read.map(|d| if stage.output_cyclic { d.rem_euclid(output) } else { d });
    // Ranges from the first to the last offset.
    let ranges: Vec<[isize; 2]> = match stage.sink {
        Sink::LocalPool { window, .. } => {
            let [reach, stride] = [window.size[axis] as isize - 1, window.strides[axis] as isize];
            read.map(|d| [stride * d - reach, stride * d + reach]).collect()
        }
        _ => read.flat_map(|d| [[d, d], [d - n, d - n]]).collect(),
    };
    let inside =
        |range: [isize; 2]| if last.cyclic { range } else { [range[0].max(1 - n), range[1].min(n - 1)] };
    let mut ranges: Vec<[isize; 2]> =
        ranges.into_iter().map(inside).filter(|[first, last]| first <= last).collect();
    ranges.sort_unstable();
    let mut offsets: Vec<isize> = Vec::new();
    for [first, last] in ranges {
        let first = offsets.last().map_or(first, |end| first.max(end + 1));
        room(laid_out + offsets.len(), (last - first + 1).max(0))?;
        offsets.extend(first..=last);
    }
    Ok(offsets)
}

/// A value is carried as a defect where a kinked dual reads it, directly or through other ops: a smooth dual too must get a
/// defect to give one.
fn forms(ops: &mut [PlaneNode]) {
    for i in (0..ops.len()).rev() {
        let (wants, passes) = match &ops[i].op {
            PlaneOp::Correlate | PlaneOp::Pooled(_) => (false, false),
            PlaneOp::BoxMean(_) => (false, true),
            PlaneOp::Pointwise(op) => (op.wants_defect(), !matches!(op, Pointwise::Dual(_))),
        };
        if wants || (passes && ops[i].at.form == Form::Defect) {
            for input in ops[i].inputs.clone() {
                ops[input].at.form = Form::Defect;
            }
        }
    }
}
