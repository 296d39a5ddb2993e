//! Which positions a plane has, as runs of consecutive columns.

use ekernel_core::plan::PlaneNode;

/// Consecutive positions of one row: `len` of them from `first` in the first image and from `second` in the second
/// (both row·width + col).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) first: usize,
    pub(super) second: usize,
    pub(super) len: usize,
}

/// One axis of a plane: pieces (start in the first image, start in the second, length).
fn pieces(n: usize, d: isize, cyclic: bool) -> Vec<(usize, usize, usize)> {
    if cyclic {
        let shift = d.rem_euclid(n as isize) as usize;
        let whole = (0, shift, n - shift);
        let wrapped = (n - shift, 0, shift);
        return [whole, wrapped].into_iter().filter(|piece| piece.2 > 0).collect();
    }
    let low = (-d).max(0) as usize;
    let high = n.saturating_sub(d.max(0) as usize);
    if low >= high { vec![] } else { vec![(low, (low as isize + d) as usize, high - low)] }
}

/// The runs of an op's plane at its own offset d.
pub(super) fn runs(op: &PlaneNode, d: [isize; 2]) -> Vec<Run> {
    let [height, width] = op.at.extent;
    let columns = pieces(width, d[1], op.at.cyclic);
    let mut runs = Vec::new();
    for (first_row, second_row, rows) in pieces(height, d[0], op.at.cyclic) {
        for i in 0..rows {
            for &(first_col, second_col, len) in &columns {
                runs.push(Run {
                    first: (first_row + i) * width + first_col,
                    second: (second_row + i) * width + second_col,
                    len,
                });
            }
        }
    }
    runs
}

/// The plane offset of an op when the sink's offset is D.
pub(super) fn offset(op: &PlaneNode, sink: [isize; 2]) -> [isize; 2] {
    [0, 1].map(|axis| {
        let d = sink[axis] * op.at.step[axis] as isize;
        if op.at.cyclic { d.rem_euclid(op.at.extent[axis] as isize) } else { d }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_each_pair_once() {
        for n in 1..6 {
            for d in -7..8 {
                let mut seen = Vec::new();
                for (first, second, len) in pieces(n, d, false) {
                    seen.extend((0..len).map(|i| (first + i, second + i)));
                }
                let expected: Vec<_> = (0..n)
                    .filter(|t| (0..n as isize).contains(&(*t as isize + d)))
                    .map(|t| (t, (t as isize + d) as usize))
                    .collect();
                assert_eq!(seen, expected, "n = {n}, d = {d}");
                let mut seen = Vec::new();
                for (first, second, len) in pieces(n, d, true) {
                    seen.extend((0..len).map(|i| (first + i, second + i)));
                }
                let expected: Vec<_> =
                    (0..n).map(|t| (t, (t as isize + d).rem_euclid(n as isize) as usize)).collect();
                assert_eq!(seen, expected, "n = {n}, d = {d}, cyclic");
            }
        }
    }
}
