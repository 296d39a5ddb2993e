use ekernel_core::double::{exponent, scaled};

use super::{
    kink,
    layers::{Chain, Dual},
    maps::{ImageMaps, Pack},
    results::RUN,
};
use crate::simd::{Aligned, Real};

/// Numbers per level and lane in [`Scales`].
pub(crate) const NUMBERS: usize = 5;

/// What a pair needs besides its maps, per level and lane: [level][number][lane] with the numbers
/// 0: the number whose addition rounds to the grid of this level's products,
/// 1, 2: the bias that led to this level, on the grid and the rest, 3: both together,
/// 4: the factor by which the planes are multiplied behind this level.
#[derive(Debug)]
pub(crate) struct Scales<T> {
    pub(crate) numbers: Aligned<T>,
    /// The numbers of each layer's activation.
    pub(crate) kinks: Vec<T>,
    /// Whether any factor of a level differs from 1.
    pub(crate) rescaled: Vec<bool>,
    /// Per lane, true kernel = this · folded kernel.
    pub(crate) result: Vec<f64>,
    /// The same as a register.
    pub(crate) factors: Aligned<T>,
    lanes: usize,
}

impl<T: Real> Scales<T> {
    pub(crate) fn new(chain: &Chain, lanes: usize) -> Self {
        let levels = chain.layers.len() + 1;
        Self {
            numbers: Aligned::zeros(levels * NUMBERS * lanes),
            kinks: vec![T::default(); chain.layers.len() * kink::numbers::<T>()],
            rescaled: vec![false; levels],
            result: vec![0.0; lanes],
            factors: Aligned::zeros(lanes),
            lanes,
        }
    }

    /// The numbers of a pair; `first` is `None` where lane i is the pair (x_i, x_i).
    pub(crate) fn fill(&mut self, chain: &Chain, first: Option<&ImageMaps<T>>, pack: &Pack<T>) {
        self.find(chain, first, pack);
        for (factor, result) in self.factors.as_mut_slice().iter_mut().zip(&self.result) {
            *factor = T::of(*result);
        }
    }

    fn find(&mut self, chain: &Chain, first: Option<&ImageMaps<T>>, pack: &Pack<T>) {
        let lanes = self.lanes;
        let levels = chain.layers.len() + 1;
        self.rescaled.fill(false);
        for (layer, numbers) in chain.layers.iter().zip(self.kinks.chunks_exact_mut(kink::numbers::<T>())) {
            if let Dual::Kinked { kink, .. } = layer.dual {
                numbers.iter_mut().zip(kink.numbers()).for_each(|(number, kink)| *number = kink);
            }
        }
        if chain.is_plain() {
            self.result.fill(chain.scale.value());
            return;
        }
        for lane in 0..lanes {
            let mut total = 0;
            let mut coarser = i32::MIN;
            for level in 0..levels {
                let at = level * lanes + lane;
                let (peak, shift) = first.map_or((pack.peaks[at], pack.shifts[at]), |first| {
                    (first.peaks[level], first.shifts[level])
                });
                let shift = shift + pack.shifts[at];
                // `next` products are summed, and 4 keeps one of them within the binade of the rounding number.
                let next =
                    chain.layers.get(level).map_or(RUN, |layer| layer.window[0] * layer.window[1]).max(4);
                let slack = 1.0 + (chain.shape[2] + 8) as f64 / f64::from(1 << 20);
                let largest = peak * pack.peaks[at] * next as f64 * slack;
                let grid = if largest > 0.0 { exponent(largest) + 1 - T::DIGITS } else { -T::DIGITS };

                let mut number = [0.0; NUMBERS];
                number[0] = scaled(1.5, grid + T::DIGITS - 1);
                if let Some(bias) = level.checked_sub(1).and_then(|layer| chain.layers[layer].bias) {
                    let bias = scaled(bias.mantissa, bias.exponent.saturating_sub(total));
                    let step = scaled(1.0, coarser.max(grid));
                    number[1] = (bias / step).round() * step;
                    number[2] = bias - number[1];
                    number[3] = bias;
                }
                // Pixels are divided themselves, before they are multiplied out; planes as they are read.
                number[4] = scaled(1.0, -shift);
                self.rescaled[level] |= level > 0 && shift != 0;
                for (index, number) in number.into_iter().enumerate() {
                    self.numbers.as_mut_slice()[(level * NUMBERS + index) * lanes + lane] = T::of(number);
                }
                total += shift;
                coarser = if level == 0 { grid } else { grid - shift };
            }
            self.result[lane] = scaled(chain.scale.mantissa, chain.scale.exponent.saturating_add(total));
        }
    }
}
