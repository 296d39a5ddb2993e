use std::marker::PhantomData;

use ekernel_core::Kinds;
use pulp::{Simd, WithSimd};

use super::{
    cells::{CELL, Cells, Is, Level, Variant, View},
    chain::{Layer, Padding, ReluChain},
    input::input_planes,
    layer::conv_relu_3x3,
    maps::{ImageMaps, Pack},
    scales::{NUMBERS, Scales},
    windows::conv_relu_any,
};
use crate::simd::{Aligned, Isa, Real};

/// Which kernels are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// K alone.
    Nngp,
    /// K and Θ.
    NngpNtk,
}

impl Kind {
    pub(crate) fn of(kinds: Kinds) -> Kind {
        match kinds {
            Kinds::Nngp => Kind::Nngp,
            Kinds::Both => Kind::NngpNtk,
        }
    }
}

/// The first image of each lane's pair.
#[derive(Clone, Copy, Debug)]
pub enum First<'a, T> {
    /// One image for all lanes.
    Image(&'a ImageMaps<T>),
    /// Lane i is the pair (x_i, x_i) of the pack's image i with itself.
    Itself,
}

/// Sums over the positions of planes, per lane, as true kernels: divide by the number of summands for a mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlaneSums {
    /// Σ K
    pub nngp: Vec<f64>,
    /// Σ Θ; zero for [`Kind::Nngp`].
    pub ntk: Vec<f64>,
}

/// Memory for planes of one chain on one instruction set, to be used again and again by one thread:
/// about 3 · rows · columns · lanes numbers.
#[derive(Debug)]
pub struct Workspace<T> {
    cells: Aligned<T>,
    zeros: Aligned<T>,
    scratch: Aligned<T>,
    scales: Scales<T>,
    shape: Shape,
    lanes: usize,
}

/// Layout of the ring of rows.
#[derive(Clone, Copy, Debug)]
struct Shape {
    ring: usize,
    left: usize,
    right: usize,
    columns: usize,
}

impl Shape {
    fn new(chain: &ReluChain) -> Self {
        let most = |side: fn(&super::chain::Layer) -> usize| chain.layers.iter().map(side).max().unwrap_or(0);
        let (before, behind) = (most(|l| l.before[0]), most(|l| l.behind[0]));
        Self {
            ring: chain.shape[0] + before + behind,
            left: most(|l| l.before[1]),
            right: most(|l| l.behind[1]),
            columns: chain.shape[1],
        }
    }

    /// Cells in a row.
    fn width(&self) -> usize {
        self.left + self.columns + self.right
    }
}

impl<T: Real> Workspace<T> {
    /// Memory for planes of `chain` on `isa`.
    pub fn new(isa: Isa, chain: &ReluChain) -> Self {
        let lanes = isa.lanes::<T>();
        let shape = Shape::new(chain);
        let row = shape.width() * CELL * lanes;
        Self {
            cells: Aligned::zeros_in_large_pages(shape.ring * row),
            zeros: Aligned::zeros(row),
            scratch: Aligned::zeros(row),
            scales: Scales::new(chain, lanes),
            shape,
            lanes,
        }
    }
}

