use pulp::Simd;

use ekernel_core::plan::Form;

use super::{
    behind::{FillBehind, Source},
    cells::{CELL, Cells, Is, Level, View},
    kink,
    layers::{Chain, Dual, Entry, Padding},
    maps::{First, Pack},
    plain_layer::{FillPlain, PLAIN_CELL, plain_layer},
    scales::{NUMBERS, Scales},
    step::{Fill, apart, clear_right, fill_behind, rescale, wrap},
};
use crate::simd::{Aligned, Isa, Real};

/// Memory for planes of one chain on one instruction set, to be used again and again by one thread:
/// about 3 · rows · columns · lanes numbers.
#[derive(Debug)]
pub struct Workspace<T> {
    cells: Aligned<T>,
    zeros: Aligned<T>,
    scratch: Aligned<T>,
    /// The first image of a plain chain in all lanes.
    spread: Aligned<T>,
    pub(crate) scales: Scales<T>,
    shape: Shape,
    pub(crate) lanes: usize,
}

/// Layout of the ring of rows.
#[derive(Clone, Copy, Debug)]
struct Shape {
    ring: usize,
    left: usize,
    right: usize,
    columns: usize,
    /// Registers of a position.
    cell: usize,
}

impl Shape {
    fn new(chain: &Chain) -> Self {
        let most =
            |side: fn(&super::layers::Layer) -> usize| chain.layers.iter().map(side).max().unwrap_or(0);
        let (before, behind) = (most(|l| l.before[0]), most(|l| l.behind[0]));
        Self {
            ring: chain.shape[0] + before + behind,
            left: most(|l| l.before[1]),
            right: most(|l| l.behind[1]),
            columns: chain.shape[1],
            cell: if chain.is_plain() { PLAIN_CELL } else { CELL },
        }
    }

    /// Registers in a row.
    fn row(&self) -> usize {
        (self.left + self.columns + self.right) * self.cell
    }
}

impl<T: Real> Workspace<T> {
    /// Memory for planes of `chain` on `isa`.
    pub fn new(isa: Isa, chain: &Chain) -> Self {
        let lanes = isa.lanes::<T>();
        let shape = Shape::new(chain);
        let row = shape.row() * lanes;
        Self {
            cells: Aligned::zeros_in_large_pages(shape.ring * row),
            zeros: Aligned::zeros(row),
            scratch: Aligned::zeros(row),
            spread: Aligned::zeros(if chain.is_plain() { chain.map_len() * lanes } else { 0 }),
            scales: Scales::new(chain, lanes),
            shape,
            lanes,
        }
    }
}

/// What planes of one pair need, checked.
pub(crate) struct Pair<'a, T> {
    pub(crate) chain: &'a Chain,
    first: *const T,
    pub(crate) lanewise: bool,
    second: *const T,
    scales: &'a Scales<T>,
    /// The plane that the chain reads, if it does not begin at the pixels.
    pub(crate) source: Option<Source<'a, T>>,
    cells: *mut T,
    zeros: *const T,
    scratch: *mut T,
    shape: Shape,
    lanes: usize,
}

