//! How planes lie along one axis of workgroup memory: see `shaders/fused/segments.wgsl`.

use bytemuck::{Pod, Zeroable};
use ekernel_core::Padding;

use super::chain::Chain;

/// Part of a run: the plane of one offset, or a piece of it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub(super) struct Segment {
    pub(super) cell: i32,
    pub(super) cells: i32,
    pub(super) begin: i32,
    pub(super) offset: i32,
    pub(super) begins: i32,
    pub(super) ends: i32,
    spare: [i32; 2],
}

impl Segment {
    /// Stands behind every cell, so that no cell belongs to it.
    const NONE: Segment =
        Segment { cell: 1 << 29, cells: 0, begin: 0, offset: 0, begins: 0, ends: 0, spare: [0; 2] };
}

/// How an axis is divided among workgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Division {
    /// The planes of d and d − n in one run.
    Paired,
    /// One plane a run.
    Single,
    /// A piece of a plane a run, so many cells long.
    Pieces(usize),
}

/// One axis, divided.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) division: Division,
    /// How many runs there are.
    pub(super) count: usize,
    /// Every run; of a sketch those of pieces are left out.
    pub(super) runs: Vec<[Segment; 2]>,
    /// Cells from the first segment to the last, the gap between them included.
    pub(super) data: usize,
    /// Cells that stay zero: before the first segment, between two, behind the last.
    pub(super) margin: usize,
    pub(super) gap: usize,
    pub(super) end: usize,
    /// Whether windows wrap within the cells.
    pub(super) wraps: bool,
}

impl Axis {
    /// The axis divided so, if it can be.
    pub(super) fn new(chain: &Chain, axis: usize, division: Division) -> Option<Axis> {
        let mut made = Axis::sketch(chain, axis, division)?;
        if let Division::Pieces(length) = division {
            made.runs = pieces(chain, axis, length as i32, made.margin as i32);
        }
        Some(made)
    }

    /// The axis without its pieces, of which a long axis has millions.
    pub(super) fn sketch(chain: &Chain, axis: usize, division: Division) -> Option<Axis> {
        let reach = Reach::of(chain, axis);
        let circular = chain.padding == Padding::Circular;
        let [n, out] = [chain.shape[axis], chain.output()[axis]].map(|n| n as i32);
        let offsets: Vec<i32> = chain.offsets[axis].iter().map(|d| *d as i32).collect();
        let zeros = chain.padding == Padding::Same;
        let [margin, gap, end] =
            if zeros { [reach.most[0], reach.most[0].max(reach.most[1]), reach.most[1]] } else { [0; 3] };
        let mut made = Axis { division, count: 0, runs: vec![], data: 0, margin, gap: 0, end, wraps: false };
        let cell = margin as i32;
        match division {
            Division::Paired => {
                let every = offsets.len() as i32 == 2 * out - 1;
                if circular || !every {
                    return None;
                }
                made.gap = gap;
                made.data = (2 * n - out) as usize + gap;
                made.runs = (0..out)
                    .map(|d| {
                        let one =
                            Segment { cell, cells: n - d, offset: d, ends: out - d, ..Segment::default() };
                        let next = cell + one.cells + gap as i32;
                        let cells = n - out + d;
                        [one, Segment { cell: next, cells, offset: d - out, ends: d, ..Segment::default() }]
                    })
                    .collect();
            }
            Division::Single => {
                made.wraps = circular;
                let cells = |d: i32| if circular { n } else { n - d.abs() };
                let ends = |d: i32| if circular { out } else { out - d.abs() };
                let segment = |d: i32| Segment {
                    cell,
                    cells: cells(d),
                    offset: d,
                    ends: ends(d),
                    ..Segment::default()
                };
                made.runs = offsets.iter().map(|&d| [segment(d), Segment::NONE]).collect();
                made.data = offsets.iter().map(|&d| cells(d)).max()? as usize;
            }
            Division::Pieces(length) => {
                let step = reach.step(length as i32);
                if step < 1 {
                    return None;
                }
                made.data = length;
                let last = |d: i32| if circular { out } else { out - d.abs() };
                made.count = offsets
                    .iter()
                    .map(|&d| last(d).max(0).unsigned_abs().div_ceil(step.unsigned_abs()) as usize)
                    .sum();
            }
        }
        made.count = made.count.max(made.runs.len());
        Some(made)
    }

    /// Cells of a run.
    pub(super) fn cells(&self) -> usize {
        self.margin + self.data + self.end
    }
}