/// Sums of K and Θ behind the chain over the planes of `offsets`, per lane; see [`ReluChain::offsets`].
///
/// A lane's result does not depend on its place in the pack or on its neighbours, bit by bit.
///
/// # Panics
/// If pack, maps or workspace belong to another chain or instruction set, or an offset has no plane.
pub fn sum_planes<T: Real>(
    isa: Isa,
    chain: &ReluChain,
    (first, pack): (First<'_, T>, &Pack<T>),
    mut offsets: impl Iterator<Item = [isize; 2]>,
    kind: Kind,
    workspace: &mut Workspace<T>,
) -> PlaneSums {
    let lanes = workspace.lanes;
    let pair = Pair::new(isa, chain, first, pack, workspace);
    let mut sums = PlaneSums { nngp: vec![0.0; lanes], ntk: vec![0.0; lanes] };
    let into = Into::Sums { nngp: &mut sums.nngp, t: &mut sums.ntk };
    T::run(isa, Planes { pair, offsets: &mut offsets, kind, into });
    for lane in 0..lanes {
        let scale = workspace.scales.result[lane];
        let nngp = sums.nngp[lane] * scale;
        // T = K + Θ was summed.
        sums.ntk[lane] = if kind == Kind::NngpNtk { sums.ntk[lane] * scale - nngp } else { 0.0 };
        sums.nngp[lane] = nngp;
    }
    sums
}

/// One plane behind the chain, position by position: K and Θ (empty for [`Kind::Nngp`]), each `[row][column][lane]`,
/// of (h - |d₁|) × (w - |d₂|) positions (h × w for `Circular`). Row 0 is t = max(0, -d).
///
/// # Panics
/// As [`sum_planes`].
pub fn plane<T: Real>(
    isa: Isa,
    chain: &ReluChain,
    (first, pack): (First<'_, T>, &Pack<T>),
    offset: [isize; 2],
    kind: Kind,
    workspace: &mut Workspace<T>,
) -> (Vec<f64>, Vec<f64>) {
    let pair = Pair::new(isa, chain, first, pack, workspace);
    let (mut nngp, mut ntk) = (vec![], vec![]);
    let into = Into::Copies { nngp: &mut nngp, t: &mut ntk };
    T::run(isa, Planes { pair, offsets: &mut std::iter::once(offset), kind, into });
    let scales = &workspace.scales.result;
    for (at, value) in nngp.iter_mut().enumerate() {
        *value *= scales[at % workspace.lanes];
    }
    for (at, value) in ntk.iter_mut().enumerate() {
        *value = *value * scales[at % workspace.lanes] - nngp[at];
    }
    (nngp, ntk)
}

/// What planes of one pair need, checked.
struct Pair<'a, T> {
    chain: &'a ReluChain,
    first: *const T,
    lanewise: bool,
    second: *const T,
    scales: &'a Scales<T>,
    cells: *mut T,
    zeros: *const T,
    scratch: *mut T,
    shape: Shape,
    lanes: usize,
}

impl<'a, T: Real> Pair<'a, T> {
    fn new(
        isa: Isa,
        chain: &'a ReluChain,
        first: First<'_, T>,
        pack: &Pack<T>,
        workspace: &'a mut Workspace<T>,
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
            workspace.cells.as_slice().len() == shape.ring * shape.width() * CELL * lanes
                && workspace.zeros.as_slice().len() == shape.width() * CELL * lanes
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
        workspace.scales.fill(chain, image, pack);
        Self {
            chain,
            first: image.map_or(pack.values.as_slice(), |image| &image.values).as_ptr(),
            lanewise: image.is_none(),
            second: pack.values.as_slice().as_ptr(),
            scales: &workspace.scales,
            cells: workspace.cells.as_mut_slice().as_mut_ptr(),
            zeros: workspace.zeros.as_slice().as_ptr(),
            scratch: workspace.scratch.as_mut_slice().as_mut_ptr(),
            shape,
            lanes,
        }
    }

    /// Rows and columns of the plane of one offset at one level.
    fn overlap(&self, level: usize, d: [isize; 2]) -> [usize; 2] {
        let domain = self.chain.domain(level);
        if self.chain.padding == Padding::Circular {
            return domain;
        }
        std::array::from_fn(|axis| domain[axis].saturating_sub(d[axis].unsigned_abs()))
    }

    /// One level along the plane of one offset.
    fn level(&self, level: usize, d: [isize; 2]) -> Level<T> {
        let chain = self.chain;
        let depth = chain.depth(level);
        let stored = chain.stored_columns(level) * depth;
        let view = |values: *const T, sign: isize, lanes: usize| {
            let [row, column] = d.map(|d| (sign * d).max(0) as usize);
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
            window: layer.window,
            before: layer.before,
            out: self.overlap(level, d),
        }
    }

    /// Planes of one offset behind the chain.
    ///
    /// # Safety
    /// Nothing else uses the workspace.
    #[inline(always)]
    unsafe fn through<S: Simd, const NTK: bool, const LANEWISE: bool>(
        &self,
        s: S,
        d: [isize; 2],
    ) -> Cells<T> {
        let [rows, columns] = self.overlap(0, d);
        let left = self.shape.left * CELL * self.lanes;
        let mut cells = Cells {
            data: self.cells.wrapping_add(left),
            zeros: self.zeros.wrapping_add(left),
            stride: self.shape.width() * CELL * self.lanes,
            ring: self.shape.ring,
            top: 0,
            rows,
            columns,
            wrapped: self.chain.padding == Padding::Circular,
        };
        // SAFETY: the workspace was measured for this chain and the maps for its levels (`Pair::new`); every
        // level's plane lies within both images' maps because the offset is smaller than the last domain.
        unsafe {
            clear_right(&cells, self.shape.right * CELL * self.lanes, columns * CELL * self.lanes);
            let (level, channels) = (self.level(0, d), self.chain.shape[2]);
            s.vectorize(Fill::<'_, T, LANEWISE> { cells: &cells, level: &level, channels });
            for index in 0..self.chain.layers.len() {
                let layer = &self.chain.layers[index];
                if cells.wrapped {
                    wrap(&cells, CELL * self.lanes, layer);
                }
                let level = self.level(index + 1, d);
                let step = (&cells, &level, self.scratch);
                let bias = layer.bias.is_some() || LANEWISE;
                match (index == 0, self.chain.nonnegative, bias) {
                    (true, false, _) => apart::<S, T, Is<NTK, true, true, true, LANEWISE>>(s, step),
                    (true, true, false) => apart::<S, T, Is<NTK, true, false, false, false>>(s, step),
                    (true, true, true) => apart::<S, T, Is<NTK, true, false, true, LANEWISE>>(s, step),
                    (false, _, false) => apart::<S, T, Is<NTK, false, false, false, false>>(s, step),
                    (false, _, true) => apart::<S, T, Is<NTK, false, false, true, LANEWISE>>(s, step),
                }
                cells.top = (cells.top + cells.ring - layer.before[0]) % cells.ring;
                [cells.rows, cells.columns] = level.out;
                if self.scales.rescaled[index + 1] {
                    rescale::<S, T>(s, &cells, level.numbers.wrapping_add(4 * self.lanes));
                }
            }
        }
        cells
    }
}

/// The input planes, as a function of its own.
struct Fill<'a, T, const LANEWISE: bool> {
    cells: &'a Cells<T>,
    level: &'a Level<T>,
    channels: usize,
}

impl<T: Real, const LANEWISE: bool> WithSimd for Fill<'_, T, LANEWISE> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        // SAFETY: made by `Pair::through` alone, for cells and maps that it has measured.
        unsafe { input_planes::<S, T, LANEWISE>(s, self.cells, self.level, self.channels) }
    }
}

