//! Which positions a plane has.

use ekernel_core::plan::PlaneOp;

/// The pairs of positions (t, t + d) of an op's plane at its own offset d, both row·width + col.
pub(super) fn positions(op: &PlaneOp, d: [isize; 2]) -> Vec<(usize, usize)> {
    let [rows, cols] = [0, 1].map(|axis| axis_positions(op.extent[axis], d[axis], op.cyclic));
    let width = op.extent[1];
    let mut all = Vec::with_capacity(rows.len() * cols.len());
    for (row, second_row) in rows {
        for (col, second_col) in &cols {
            all.push((row * width + col, second_row * width + second_col));
        }
    }
    all
}

fn axis_positions(n: usize, d: isize, cyclic: bool) -> Vec<(usize, usize)> {
    let second = |t: usize| {
        let at = t as isize + d;
        if cyclic {
            Some((t, at.rem_euclid(n as isize) as usize))
        } else {
            (0..n as isize).contains(&at).then_some((t, at as usize))
        }
    };
    (0..n).filter_map(second).collect()
}

/// The plane offset of an op when the sink's offset is D.
pub(crate) fn offset(op: &PlaneOp, sink: [isize; 2]) -> [isize; 2] {
    [0, 1].map(|axis| {
        let d = sink[axis] * op.step[axis] as isize;
        if op.cyclic { d.rem_euclid(op.extent[axis] as isize) } else { d }
    })
}
