//! Chooses how the planes of a chain lie in workgroup memory: which planes share a workgroup, and whether they must be cut.

use std::fmt;

use ekernel_core::Padding;
use ekernel_shaders::Fused;

use super::{
    chain::{Chain, Layer},
    runs::{Axis, Division, Segment},
};
use crate::{Tuning, recorder::ITERATIONS};

/// Words of one part of a pair: ΣK, Σ(K + Θ) (ΣΘ if smooth), the exponent of their unit, the number of elements.
pub(super) const PART_WORDS: usize = 4;

/// Cells of a piece of a plane along one axis at most.
const LONGEST_PIECE: usize = 256;

/// Bytes of workgroup memory that are left alone: for one word of Θ that the shader declares where there is no Θ, and for arrays
/// that drivers round up to 16 bytes.
const RESERVED: usize = 64;

/// How often the work of a plane may be repeated where it is cut: beyond that op by op is faster.
const REPEATED: f64 = 8.0;

/// Columns that small planes are put side by side to fill.
const ABREAST: usize = 32;

/// What a device grants, and what it does best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Bytes of workgroup memory.
    pub(crate) bytes: usize,
    /// Invocations of a workgroup.
    pub(crate) threads: usize,
    pub(crate) tuning: Tuning,
}

impl Room {
    pub(crate) fn of(limits: &wgpu::Limits, tuning: Tuning) -> Room {
        Room {
            bytes: (limits.max_compute_workgroup_storage_size as usize).saturating_sub(RESERVED),
            threads: (limits.max_compute_invocations_per_workgroup)
                .min(limits.max_compute_workgroup_size_x)
                .min(limits.max_compute_workgroup_size_y) as usize,
            tuning,
        }
    }
}

/// A chain laid out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    pub(super) axes: [Axis; 2],
    /// Runs side by side in a workgroup, and one after the other.
    pub(super) pack: usize,
    pub(super) items: usize,
    pub(super) strips: usize,
    /// Blocks of rows of a strip, and rows of a block.
    pub(super) blocks: usize,
    pub(super) rows_per_block: usize,
    /// Rows of cells: those of a run, and of all strips.
    pub(super) held: usize,
    /// Bytes of workgroup memory.
    pub(super) bytes: usize,
}

