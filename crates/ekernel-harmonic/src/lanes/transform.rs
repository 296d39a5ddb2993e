//! The plan of the transforms, its working memory, and the transforms ring by ring.

use super::{
    buffer::LaneBuffer,
    circle::Circle,
    isa::{Isa, Kernel},
    spectrum::{self, Ring},
};
use crate::error::{HarmonicError, check_bandlimit, check_length};
use crate::grid::RotationGrid;
use crate::packed::rotation_len;
use crate::real::Real;
use crate::wigner::WignerTable;

/// The SO(3) transform of `W` real signals at once, ring by ring.
///
/// Lanes are the innermost dimension of every array: `[[T; W]]`, one signal (one pair of samples, when the signals are
/// kernels) in each. W = 16 for `f32` and 8 for `f64` fill a register of AVX-512, two of AVX2. What happens in one lane
/// does not depend on the others, so results do not depend on how signals are grouped.
///
/// ```text
///  coefficients  [l][m][n][lane]   real basis, packed by rotation_index
///       │ load                              ▲ store
///       ▼                                   │
///  spectrum      [m ≥ 0][n ≥ 0][l][re, im, re', im'][lane]          (once for all rings)
///       │ Σ_l d^l_mn(β_j)                   ▲ += volume_j d^l_mn(β_j)
///       ▼                                   │
///  orders        [γ cos/sin][α cos/sin][lane]
///       │ α                                 ▲
///       ▼                                   │
///  half          [α][γ cos/sin][lane]
///       │ γ                                 ▲
///       ▼                                   │
///  ring j        [α][γ][lane]      n_α·n_γ values
/// ```
///
/// Along the circles the transform is a product with a small matrix of cosines and sines, a quarter of it by symmetry
/// (see [`LaneTransform::inverse_flops`]): at the bandlimits of kernels (L ≤ 32) that is as cheap as an FFT and needs no
/// shuffles. A ring of 24×24 points of 16 lanes in `f32` is 36 KiB, so pointwise work on it stays in the first cache.
///
/// ```
/// use ekernel_harmonic::{LaneBuffer, LaneTransform, RotationGrid};
///
/// let grid = RotationGrid::fast(6)?;
/// let plan = LaneTransform::<f32>::new(6, &grid)?;
/// let mut workspace = plan.workspace::<16>();
/// let mut ring = LaneBuffer::<f32, 16>::zeros(plan.ring_len());
/// let mut coefficients = LaneBuffer::<f32, 16>::zeros(plan.coefficients_len());
/// coefficients[0] = [78.956_83; 16]; // 8π²: the function 1
/// plan.load(&coefficients, &mut workspace)?;
/// let mut mean = 0.0;
/// for j in 0..plan.rings() {
///     plan.inverse_ring(j, &mut workspace, &mut ring)?;
///     mean += ring.iter().map(|k| k[0]).sum::<f32>() * grid.volume(j) as f32;
/// }
/// assert!((mean / 78.956_83 - 1.0).abs() < 1e-6);
/// # Ok::<(), ekernel_harmonic::HarmonicError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LaneTransform<T> {
    pub(super) bandlimit: usize,
    rings: usize,
    volumes: Vec<T>,
    table: WignerTable<T>,
    pub(super) alpha: Circle<T>,
    pub(super) gamma: Circle<T>,
    pub(super) isa: Isa,
}

/// Working memory of a [`LaneTransform`], with the spectrum of the signals it currently holds.
#[derive(Debug)]
pub struct LaneWorkspace<T, const W: usize> {
    pub(super) spectrum: LaneBuffer<T, W>,
    pub(super) orders: LaneBuffer<T, W>,
    pub(super) half: LaneBuffer<T, W>,
    fold: LaneBuffer<T, W>,
}

impl<T: Real> LaneTransform<T> {
    /// Plans the transform of `bandlimit` on `grid` for the best instruction set of this machine.
    ///
    /// # Errors
    /// [`HarmonicError::Bandlimit`]; [`HarmonicError::GridTooSmall`] when the grid cannot carry the bandlimit;
    /// [`HarmonicError::TableTooLarge`].
    pub fn new(bandlimit: usize, grid: &RotationGrid) -> Result<Self, HarmonicError> {
        Self::with_isa(bandlimit, grid, Isa::detect())
    }