/// The runs of an axis cut into pieces, the first cell at `cell`.
fn pieces(chain: &Chain, axis: usize, length: i32, cell: i32) -> Vec<[Segment; 2]> {
    let reach = Reach::of(chain, axis);
    let circular = chain.padding == Padding::Circular;
    let [n, out] = [chain.shape[axis], chain.output()[axis]].map(|n| n as i32);
    let step = reach.step(length);
    let mut runs = Vec::new();
    for d in chain.offsets[axis].iter().map(|d| *d as i32) {
        let (all, last) = if circular { (i32::MAX, out) } else { (n - d.abs(), out - d.abs()) };
        for begins in (0..last).step_by(step as usize) {
            let ends = (begins + step).min(last);
            let begin = if circular { begins - reach.before } else { (begins - reach.before).max(0) };
            let cells = (ends + reach.after).min(all) - begin;
            let one = Segment { cell, cells, begin, offset: d, begins, ends, spare: [0; 2] };
            runs.push([one, Segment::NONE]);
        }
    }
    runs
}

/// How far the windows of a chain reach.
struct Reach {
    /// The largest single window, before and behind its position.
    most: [usize; 2],
    /// All windows together.
    before: i32,
    after: i32,
}

impl Reach {
    fn of(chain: &Chain, axis: usize) -> Reach {
        let mut reach = Reach { most: [0; 2], before: 0, after: 0 };
        for layer in &chain.layers {
            let before = layer.before[axis];
            let after = layer.window[axis] - 1 - before;
            reach.most = [reach.most[0].max(before), reach.most[1].max(after)];
            reach.before += before as i32;
            reach.after += after as i32;
        }
        reach
    }

    /// Positions behind the chain that a piece of so many cells gives.
    fn step(&self, length: i32) -> i32 {
        length - self.before - self.after
    }
}

#[cfg(test)]
mod tests {
    use ekernel_shaders::Dual;

    use super::*;
    use crate::fused::chain::{Action, Layer, Scale};

    fn chain(padding: Padding, n: usize) -> Chain {
        let mut extent = n;
        let layer = |_| {
            if padding == Padding::Valid {
                extent -= 2;
            }
            let before = if padding == Padding::Valid { 0 } else { 1 };
            Layer {
                window: [3; 2],
                before: [before; 2],
                extent: [extent; 2],
                action: Action::Kinked { bias: None, jump: 1.0 },
            }
        };
        let layers: Vec<Layer> = (0..2).map(layer).collect();
        let out = extent as isize;
        let offsets: Vec<isize> =
            if padding == Padding::Circular { (0..out).collect() } else { (1 - out..out).collect() };
        let scale = Scale { mantissa: 1.0, exponent: 0 };
        Chain {
            shape: [n, n, 1],
            padding,
            dual: Dual::Kinked,
            stage: 0,
            layers,
            scale,
            offsets: [offsets.clone(), offsets],
            has_ntk: true,
        }
    }

    /// Every pair of positions behind the chain belongs to exactly one segment, and a segment has the cells it needs.
    #[test]
    fn runs_cover_every_pair_once() {
        for padding in Padding::ALL {
            for n in [5, 8] {
                let chain = chain(padding, n);
                let out = chain.output()[1];
                for division in [Division::Paired, Division::Single, Division::Pieces(6), Division::Pieces(7)]
                {
                    let Some(axis) = Axis::new(&chain, 1, division) else { continue };
                    assert_eq!(axis.count, axis.runs.len(), "{padding} {n} {division:?}");
                    let mut seen = vec![0; out * out];
                    for segment in axis.runs.iter().flatten() {
                        for at in segment.begins..segment.ends {
                            let d = segment.offset;
                            let (first, second) = if padding == Padding::Circular {
                                (at, (at + d).rem_euclid(out as i32))
                            } else {
                                (at + (-d).max(0), at + d.max(0))
                            };
                            seen[(first * out as i32 + second) as usize] += 1;
                        }
                        if segment.cells > 0 {
                            assert!(
                                segment.cell as usize + segment.cells as usize <= axis.cells(),
                                "{division:?}"
                            );
                        }
                    }
                    assert!(seen.iter().all(|&count| count == 1), "{padding} {n} {division:?}: {seen:?}");
                }
            }
        }
    }

    #[test]
    fn pieces_shorter_than_the_reach_do_not_exist() {
        assert_eq!(Axis::new(&chain(Padding::Same, 8), 0, Division::Pieces(4)), None);
        assert!(Axis::new(&chain(Padding::Same, 8), 0, Division::Pieces(5)).is_some());
    }

    #[test]
    fn a_segment_lies_as_the_shader_reads_it() {
        crate::wgsl_layout::same_layout!(
            Segment,
            "Segment" of ekernel_shaders::Fused { dual: Dual::Kinked, window: Some([3, 3]), ntk: true, rows: 4 }.source(),
            cell, cells, begin, offset, begins, ends, spare,
        );
    }
}
