//! A ring of an inverse transform with its last circle left to the caller, who then needs no memory for the ring.

use super::{
    isa::Kernel,
    spectrum::{self, Ring},
    transform::{LaneTransform, LaneWorkspace},
};
use crate::error::HarmonicError;
use crate::real::Real;

impl<T: Real> LaneTransform<T> {
    /// The numbers of one line of [`LaneTransform::inverse_lines`], 2L-1.
    pub fn line_len(&self) -> usize {
        self.gamma.width()
    }

    /// The signals on ring `j` as sums along γ, `[α][coefficient][lane]`: on the line of α the value at γ is
    /// Σ_n c_n cos nγ + Σ_n s_n sin nγ, n < L, with the coefficients in four classes of ascending order:
    /// c_0 c_2 …, c_1 c_3 …, s_2 s_4 …, s_1 s_3 …. At γ, -γ, π-γ and π+γ the classes are the same four sums up to signs.
    ///
    /// # Errors
    /// [`HarmonicError::Ring`], [`HarmonicError::Length`].
    pub fn inverse_lines<'w, const W: usize>(
        &self,
        j: usize,
        workspace: &'w mut LaneWorkspace<T, W>,
    ) -> Result<&'w [[T; W]], HarmonicError> {
        self.check(workspace)?;
        let ring = self.ring(j)?;
        self.isa.run(InverseLines { plan: self, ring, workspace: &mut *workspace });
        Ok(&workspace.half)
    }
}

struct InverseLines<'a, T, const W: usize> {
    plan: &'a LaneTransform<T>,
    ring: Ring<'a, T>,
    workspace: &'a mut LaneWorkspace<T, W>,
}

impl<T: Real, const W: usize> Kernel for InverseLines<'_, T, W> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let LaneTransform { bandlimit, alpha, .. } = self.plan;
        let width = alpha.width();
        let LaneWorkspace { spectrum, orders, half, .. } = self.workspace;
        let (orders, half): (&mut [[T; W]], &mut [[T; W]]) = (orders, half);
        spectrum::to_orders::<T, W, FUSED>(*bandlimit, self.ring, spectrum, orders);
        for (at, line) in orders.chunks_exact(width).enumerate() {
            alpha.synthesise::<W, FUSED>(line, &mut half[at..], width);
        }
    }
}
