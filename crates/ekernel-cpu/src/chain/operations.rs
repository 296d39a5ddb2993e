//! What the kernels of a chain execute.

use super::{Chain, Kind, cells::CELL, layers::Dual};
use crate::simd::Real;

impl Chain {
    /// Floating point operations that a pair executes on the planes of `offsets`: additions, multiplications, roots,
    /// minima and maxima, a fused multiply-add counted as two. Images without negative pixels have fewer
    /// ([`Chain::nonnegative`]). Nothing for smooth activations, whose operations are not counted. Loads, stores and the final sums are not counted.
    ///
    /// The innermost loop of a layer of 3×3 without bias is, for four positions in float32 with Θ, 72 fused
    /// multiply-adds, 12 products, 64 additions and maxima and 4 roots: 56 operations a position. The prototype's K form
    /// has 41.
    pub fn operations<T: Real>(
        &self,
        offsets: impl Iterator<Item = [isize; 2]> + Clone,
        kind: Kind,
    ) -> Option<u64> {
        let input = 6 * self.shape[2] as u64 + 1;
        let levels = 1..=self.layers.len();
        let layer = |level| Some(self.visits(level, offsets.clone()) * self.layer::<T>(level, kind)?);
        let layers: Option<u64> = levels.map(layer).sum();
        Some(self.visits(0, offsets.clone()) * input + layers?)
    }

    /// Operations of a layer at one position, as `cells.rs` and `layer.rs` have them.
    fn layer<T: Real>(&self, level: usize, kind: Kind) -> Option<u64> {
        let layer = &self.layers[level - 1];
        let Dual::Kinked { obtuse, .. } = layer.dual else { return None };
        let (input, ntk) = (level == 1, kind == Kind::NngpNtk);
        // Neighbouring windows of 3×3 share partial sums, others only those of their columns.
        let sums = match layer.window {
            [3, 3] => 3,
            [rows, columns] => rows + columns - 2,
        };
        let planes = if ntk && !input { CELL } else { 2 };
        // ss' = hi + lo, 1/ss'; u; d, √d.
        let mut count = 10 + 4 + 2;
        count += 2 * (T::ANGLE.len() + T::SECTOR.len() - 2);
        // u, κ, m behind the activation.
        count += 3 + 2 + 1;
        if ntk {
            count += 3 + usize::from(input);
        }
        if obtuse {
            count += 11;
        }
        if layer.bias.is_some() {
            count += 2 + usize::from(ntk);
        }
        Some((sums * planes + count) as u64)
    }
}