impl Layout {
    /// The cheapest layout that fits.
    ///
    /// Errors: why there is none.
    pub(super) fn new(chain: &Chain, room: Room) -> Result<Layout, String> {
        let planes = chain.cell_words();
        let cells = room.bytes / (4 * planes);
        let aimed = (room.tuning.invocations as usize).min(room.threads);
        let candidates = [0, 1].map(|axis| divisions(chain, axis, cells));
        let mut best: Option<(f64, [&Axis; 2])> = None;
        for rows in &candidates[0] {
            for cols in &candidates[1] {
                if across(cols) > room.threads
                    || bytes(planes, rows, cols, 1, Strips::new(rows.data, aimed / across(cols))) > room.bytes
                {
                    continue;
                }
                let work = rows.count as f64 * rows.data as f64 * cols.count as f64 * across(cols) as f64;
                if best.is_none_or(|(least, _)| work < least) {
                    best = Some((work, [rows, cols]));
                }
            }
        }
        let Some((_, [rows, cols])) = best else {
            return Err(format!(
                "no piece of its planes fits into {} bytes of workgroup memory with what {} layers reach",
                room.bytes,
                chain.layers.len()
            ));
        };
        let whole = |axis, sketch: &Axis| Axis::new(chain, axis, sketch.division);
        let (Some(rows), Some(cols)) = (whole(0, rows), whole(1, cols)) else {
            unreachable!("a sketch is made where its axis is")
        };
        let (rows, cols) = (&rows, &cols);
        let repeated = (covered(rows) / least(chain, 0)) * (covered(cols) / least(chain, 1));
        if repeated > REPEATED {
            return Err(format!(
                "its planes would be cut so small that {} layers repeat the work {repeated:.0} times",
                chain.layers.len()
            ));
        }
        let runs = rows.runs.len() * cols.runs.len();
        let abreast = (ABREAST / across(cols)).clamp(1, runs);
        let laid = |pack: usize| {
            let strips = Strips::new(rows.data, aimed / (across(cols) * pack));
            (pack, strips, bytes(planes, rows, cols, pack, strips))
        };
        let fits = |(_, _, bytes): &(usize, Strips, usize)| *bytes <= room.bytes;
        let (pack, strips, bytes) = (1..=abreast).rev().map(laid).find(fits).unwrap_or_else(|| laid(1));
        let width = across(cols) * pack;
        let unrolled = chain.unrolled_window().is_some();
        let taps = |layer: &Layer| if unrolled { 0 } else { 2 * layer.window[0] * (layer.window[1] + 9) };
        let of_channels = strips.rows() * (3 + chain.shape[2]);
        let of_layers =
            chain.layers.iter().map(|layer| strips.blocks + (strips.rows() + 2) * taps(layer)).sum::<usize>();
        let of_cells = (held(rows, strips) * cols.cells() * pack).div_ceil(width * strips.strips);
        let iterations = 1 + of_cells + strips.rows().div_ceil(across(cols)) + of_channels + of_layers;
        if iterations > ITERATIONS {
            let what = if of_channels > of_layers {
                format!("{} channels", chain.shape[2])
            } else {
                format!("the taps of {} layers", chain.layers.len())
            };
            return Err(format!("{what} are too many for one dispatch"));
        }
        let in_turn = (room.tuning.in_turn as usize).max(1);
        let items = (ITERATIONS / iterations.max(1)).clamp(1, in_turn).min(runs.div_ceil(pack));
        Ok(Layout {
            axes: [rows.clone(), cols.clone()],
            pack,
            items,
            strips: strips.strips,
            blocks: strips.blocks,
            rows_per_block: strips.rows_per_block,
            held: held(rows, strips),
            bytes,
        })
    }

    /// The code that computes it.
    pub(super) fn shader(&self, chain: &Chain) -> Fused {
        let ntk = chain.has_ntk || chain.is_kinked();
        Fused { dual: chain.dual, window: chain.unrolled_window(), ntk, rows: self.rows_per_block }
    }

    /// Workgroups per pair.
    pub(super) fn parts(&self) -> usize {
        self.runs().div_ceil(self.pack * self.items)
    }

    /// Bytes of the largest buffer that it needs: the runs of both axes, or the results of one pair.
    pub(super) fn largest_buffer(&self) -> u64 {
        let runs = size_of::<[Segment; 2]>() * (self.axes[0].runs.len() + self.axes[1].runs.len());
        runs.max(4 * PART_WORDS * self.parts()) as u64
    }

    fn runs(&self) -> usize {
        self.axes[0].runs.len() * self.axes[1].runs.len()
    }

    /// Columns of invocations of one run.
    pub(super) fn across(&self) -> usize {
        across(&self.axes[1])
    }

    /// Cells visited per pair and layer: what the work is measured in.
    pub(super) fn visits(&self) -> f64 {
        (self.runs() * self.axes[0].data * self.across()) as f64
    }
}

/// How the rows of a run are divided among invocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Strips {
    strips: usize,
    blocks: usize,
    rows_per_block: usize,
}

impl Strips {
    /// At most `most` strips, with the fewest idle rows; then the most strips.
    fn new(rows: usize, most: usize) -> Strips {
        let most = most.clamp(1, rows);
        let of = |strips: usize| {
            let each = rows.div_ceil(strips);
            let blocks = each.div_ceil(Fused::MOST_ROWS);
            let rows_per_block = each.div_ceil(blocks);
            Strips { strips: rows.div_ceil(blocks * rows_per_block), blocks, rows_per_block }
        };
        let all = (most.div_ceil(2)..=most).map(of);
        let best = all.min_by_key(|made| (made.strips * made.rows(), most - made.strips));
        best.unwrap_or_else(|| of(1))
    }