    /// The same for a given instruction set; one that the machine lacks is replaced by the portable one.
    ///
    /// # Errors
    /// As [`LaneTransform::new`].
    pub fn with_isa(bandlimit: usize, grid: &RotationGrid, isa: Isa) -> Result<Self, HarmonicError> {
        check_bandlimit("lane transform", bandlimit)?;
        grid.check_bandlimit(bandlimit)?;
        let [rings, n_alpha, n_gamma] = grid.shape();
        Ok(Self {
            bandlimit,
            rings,
            volumes: (0..rings).map(|j| T::of(grid.volume(j))).collect(),
            table: WignerTable::new(bandlimit, &grid.polar().angles()[..rings.div_ceil(2)])?,
            alpha: Circle::new(bandlimit, n_alpha),
            gamma: Circle::new(bandlimit, n_gamma),
            isa,
        })
    }

    /// The bandlimit L.
    pub fn bandlimit(&self) -> usize {
        self.bandlimit
    }

    /// Bytes of its Wigner functions, which all threads share.
    pub fn table_bytes(&self) -> usize {
        self.table.bytes()
    }

    /// The number of rings n_β.
    pub fn rings(&self) -> usize {
        self.rings
    }

    /// The points n_α·n_γ of one ring.
    pub fn ring_len(&self) -> usize {
        self.alpha.points() * self.gamma.points()
    }

    /// The coefficients of one signal, L(4L²-1)/3.
    pub fn coefficients_len(&self) -> usize {
        rotation_len(self.bandlimit)
    }

    /// Working memory for `W` signals.
    pub fn workspace<const W: usize>(&self) -> LaneWorkspace<T, W> {
        let width = self.alpha.width();
        LaneWorkspace {
            spectrum: LaneBuffer::zeros(self.coefficients_len()),
            orders: LaneBuffer::zeros(width * width),
            half: LaneBuffer::zeros(self.alpha.points() * width),
            fold: LaneBuffer::zeros(self.alpha.fold_len().max(self.gamma.fold_len())),
        }
    }

    /// Floating-point operations of the inverse transform of one signal over all rings, a multiply-add counted as two:
    /// `[degrees, along α, along γ]`. At L = 6: [8 640, 21 072, 51 072]·B_g/12.
    pub fn inverse_flops(&self) -> [usize; 3] {
        let width = self.alpha.width();
        let degrees = 2 * self.coefficients_len() + (width * width).saturating_sub(2 * width - 1);
        let [alpha, gamma] = [&self.alpha, &self.gamma].map(|circle| {
            let [fused, additions] = circle.synthesis_cost();
            2 * fused + additions
        });
        [degrees, width * alpha, self.alpha.points() * gamma].map(|flops| flops * self.rings)
    }

    /// Takes in the coefficients `[packed lmn][lane]` (real basis) of `W` signals, ready for
    /// [`LaneTransform::inverse_ring`].
    ///
    /// # Errors
    /// [`HarmonicError::Length`].
    pub fn load<const W: usize>(
        &self,
        coefficients: &[[T; W]],
        workspace: &mut LaneWorkspace<T, W>,
    ) -> Result<(), HarmonicError> {
        self.check(workspace)?;
        check_length("the coefficients", coefficients.len(), self.coefficients_len())?;
        self.isa.run(Load { bandlimit: self.bandlimit, coefficients, spectrum: &mut workspace.spectrum });
        Ok(())
    }

    /// The signals on ring `j`, `[α][γ][lane]`.
    ///
    /// # Errors
    /// [`HarmonicError::Ring`], [`HarmonicError::Length`].
    pub fn inverse_ring<const W: usize>(
        &self,
        j: usize,
        workspace: &mut LaneWorkspace<T, W>,
        values: &mut [[T; W]],
    ) -> Result<(), HarmonicError> {
        self.check(workspace)?;
        check_length("the values of a ring", values.len(), self.ring_len())?;
        let ring = self.ring(j)?;
        self.isa.run(InverseRing { plan: self, ring, workspace, values });
        Ok(())
    }

    /// Forgets the signals of `workspace`: the start of a forward transform.
    ///
    /// # Errors
    /// [`HarmonicError::Length`] for working memory of another plan.
    pub fn clear<const W: usize>(&self, workspace: &mut LaneWorkspace<T, W>) -> Result<(), HarmonicError> {
        self.check(workspace)?;
        workspace.spectrum.fill([T::zero(); W]);
        Ok(())
    }

    /// Adds the signals on ring `j`, `[α][γ][lane]`, to the spectrum of a forward transform.
    ///
    /// # Errors
    /// [`HarmonicError::Ring`], [`HarmonicError::Length`].
    pub fn forward_ring<const W: usize>(
        &self,
        j: usize,
        values: &[[T; W]],
        workspace: &mut LaneWorkspace<T, W>,
    ) -> Result<(), HarmonicError> {
        self.check(workspace)?;
        check_length("the values of a ring", values.len(), self.ring_len())?;
        let ring = self.ring(j)?;
        self.isa.run(ForwardRing { plan: self, ring, volume: self.volumes[j], values, workspace });
        Ok(())
    }

