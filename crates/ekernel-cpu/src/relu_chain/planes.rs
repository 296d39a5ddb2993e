use ekernel_core::KernelSet;
use pulp::{Simd, WithSimd};

use super::{
    chain::{Padding, ReluChain},
    maps::{ImageMaps, Pack},
    pair::{Pair, Workspace},
    results::{Into, add_row, copy_row},
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