    /// Rows of a strip.
    fn rows(&self) -> usize {
        self.blocks * self.rows_per_block
    }
}

/// Rows of cells of a run: its own, and those below that the last strip computes in vain.
fn held(rows: &Axis, strips: Strips) -> usize {
    rows.cells().max(rows.margin + strips.strips * strips.rows())
}

/// Bytes of workgroup memory of some runs side by side: cells, and two words for each row.
fn bytes(planes: usize, rows: &Axis, cols: &Axis, pack: usize, strips: Strips) -> usize {
    4 * pack * (planes * held(rows, strips) * cols.cells() + 2 * strips.strips * strips.rows())
}

/// Invocations across a run: none for the gap.
fn across(cols: &Axis) -> usize {
    cols.data - cols.gap
}

/// Positions of the input along an axis that all runs together have.
fn covered(axis: &Axis) -> f64 {
    axis.runs.iter().flatten().map(|segment| f64::from(segment.cells)).sum()
}

/// Positions of the input along an axis that there are, on all planes.
fn least(chain: &Chain, axis: usize) -> f64 {
    let n = chain.shape[axis];
    let overlap = |d: &isize| if chain.padding == Padding::Circular { n } else { n - d.unsigned_abs() };
    chain.offsets[axis].iter().map(|d| overlap(d) as f64).sum()
}

/// Sketches of the ways to divide an axis, of at most `cells` cells.
fn divisions(chain: &Chain, axis: usize, cells: usize) -> Vec<Axis> {
    let longest = chain.shape[axis].min(cells);
    let whole = [Division::Paired, Division::Single];
    whole
        .into_iter()
        .chain((1..longest.min(LONGEST_PIECE)).map(Division::Pieces))
        .filter_map(|division| Axis::sketch(chain, axis, division))
        .filter(|made| made.cells() <= cells)
        .collect()
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = |axis: &Axis| match axis.division {
            Division::Paired => "d with d − n".to_owned(),
            Division::Single => "one offset each".to_owned(),
            Division::Pieces(length) => format!("strips of {length}"),
        };
        let [rows, cols] = [&self.axes[0], &self.axes[1]];
        write!(
            f,
            "{} runs of {}×{} cells (rows: {}; columns: {}), {} abreast × {} in turn, {}×{} invocations, {} bytes of \
             workgroup memory",
            self.runs(),
            rows.cells(),
            cols.cells(),
            how(rows),
            how(cols),
            self.pack,
            self.items,
            self.across() * self.pack,
            self.strips,
            self.bytes
        )
    }
}

#[cfg(test)]
mod tests {
    use ekernel_core::{KernelSet, Network, Plan};

    use super::*;

    /// What every WebGPU device grants.
    const LEAST: Room =
        Room { bytes: 16_384, threads: 256, tuning: Tuning { invocations: 256, in_turn: 16 } };

    fn chain(n: usize, layers: usize, padding: &str) -> Chain {
        chain_of([n, n, 3], layers, padding)
    }

    fn chain_of(shape: [usize; 3], layers: usize, padding: &str) -> Chain {
        let mut text = format!("[input]\nspace = 'image'\nshape = {shape:?}\n");
        for _ in 0..layers {
            text += &format!(
                "[[layers]]\nop = 'conv'\nfilter = [3, 3]\npadding = '{padding}'\n[[layers]]\nop = 'relu'\n"
            );
        }
        text += "[[layers]]\nop = 'global_avg_pool'\n";
        let network: Network = text.parse().expect("a network");
        let plan = Plan::new(&network, KernelSet::Both).expect("a plan");
        Chain::new(&plan, 0).expect("a chain")
    }

    fn check(layout: &Layout, room: Room) {
        assert!(layout.bytes <= room.bytes, "{layout}");
        assert!(layout.across() * layout.pack * layout.strips <= room.threads, "{layout}");
        assert!(layout.strips * layout.blocks * layout.rows_per_block >= layout.axes[0].data, "{layout}");
    }

