//! Demand: the offsets each stage must evaluate, and the form in which each value is carried.

use crate::plan::{Form, Op, PlaneOp, Sink, Stage};

/// Fills in [`Stage::offsets`] from the readouts down, and every op's form.
pub(super) fn propagate(stages: &mut [Stage]) {
    for i in (0..stages.len()).rev() {
        forms(&mut stages[i].ops);
        let (before, rest) = stages.split_at_mut(i);
        let stage = &mut rest[0];
        if let Sink::Mean { .. } | Sink::Diagonal = stage.sink {
            stage.offsets = [0, 1].map(|axis| readout_offsets(stage, axis));
        }
        for op in &stage.ops {
            if let Op::Pooled(source) = op.op {
                if let (Form::Defect, Some(last)) = (op.form, before[source].ops.last_mut()) {
                    last.form = Form::Defect;
                }
                for axis in 0..2 {
                    let read: Vec<isize> =
                        stage.offsets[axis].iter().map(|offset| offset * op.step[axis] as isize).collect();
                    before[source].offsets[axis] = pooled_offsets(&before[source], axis, &read);
                }
            }
        }
    }
}

fn readout_offsets(stage: &Stage, axis: usize) -> Vec<isize> {
    let Some(last) = stage.ops.last() else { return vec![] };
    let n = last.extent[axis] as isize;
    match stage.sink {
        Sink::Diagonal => vec![0],
        _ if last.cyclic => (0..n).collect(),
        _ => (1 - n..n).collect(),
    }
}

/// The offsets of the last op that the output offsets `read` are made of.
fn pooled_offsets(stage: &Stage, axis: usize, read: &[isize]) -> Vec<isize> {
    let Some(last) = stage.ops.last() else { return vec![] };
    let [n, output] = [last.extent[axis], stage.output[axis]].map(|x| x as isize);
    let read = read.iter().map(|&d| if stage.output_cyclic { d.rem_euclid(output) } else { d });
    let mut offsets: Vec<isize> = match stage.sink {
        Sink::LocalPool { window, .. } => {
            let [reach, stride] = [window.size[axis] as isize - 1, window.strides[axis] as isize];
            read.flat_map(|d| (-reach..=reach).map(move |e| stride * d + e)).collect()
        }
        _ => read.flat_map(|d| [d, d - n]).collect(),
    };
    if !last.cyclic {
        offsets.retain(|d| d.abs() < n);
    }
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

/// A value is carried as a defect where a kinked dual reads it, directly or through other ops: a smooth dual too must get a
/// defect to give one.
fn forms(ops: &mut [PlaneOp]) {
    for i in (0..ops.len()).rev() {
        let passes =
            matches!(ops[i].op, Op::BoxMean(_) | Op::Affine(_) | Op::Sum | Op::Normalize(_) | Op::Dropout(_));
        if ops[i].op.wants_defect() || (passes && ops[i].form == Form::Defect) {
            for input in ops[i].inputs.clone() {
                ops[input].form = Form::Defect;
            }
        }
    }
}