/// One layer, as a function of its own for each variant.
struct Step<'a, T, K> {
    cells: &'a Cells<T>,
    level: &'a Level<T>,
    scratch: *mut T,
    variant: PhantomData<K>,
}

impl<'a, T, K> Step<'a, T, K> {
    fn new((cells, level, scratch): (&'a Cells<T>, &'a Level<T>, *mut T)) -> Self {
        Self { cells, level, scratch, variant: PhantomData }
    }
}

/// A variable that makes the compiler align the stack to a register. Otherwise the registers it spills there
/// lie across cache lines.
#[repr(align(64))]
struct Anchor(#[expect(dead_code, reason = "only where it lies matters")] [u8; 64]);

/// One layer in a function of its own. Inlined beside the other variants, pointers and constants would be spilled.
#[inline(never)]
fn apart<S: Simd, T: Real, K: Variant>(s: S, step: (&Cells<T>, &Level<T>, *mut T)) {
    s.vectorize(Step::<T, K>::new(step));
}

impl<T: Real, K: Variant> WithSimd for Step<'_, T, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        std::hint::black_box(&Anchor([0; 64]));
        // SAFETY: made by `Pair::through` alone, for cells and maps that it has measured.
        unsafe {
            if self.level.window == [3, 3] {
                conv_relu_3x3::<S, T, K>(s, self.cells, self.level);
            } else {
                conv_relu_any::<S, T, K>(s, self.cells, self.level, self.scratch);
            }
        }
    }
}