    #[test]
    fn small_planes_share_workgroups() {
        for padding in ["valid", "same", "circular"] {
            for n in [7, 9, 16, 28] {
                let chain = chain(n, 3, padding);
                let layout = Layout::new(&chain, LEAST).expect("a layout");
                println!("{padding} {n}: {layout}");
                check(&layout, LEAST);
                let whole = layout.axes.iter().all(|axis| !matches!(axis.division, Division::Pieces(_)));
                assert!(whole, "{padding} {n}: {layout}");
            }
        }
    }

    /// Workgroups are as large as they are tuned to be, and answer for every run; what cannot be is left as it fits.
    #[test]
    fn tuning_sizes_workgroups() {
        let chain = chain(32, 5, "valid");
        let room =
            |invocations, in_turn| Room { threads: 1024, tuning: Tuning { invocations, in_turn }, ..LEAST };
        let mut parts = Vec::new();
        for in_turn in [0, 1, 4, 16, u32::MAX] {
            for invocations in [0, 64, 128, 256, 512, 1024, u32::MAX] {
                let layout = Layout::new(&chain, room(invocations, in_turn)).expect("a layout");
                check(&layout, room(invocations, in_turn));
                let found = layout.across() * layout.pack * layout.strips;
                assert!(found <= (invocations as usize).max(layout.across()), "{invocations}: {layout}");
                assert!(3 * found >= (invocations as usize).min(1024), "{invocations}: {layout}");
                assert!(layout.parts() * layout.pack * layout.items >= layout.runs(), "{in_turn}: {layout}");
                assert!(layout.items <= (in_turn as usize).max(1), "{in_turn}: {layout}");
                parts.push(layout.parts());
            }
        }
        assert!(parts[0] > *parts.last().expect("layouts"), "{parts:?}");
    }

    #[test]
    fn more_memory_costs_less_work() {
        let chain = chain(32, 5, "valid");
        let least = Layout::new(&chain, LEAST).expect("a layout");
        let room = Room { bytes: 32_768, ..LEAST };
        let more = Layout::new(&chain, room).expect("a layout");
        check(&more, room);
        assert!(more.visits() < least.visits(), "{more} against {least}");
    }

    /// The work per pair grows with the sixth power of n at worst where planes are cut, without a jump: what a cut repeats is
    /// bounded by the reach of the layers.
    #[test]
    fn large_planes_are_cut() {
        for (n, layers) in [(64, 3), (96, 5), (224, 3)] {
            let chain = chain(n, layers, "same");
            let layout = Layout::new(&chain, LEAST).expect("a layout");
            println!("{n}: {layout}");
            check(&layout, LEAST);
            let least = (n * n) as f64 * (n * n) as f64;
            assert!(layout.visits() < 4.0 * least, "{n}: {} times the work", layout.visits() / least);
        }
    }

    #[test]
    fn what_reaches_too_far_is_refused() {
        let reason = Layout::new(&chain(64, 15, "same"), LEAST).expect_err("no layout");
        assert!(reason.contains("repeat"), "{reason}");
        let room = Room { threads: 32, ..LEAST };
        // Windows of two sizes are loops.
        let mut mixed = chain(8, 700, "same");
        (mixed.layers[0].window, mixed.layers[0].before) = ([1; 2], [0; 2]);
        let reason = Layout::new(&mixed, room).expect_err("no layout");
        assert!(reason.contains("700 layers are too many"), "{reason}");
        let reason = Layout::new(&chain_of([8, 8, 70_000], 2, "same"), LEAST).expect_err("no layout");
        assert!(reason.contains("70000 channels are too many"), "{reason}");
        let reason = Layout::new(&chain(64, 21, "same"), LEAST).expect_err("no layout");
        assert!(reason.contains("21 layers"), "{reason}");
    }
}
