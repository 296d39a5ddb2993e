use ekernel_core::KernelSet;
use pulp::{Simd, WithSimd};

use super::{
    behind::Source,
    cells::Registers,
    layers::{Chain, Entry, Padding},
    maps::{First, Pack},
    pair::{Pair, Workspace},
    results::{Into, Scattered, add_row, copy_row, plain_row, scatter_row},
};
use crate::simd::{Isa, Real};

/// Which kernels are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// K alone.
    Nngp,
    /// K and Θ.
    NngpNtk,
}

impl Kind {
    pub(crate) fn of(kinds: KernelSet) -> Kind {
        match kinds {
            KernelSet::Nngp => Kind::Nngp,
            KernelSet::Both => Kind::NngpNtk,
        }
    }
}

/// Sums over the positions of planes, per lane, as true kernels: divide by the number of summands for a mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlaneSums {
    /// Σ K
    pub nngp: Vec<f64>,
    /// Σ Θ; zero for [`Kind::Nngp`].
    pub ntk: Vec<f64>,
}
/// Sums of K and Θ behind the chain over the planes of `offsets`, per lane; see [`Chain::offsets`].
///
/// A lane's result does not depend on its place in the pack or on its neighbours, bit by bit.
///
/// # Panics
/// If pack, maps or workspace belong to another chain or instruction set, or an offset has no plane.
pub fn sum_planes<T: Compiled>(
    isa: Isa,
    chain: &Chain,
    (first, pack): (First<'_, T>, &Pack<T>),
    mut offsets: impl Iterator<Item = [isize; 2]>,
    kind: Kind,
    workspace: &mut Workspace<T>,
) -> PlaneSums {
    let lanes = workspace.lanes;
    let pair = Pair::new(isa, chain, (first, pack), workspace, true);
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
pub fn plane<T: Compiled>(
    isa: Isa,
    chain: &Chain,
    (first, pack): (First<'_, T>, &Pack<T>),
    offset: [isize; 2],
    kind: Kind,
    workspace: &mut Workspace<T>,
) -> (Vec<f64>, Vec<f64>) {
    let pair = Pair::new(isa, chain, (first, pack), workspace, true);
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
    if kind == Kind::Nngp {
        ntk.clear();
    }
    (nngp, ntk)
}

/// One plane behind the chain in true kernels, for the ops that come next, of the plane `source` where the chain does not begin at the
/// pixels. The workspace is new to these images if `fresh`, else it has served them before.
///
/// # Panics
/// As [`sum_planes`].
pub(crate) fn scatter_plane<T: Compiled>(
    isa: Isa,
    chain: &Chain,
    images: (First<'_, T>, &Pack<T>),
    offset: [isize; 2],
    (source, into): (Option<Source<'_, T>>, Scattered<'_, T>),
    (workspace, fresh): (&mut Workspace<T>, bool),
) {
    let mut pair = Pair::new(isa, chain, images, workspace, fresh);
    assert!(source.is_some() == (chain.entry != Entry::Pixels), "planes go where a chain reads them");
    pair.source = source;
    let kind = if into.ntk.is_empty() { Kind::Nngp } else { Kind::NngpNtk };
    T::run(isa, Planes { pair, offsets: &mut std::iter::once(offset), kind, into: Into::Scattered(into) });
}

/// Planes through the chain, compiled for one instruction set.
#[allow(missing_debug_implementations, reason = "not nameable outside")]
pub struct Planes<'a, T> {
    pair: Pair<'a, T>,
    offsets: &'a mut dyn Iterator<Item = [isize; 2]>,
    kind: Kind,
    into: Into<'a, T>,
}

/// Numbers whose kernels are compiled in this crate.
pub trait Compiled: Real {
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
        let plain = self.pair.chain.is_plain();
        match (self.kind, self.pair.lanewise && !plain) {
            (Kind::Nngp, false) => self.run::<S, false, false>(s),
            (Kind::NngpNtk, false) => self.run::<S, true, false>(s),
            // Pairs of an image with itself are few: the kernels for K alone are not compiled for them.
            (_, true) => self.run::<S, true, true>(s),
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
            if let Into::Scattered(plane) = &mut into {
                let level = pair.level(pair.chain.layers.len(), d);
                let [top, left] = d.map(|d| (-d).max(0) as usize);
                for row in 0..rows {
                    let at = (top + row) * pair.chain.out()[1] + left;
                    let cells = cells.place::<S>(row as isize).cast_const();
                    // SAFETY: a row of the plane, of initialised registers, and a register of scales.
                    unsafe {
                        let scale = Registers::<S, T>::load(pair.scale());
                        let cells = (cells, pair.chain.is_plain());
                        scatter_row::<S, T, LANEWISE>(s, cells, (&level, row), scale, (plane, at));
                    }
                }
                continue;
            }
            for row in 0..rows {
                let row = cells.place::<S>(row as isize).cast_const();
                // SAFETY: a row of the plane, of initialised registers.
                unsafe {
                    match &mut into {
                        into if pair.chain.is_plain() => plain_row::<S, T, NTK>(s, (row, columns), into),
                        Into::Sums { nngp, t } => add_row::<S, T, NTK>(s, (row, columns), nngp, t),
                        Into::Copies { nngp, t } => copy_row::<S, T, NTK>((row, columns), nngp, t),
                        Into::Scattered(_) => {}
                    }
                }
            }
        }
    }
}