impl<'a, T: Real> Pair<'a, T> {
    pub(crate) fn new(
        isa: Isa,
        chain: &'a Chain,
        (first, pack): (First<'_, T>, &Pack<T>),
        workspace: &'a mut Workspace<T>,
        fresh: bool,
    ) -> Self {
        let lanes = isa.lanes::<T>();
        let levels = chain.layers.len() + 1;
        let len = chain.map_len();
        assert!(
            pack.lanes == lanes && workspace.lanes == lanes,
            "pack and workspace need {lanes} lanes on {isa}"
        );
        assert!(
            pack.values.as_slice().len() == len * lanes && pack.peaks.len() == levels * lanes,
            "the pack belongs to another chain"
        );
        let shape = Shape::new(chain);
        assert!(
            workspace.cells.as_slice().len() == shape.ring * shape.row() * lanes
                && workspace.zeros.as_slice().len() == shape.row() * lanes
                && workspace.scales.rescaled.len() == levels,
            "the workspace belongs to another chain"
        );
        workspace.shape = shape;
        let image = match first {
            First::Image(image) => {
                assert!(
                    image.values.len() == len && image.peaks.len() == levels,
                    "the first image belongs to another chain"
                );
                Some(image)
            }
            First::Itself => None,
        };
        if fresh {
            workspace.scales.fill(chain, image, pack);
        }
        let mut first = image.map_or(pack.values.as_slice(), |image| &image.values).as_ptr();
        if let (true, Some(image)) = (chain.is_plain(), image) {
            assert!(
                workspace.spread.as_slice().len() == len * lanes,
                "the workspace belongs to another chain"
            );
            let spread = workspace.spread.as_mut_slice().chunks_exact_mut(lanes);
            spread.zip(&image.values).filter(|_| fresh).for_each(|(all, one)| all.fill(*one));
            first = workspace.spread.as_slice().as_ptr();
        }
        Self {
            chain,
            first,
            lanewise: image.is_none() || chain.is_plain(),
            second: pack.values.as_slice().as_ptr(),
            scales: &workspace.scales,
            source: None,
            cells: workspace.cells.as_mut_slice().as_mut_ptr(),
            zeros: workspace.zeros.as_slice().as_ptr(),
            scratch: workspace.scratch.as_mut_slice().as_mut_ptr(),
            shape,
            lanes,
        }
    }

    /// Rows and columns at one level of the plane that has offset `d` behind the chain.
    pub(crate) fn overlap(&self, level: usize, d: [isize; 2]) -> [usize; 2] {
        let domain = self.chain.domain(level);
        if self.chain.padding == Padding::Circular {
            return domain;
        }
        let d = self.chain.offset(level, d);
        std::array::from_fn(|axis| domain[axis].saturating_sub(d[axis].unsigned_abs()))
    }

    /// Per lane, true kernel / folded kernel.
    pub(crate) fn scale(&self) -> *const T {
        self.scales.factors.as_slice().as_ptr()
    }

    /// One level along the plane that has offset `d` behind the chain.
    pub(crate) fn level(&self, level: usize, d: [isize; 2]) -> Level<T> {
        let chain = self.chain;
        let depth = chain.depth(level);
        let offset = chain.offset(level, d);
        let stored = chain.stored_columns(level) * depth;
        let view = |values: *const T, sign: isize, lanes: usize| {
            let [row, column] = offset.map(|d| (sign * d).max(0) as usize);
            View {
                start: values.wrapping_add((chain.start(level) + column * depth) * lanes),
                stride: stored * lanes,
                top: row,
                rows: chain.domain(level)[0],
            }
        };
        let layer = &chain.layers[level.saturating_sub(1)];
        Level {
            first: view(self.first, -1, if self.lanewise { self.lanes } else { 1 }),
            second: view(self.second, 1, self.lanes),
            numbers: self.scales.numbers.as_slice()[level * NUMBERS * self.lanes..].as_ptr(),
            kink: self.scales.kinks[level.saturating_sub(1) * kink::numbers::<T>()..].as_ptr(),
            window: layer.window,
            strides: layer.strides,
            before: layer.before,
            out: self.overlap(level, d),
        }
    }

    /// Planes of one offset behind the chain.
    ///
    /// # Safety
    /// Nothing else uses the workspace.
    #[inline(always)]
    pub(crate) unsafe fn through<S: Simd, const NTK: bool, const LANEWISE: bool>(
        &self,
        s: S,
        d: [isize; 2],
    ) -> Cells<T> {
        let [rows, columns] = self.overlap(0, d);
        let left = self.shape.left * self.shape.cell * self.lanes;
        let mut cells = Cells {
            data: self.cells.wrapping_add(left),
            zeros: self.zeros.wrapping_add(left),
            stride: self.shape.row() * self.lanes,
            ring: self.shape.ring,
            top: 0,
            rows,
            columns,
            wrapped: self.chain.padding == Padding::Circular,
        };
        // SAFETY: the workspace was measured for this chain and the maps for its levels (`Pair::new`); every
        // level's plane lies within both images' maps because the offset is smaller than the last domain.
        unsafe {
            let cell = self.shape.cell * self.lanes;
            clear_right(&cells, self.shape.right * cell, columns * cell);
            let (level, channels) = (self.level(0, d), self.chain.shape[2]);
            match (self.source, self.chain.is_plain()) {
                (Some(source), plain) => {
                    let [top, left] = self.chain.offset(0, d).map(|d| (-d).max(0) as usize);
                    let width = self.chain.shape[1];
                    fill_behind(
                        s,
                        FillBehind::<'_, T, LANEWISE> {
                            cells: &cells,
                            level: &level,
                            source,
                            start: top * width + left,
                            stride: width,
                            plain: plain.then(|| self.chain.entry == Entry::Plane(Form::Defect)),
                        },
                    );
                }
                (None, true) => s.vectorize(FillPlain { cells: &cells, level: &level, channels }),
                (None, false) => {
                    s.vectorize(Fill::<'_, T, LANEWISE> { cells: &cells, level: &level, channels });
                }
            }
            for index in 0..self.chain.layers.len() {
                let layer = &self.chain.layers[index];
                if cells.wrapped {
                    wrap(&cells, cell, layer);
                }
                let level = self.level(index + 1, d);
                let step = (&cells, &level, self.scratch);
                let bias = layer.bias.is_some() || LANEWISE;
                match layer.dual {
                    Dual::Plain(plain) => plain_layer::<S, T, NTK>(s, &plain, step),
                    Dual::Kinked { obtuse, .. } => {
                        match (index == 0 && self.source.is_none(), obtuse, bias) {
                            (true, true, _) => apart::<S, T, Is<NTK, true, true, true, LANEWISE>>(s, step),
                            (true, false, false) => {
                                apart::<S, T, Is<NTK, true, false, false, false>>(s, step)
                            }
                            (true, false, true) => {
                                apart::<S, T, Is<NTK, true, false, true, LANEWISE>>(s, step)
                            }
                            (false, true, _) => apart::<S, T, Is<NTK, false, true, true, LANEWISE>>(s, step),
                            (false, false, false) => {
                                apart::<S, T, Is<NTK, false, false, false, false>>(s, step)
                            }
                            (false, false, true) => {
                                apart::<S, T, Is<NTK, false, false, true, LANEWISE>>(s, step)
                            }
                        }
                    }
                }
                cells.top = (cells.top + cells.ring - layer.before[0]) % cells.ring;
                [cells.rows, cells.columns] = level.out;
                if layer.strides != [1, 1] {
                    clear_right(&cells, self.shape.right * cell, cells.columns * cell);
                }
                if self.scales.rescaled[index + 1] {
                    rescale::<S, T>(s, &cells, level.numbers.wrapping_add(4 * self.lanes));
                }
            }
        }
        cells
    }
}