    /// Gives out the coefficients `[packed lmn][lane]` (real basis) once every ring was added.
    ///
    /// # Errors
    /// [`HarmonicError::Length`].
    pub fn store<const W: usize>(
        &self,
        workspace: &LaneWorkspace<T, W>,
        coefficients: &mut [[T; W]],
    ) -> Result<(), HarmonicError> {
        self.check(workspace)?;
        check_length("the coefficients", coefficients.len(), self.coefficients_len())?;
        self.isa.run(Store { bandlimit: self.bandlimit, spectrum: &workspace.spectrum, coefficients });
        Ok(())
    }

    pub(super) fn ring(&self, j: usize) -> Result<Ring<'_, T>, HarmonicError> {
        if j >= self.rings {
            return Err(HarmonicError::Ring { ring: j, rings: self.rings });
        }
        let mirror = self.rings - 1 - j;
        Ok(Ring { table: &self.table, row: j.min(mirror), mirrored: mirror < j })
    }

    pub(super) fn check<const W: usize>(&self, workspace: &LaneWorkspace<T, W>) -> Result<(), HarmonicError> {
        let width = self.alpha.width();
        let fold = self.alpha.fold_len().max(self.gamma.fold_len());
        check_length("the workspace (spectrum)", workspace.spectrum.len(), self.coefficients_len())?;
        check_length("the workspace (circle of α)", workspace.half.len(), self.alpha.points() * width)?;
        check_length("the workspace (folded circles)", workspace.fold.len(), fold)
    }
}

struct Load<'a, T, const W: usize> {
    bandlimit: usize,
    coefficients: &'a [[T; W]],
    spectrum: &'a mut [[T; W]],
}

impl<T: Real, const W: usize> Kernel for Load<'_, T, W> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        spectrum::load(self.bandlimit, self.coefficients, self.spectrum);
    }
}

struct Store<'a, T, const W: usize> {
    bandlimit: usize,
    spectrum: &'a [[T; W]],
    coefficients: &'a mut [[T; W]],
}

impl<T: Real, const W: usize> Kernel for Store<'_, T, W> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        spectrum::store(self.bandlimit, self.spectrum, self.coefficients);
    }
}

struct InverseRing<'a, T, const W: usize> {
    plan: &'a LaneTransform<T>,
    ring: Ring<'a, T>,
    workspace: &'a mut LaneWorkspace<T, W>,
    values: &'a mut [[T; W]],
}

impl<T: Real, const W: usize> Kernel for InverseRing<'_, T, W> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let LaneTransform { bandlimit, alpha, gamma, .. } = self.plan;
        let width = alpha.width();
        let LaneWorkspace { spectrum, orders, half, .. } = self.workspace;
        let (orders, half): (&mut [[T; W]], &mut [[T; W]]) = (orders, half);
        spectrum::to_orders::<T, W, FUSED>(*bandlimit, self.ring, spectrum, orders);
        for (at, line) in orders.chunks_exact(width).enumerate() {
            alpha.synthesise::<W, FUSED>(line, &mut half[at..], width);
        }
        for (line, row) in half.chunks_exact(width).zip(self.values.chunks_exact_mut(gamma.points())) {
            gamma.synthesise::<W, FUSED>(line, row, 1);
        }
    }
}

struct ForwardRing<'a, T, const W: usize> {
    plan: &'a LaneTransform<T>,
    ring: Ring<'a, T>,
    volume: T,
    values: &'a [[T; W]],
    workspace: &'a mut LaneWorkspace<T, W>,
}

impl<T: Real, const W: usize> Kernel for ForwardRing<'_, T, W> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let LaneTransform { bandlimit, alpha, gamma, .. } = self.plan;
        let width = alpha.width();
        let LaneWorkspace { spectrum, orders, half, fold } = self.workspace;
        let (orders, half): (&mut [[T; W]], &mut [[T; W]]) = (orders, half);
        for (line, row) in half.chunks_exact_mut(width).zip(self.values.chunks_exact(gamma.points())) {
            gamma.analyse::<W, FUSED>(row, 1, fold, line);
        }
        for (at, line) in orders.chunks_exact_mut(width).enumerate() {
            alpha.analyse::<W, FUSED>(&half[at..], width, fold, line);
        }
        spectrum::from_orders::<T, W, FUSED>(*bandlimit, self.ring, self.volume, orders, spectrum);
    }
}
