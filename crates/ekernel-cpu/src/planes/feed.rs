//! Feeds a stage with the pooled planes of an earlier one, row of offsets by row of offsets, so that only a few rows of
//! pooled planes are alive at once.

use std::collections::BTreeMap;

use ekernel_core::plan::{Sink, Stage};

use super::{
    Plane, Scalar,
    pool::{LocalPool, PooledPlane},
    stage::{Lanes, Runner},
};

/// The pooled planes of one stage, computed as they are asked for.
pub(super) struct Feed<T> {
    stage: usize,
    /// Offsets asked for, ascending per axis, reduced if the pooled planes are cyclic.
    wanted: [Vec<isize>; 2],
    /// Rows of offsets being added to or read: for each wanted column its plane.
    rows: BTreeMap<isize, Vec<PooledPlane<T>>>,
    /// The next row of fine offsets to compute.
    next: usize,
    inner: Runner<T>,
}

impl<T: Scalar> Feed<T> {
    /// Makes it ready for other pairs.
    pub(super) fn restart(&mut self) {
        self.rows.clear();
        self.next = 0;
        self.inner.restart();
    }

    /// Reads the pooled planes of `stage` at `offsets` (of the reading op, before reduction).
    pub(super) fn new(lanes: &Lanes<'_, T>, stage: usize, offsets: [Vec<isize>; 2]) -> Feed<T> {
        let producer = &lanes.plan.stages[stage];
        let mut axis = 0;
        let wanted = offsets.map(|list| {
            let n = producer.output[axis] as isize;
            axis += 1;
            let mut list: Vec<isize> =
                list.into_iter().map(|d| if producer.output_cyclic { d.rem_euclid(n) } else { d }).collect();
            list.retain(|d| d.abs() < n);
            list.sort_unstable();
            list.dedup();
            list
        });
        let fine = fine_offsets(producer, &wanted);
        let inner = Runner::new(lanes, stage, fine);
        Feed { stage, wanted, rows: BTreeMap::new(), next: 0, inner }
    }

    /// The pooled plane at an offset that was announced.
    pub(super) fn plane(&mut self, lanes: &Lanes<'_, T>, offset: [isize; 2]) -> &Plane<T> {
        let producer = &lanes.plan.stages[self.stage];
        let [row, col] = [0, 1].map(|axis| {
            let n = producer.output[axis] as isize;
            if producer.output_cyclic { offset[axis].rem_euclid(n) } else { offset[axis] }
        });
        if !producer.output_cyclic {
            self.rows.retain(|&alive, _| alive >= row);
        }
        self.advance(lanes, row);
        let at = self.wanted[1].iter().position(|&d| d == col).expect("every column of offsets is announced");
        let planes = self.rows.entry(row).or_insert_with(|| empty_row(lanes, producer, self.wanted[1].len()));
        &planes[at].sum
    }

    /// Computes fine planes until everything that adds to this row has been added.
    fn advance(&mut self, lanes: &Lanes<'_, T>, row: isize) {
        let producer = &lanes.plan.stages[self.stage];
        let last = match producer.sink {
            Sink::LocalPool { window, .. } => window.strides[0] as isize * row + window.size[0] as isize - 1,
            _ => row,
        };
        while let Some(&fine_row) = self.inner.offsets[0].get(self.next).filter(|&&d| d <= last) {
            self.next += 1;
            let coarse_rows: Vec<isize> =
                self.wanted[0].iter().copied().filter(|&d| feeds(producer, 0, fine_row, d)).collect();
            for i in 0..self.inner.offsets[1].len() {
                let fine = [fine_row, self.inner.offsets[1][i]];
                self.inner.evaluate(lanes, fine);
                if !lanes.beat.goes_on() {
                    return;
                }
                for &coarse_row in &coarse_rows {
                    let columns = self.wanted[1].len();
                    let planes =
                        self.rows.entry(coarse_row).or_insert_with(|| empty_row(lanes, producer, columns));
                    for (plane, &coarse_col) in planes.iter_mut().zip(&self.wanted[1]) {
                        if feeds(producer, 1, fine[1], coarse_col) {
                            add(lanes, producer, self.inner.output(), fine, [coarse_row, coarse_col], plane);
                        }
                    }
                }
            }
        }
    }
}

/// The offsets of the producer's last op that make up the wanted ones.
fn fine_offsets(producer: &Stage, wanted: &[Vec<isize>; 2]) -> [Vec<isize>; 2] {
    [0, 1].map(|axis| {
        let list = &producer.offsets[axis];
        list.iter()
            .copied()
            .filter(|&fine| wanted[axis].iter().any(|&d| feeds(producer, axis, fine, d)))
            .collect()
    })
}

/// Whether the fine offset adds to the coarse one.
fn feeds(producer: &Stage, axis: usize, fine: isize, coarse: isize) -> bool {
    match producer.sink {
        Sink::LocalPool { window, .. } => {
            (fine - window.strides[axis] as isize * coarse).unsigned_abs() < window.size[axis]
        }
        _ => fine.rem_euclid(producer.output[axis] as isize) == coarse,
    }
}

fn empty_row<T: Scalar>(lanes: &Lanes<'_, T>, producer: &Stage, columns: usize) -> Vec<PooledPlane<T>> {
    let len = producer.output[0] * producer.output[1] * lanes.lanes;
    let terms = match producer.sink {
        Sink::LocalPool { window, .. } => window.area().saturating_mul(window.area()),
        _ => 1,
    };
    vec![PooledPlane::zeros(len, lanes.has_ntk(), terms); columns]
}

fn add<T: Scalar>(
    lanes: &Lanes<'_, T>,
    producer: &Stage,
    input: &Plane<T>,
    fine: [isize; 2],
    coarse: [isize; 2],
    out: &mut PooledPlane<T>,
) {
    let op = producer.last();
    match producer.sink {
        Sink::LocalPool { window, scale } => {
            let area = window.area() as f64;
            lanes.isa.run(LocalPool {
                window,
                weight: scale / (area * area),
                op,
                fine,
                coarse,
                output: producer.output,
                output_cyclic: producer.output_cyclic,
                lanes: lanes.lanes,
                input,
                out,
            });
        }
        _ => {
            for run in super::geometry::runs(op, fine) {
                let range = run.first * lanes.lanes..(run.first + run.len) * lanes.lanes;
                out.sum.cov.as_mut_slice()[range.clone()]
                    .copy_from_slice(&input.cov.as_slice()[range.clone()]);
                if lanes.has_ntk() {
                    out.sum.ntk.as_mut_slice()[range.clone()].copy_from_slice(&input.ntk.as_slice()[range]);
                }
            }
        }
    }
}

/// The pooled planes of a stage at offset 0: K(T, T) where both images are one.
pub(crate) fn pooled_self<T: Scalar>(lanes: &Lanes<'_, T>, stage: usize) -> Vec<T> {
    Feed::new(lanes, stage, [vec![0], vec![0]]).plane(lanes, [0, 0]).cov.as_slice().to_vec()
}