/// Zeros `right` numbers behind the first `columns` of each row, where a wider plane may have been before.
///
/// # Safety
/// Rows have them.
unsafe fn clear_right<T: Real>(cells: &Cells<T>, right: usize, columns: usize) {
    for row in 0..cells.ring {
        // SAFETY: the caller's promise.
        unsafe { cells.data.add(row * cells.stride + columns).write_bytes(0, right) };
    }
}

/// Copies the plane's opposite edges around it; a cell has `cell` numbers.
///
/// # Safety
/// The ring has room for them.
unsafe fn wrap<T: Real>(cells: &Cells<T>, cell: usize, layer: &Layer) {
    let [before, left] = layer.before;
    let [behind, right] = layer.behind;
    let (rows, columns) = (cells.rows as isize, cells.columns);
    let place = |row: isize| cells.place::<pulp::Scalar>(row).cast::<T>();
    // SAFETY: the caller's promise. Source and target are disjoint: no window is larger than the plane.
    unsafe {
        for row in (0..rows).map(place) {
            row.sub(left * cell).copy_from_nonoverlapping(row.add((columns - left) * cell), left * cell);
            row.add(columns * cell).copy_from_nonoverlapping(row, right * cell);
        }
        let copy = |to: isize, from: isize| {
            let start = |row| place(row).sub(left * cell);
            start(to).copy_from_nonoverlapping(start(from), (left + columns + right) * cell);
        };
        (1..=before as isize).for_each(|row| copy(-row, rows - row));
        (0..behind as isize).for_each(|row| copy(rows + row, row));
    }
}

/// Multiplies the planes by one factor per lane, a power of two.
///
/// # Safety
/// `factor` points to an aligned register.
#[inline(always)]
unsafe fn rescale<S: Simd, T: Real>(s: S, cells: &Cells<T>, factor: *const T) {
    // SAFETY: the caller's promise.
    unsafe {
        let factor = *factor.cast::<T::Lanes<S>>();
        for row in 0..cells.rows {
            let row = cells.place::<S>(row as isize);
            for at in 0..cells.columns * CELL {
                *row.add(at) = T::mul(s, *row.add(at), factor);
            }
        }
    }
}

/// What becomes of K and T behind the chain.
enum Into<'a> {
    /// They are summed per lane.
    Sums { nngp: &'a mut [f64], t: &'a mut [f64] },
    /// They are appended.
    Copies { nngp: &'a mut Vec<f64>, t: &'a mut Vec<f64> },
}

/// Planes through the chain, compiled for one instruction set.
#[allow(missing_debug_implementations, reason = "not nameable outside")]
pub struct Planes<'a, T> {
    pair: Pair<'a, T>,
    offsets: &'a mut dyn Iterator<Item = [isize; 2]>,
    kind: Kind,
    into: Into<'a>,
}

/// Kernels compiled in this crate, once per type.
pub trait Compiled: Sized {
    /// Takes planes through their chain.
    fn run(isa: Isa, planes: Planes<'_, Self>);
}

impl Compiled for f32 {
    fn run(isa: Isa, planes: Planes<'_, f32>) {
        isa.run(planes);
    }
}

impl Compiled for f64 {
    fn run(isa: Isa, planes: Planes<'_, f64>) {
        isa.run(planes);
    }
}

impl<T: Real> WithSimd for Planes<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        match (self.kind, self.pair.lanewise) {
            (Kind::Nngp, false) => self.run::<S, false, false>(s),
            (Kind::Nngp, true) => self.run::<S, false, true>(s),
            (Kind::NngpNtk, false) => self.run::<S, true, false>(s),
            (Kind::NngpNtk, true) => self.run::<S, true, true>(s),
        }
    }
}

impl<T: Real> Planes<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const NTK: bool, const LANEWISE: bool>(self, s: S) {
        let Self { pair, offsets, mut into, .. } = self;
        for d in offsets {
            let [rows, columns] = pair.overlap(pair.chain.layers.len(), d);
            let wrapped = pair.chain.padding == Padding::Circular;
            let fits = |axis: usize| d[axis] >= 0 && (d[axis] as usize) < pair.chain.out()[axis];
            assert!(
                if wrapped { fits(0) && fits(1) } else { rows > 0 && columns > 0 },
                "offset {d:?} has no plane"
            );
            // SAFETY: the workspace is borrowed for as long as `pair` lives.
            let cells = unsafe { pair.through::<S, NTK, LANEWISE>(s, d) };
            for row in 0..rows {
                let row = cells.place::<S>(row as isize).cast_const();
                // SAFETY: a row of the plane, of initialised registers.
                unsafe {
                    match &mut into {
                        Into::Sums { nngp, t } => add_row::<S, T, NTK>(s, (row, columns), nngp, t),
                        Into::Copies { nngp, t } => copy_row::<S, T, NTK>((row, columns), nngp, t),
                    }
                }
            }
        }
    }
}

/// Positions that are summed in T before they are widened: Σ hi stays exact, like that of a window.
pub(crate) const RUN: usize = 8;

/// Adds the K and T of a row up, per lane.
///
/// # Safety
/// `row` is a row of `columns` cells.
#[inline(always)]
unsafe fn add_row<S: Simd, T: Real, const NTK: bool>(
    s: S,
    (row, columns): (*const T::Lanes<S>, usize),
    nngp: &mut [f64],
    t: &mut [f64],
) {
    let lanes = T::lanes::<S>();
    let zero = T::splat(s, T::default());
    for start in (0..columns).step_by(RUN) {
        let mut run = [zero; CELL];
        for column in start..columns.min(start + RUN) {
            for (plane, sum) in run.iter_mut().enumerate().take(if NTK { CELL } else { 2 }) {
                // SAFETY: the caller's promise.
                *sum = T::add(s, *sum, unsafe { *row.add(column * CELL + plane) });
            }
        }
        // SAFETY: registers are numbers side by side.
        let run = unsafe { std::slice::from_raw_parts(run.as_ptr().cast::<T>(), CELL * lanes) };
        let (hi, rest) = run.split_at(lanes);
        let (m, theta) = rest.split_at(lanes);
        for ((sum, hi), m) in nngp.iter_mut().zip(hi).zip(m) {
            *sum += hi.wide() - m.wide();
        }
        for (sum, theta) in t.iter_mut().zip(if NTK { theta } else { &[] }) {
            *sum += theta.wide();
        }
    }
}

/// Appends the K and T of a row, position by position.
///
/// # Safety
/// As for [`add_row`].
#[inline(always)]
unsafe fn copy_row<S: Simd, T: Real, const NTK: bool>(
    (row, columns): (*const T::Lanes<S>, usize),
    nngp: &mut Vec<f64>,
    t: &mut Vec<f64>,
) {
    let lanes = T::lanes::<S>();
    for column in 0..columns {
        // SAFETY: the caller's promise; a register is `lanes` numbers side by side.
        let part = |plane: usize| unsafe {
            std::slice::from_raw_parts(row.wrapping_add(column * CELL + plane).cast::<T>(), lanes)
        };
        nngp.extend(part(0).iter().zip(part(1)).map(|(hi, m)| hi.wide() - m.wide()));
        if NTK {
            t.extend(part(2).iter().map(|t| t.wide()));
        }
    }
}
