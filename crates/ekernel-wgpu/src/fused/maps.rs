//! What one copy of an image brings to all its pairs: its pixels and, behind every convolution, the standard deviations of its
//! own kernel.
//!
//! **Smooth chains** have entries of four float32 numbers: f/√C for each pixel number; for each position v behind the convolution, √v,
//! and s behind the activation.
//!
//! **Kinked chains** have more digits than float32 (`shaders/fused/exact_product.wgsl`).
//! Entries have two words: (exponent, 0) for each level; the pixels `[row][column][channel]`; then s for each level
//! and position. Level ℓ is divided by 2^exponent, chosen so that s behind the next convolution is below 2¹⁴: products ss',
//! and the window sums of them, then fit into whole numbers of 28 bits.

use ekernel_core::{
    Padding,
    double::{Double, exponent, scaled},
};

use ekernel_cpu::float64::Image;

use super::chain::{Action, Chain, Layer};

/// log₂ of the bound on s behind the next convolution.
const BITS: i32 = 14;

impl Chain {
    /// Words of an entry of the maps.
    pub(super) fn entry_words(&self) -> usize {
        if self.is_kinked() { 2 } else { 4 }
    }

    /// Where the maps of a level begin, in entries. All have rows as long as those of the input, so that a position is
    /// at the same place of all maps.
    pub(super) fn map(&self, level: usize) -> usize {
        let depth = |level: usize| if level == 0 { self.shape[2] } else { 1 };
        let before = |level: usize| self.extent(level)[0] * self.shape[1] * depth(level);
        self.layers.len() + 1 + (0..level).map(before).sum::<usize>()
    }

    /// The place in a level's map of the position with this number, row by row.
    fn place(&self, level: usize, number: usize) -> usize {
        let columns = self.extent(level)[1];
        self.map(level) + number / columns * self.shape[1] + number % columns
    }

    /// Entries of one copy.
    pub(super) fn copy_entries(&self) -> usize {
        self.map(self.layers.len() + 1)
    }

    /// Writes the maps of a copy.
    pub(super) fn pack(&self, image: &Image, out: &mut [i32]) {
        if self.is_kinked() {
            self.pack_kinked(&image.features, out);
        } else {
            self.pack_smooth(image, out);
        }
    }

    fn pack_smooth(&self, image: &Image, out: &mut [i32]) {
        let mut put = |entry: usize, numbers: [f64; 3]| {
            if let Some(place) = out.get_mut(4 * entry..4 * entry + 3) {
                place.copy_from_slice(&numbers.map(|x| (x as f32).to_bits() as i32));
            }
        };
        let share = (self.shape[2] as f64).sqrt();
        for (at, f) in image.features.iter().enumerate() {
            put(self.map(0) + at, [f / share, 0.0, 0.0]);
        }
        let variances = &image.variances[self.stage];
        for (level, layer) in (1..).zip(&self.layers) {
            let Action::Smooth { ops: [front, behind], .. } = layer.action else { continue };
            for (t, (v, out)) in variances[front].iter().zip(&variances[behind]).enumerate() {
                put(self.place(level, t), [*v, v.sqrt(), out.sqrt()]);
            }
        }
    }

    /// The maps of a copy with these pixels `[row][column][channel]`.
    fn pack_kinked(&self, features: &[f64], out: &mut [i32]) {
        // Pixels are what float32 holds of them; the standard deviations are those of these pixels.
        let pixels: Vec<f32> = features.iter().map(|f| *f as f32).collect();
        let mut variance: Vec<Double> = pixels
            .chunks_exact(self.shape[2])
            .map(|pixel| pixel.iter().fold(Double::default(), |v, f| v + Double::square(f64::from(*f))))
            .collect();
        // `variance` is the true one divided by 4^unit.
        let mut unit = 0;
        for level in 0..=self.layers.len() {
            let mut put = |entry: usize, numbers: [i32; 2]| {
                if let Some(place) = out.get_mut(2 * entry..2 * entry + 2) {
                    place.copy_from_slice(&numbers);
                }
            };
            let next = self.layers.get(level).map(|layer| self.behind(layer, level, &variance, unit));
            // 1.001 leaves room for the rounding of s.
            let peak =
                next.as_ref().map(|v| 1.001 * v.iter().fold(0.0, |peak: f64, v| peak.max(v.hi)).sqrt());
            let shift = match peak {
                Some(peak) if peak > 0.0 => exponent(peak) + 1 - BITS,
                Some(_) => 0,
                None => 1,
            };
            put(level, [unit + shift, 0]);
            if level == 0 {
                for (at, f) in pixels.iter().enumerate() {
                    put(self.map(0) + at, factor(Double::from(f64::from(*f)).scaled(-shift)));
                }
            } else {
                for (t, v) in variance.iter().enumerate() {
                    put(self.place(level, t), factor(v.sqrt().scaled(-shift)));
                }
            }
            unit += shift;
            variance = next.unwrap_or_default().into_iter().map(|v| v.scaled(-2 * shift)).collect();
        }
    }

    /// Σ_window v + bias of one layer, rows first.
    fn behind(&self, layer: &Layer, level: usize, variance: &[Double], unit: i32) -> Vec<Double> {
        let [rows, columns] = self.extent(level);
        let bias = match layer.action {
            Action::Kinked { bias: Some(b), .. } => scaled(b.mantissa, b.exponent.saturating_sub(2 * unit)),
            _ => 0.0,
        };
        let taps = |out: usize, axis: usize, n: usize| {
            (0..layer.window[axis]).filter_map(move |tap| match self.padding {
                Padding::Circular => Some((out + tap + n - layer.before[axis]) % n),
                _ => (out + tap).checked_sub(layer.before[axis]).filter(|&at| at < n),
            })
        };
        let mut sums = Vec::with_capacity(layer.extent.iter().product());
        for row in 0..layer.extent[0] {
            let mut column_sums = vec![Double::default(); columns];
            for source in taps(row, 0, rows) {
                for (sum, v) in column_sums.iter_mut().zip(&variance[source * columns..]) {
                    *sum = *sum + *v;
                }
            }
            for column in 0..layer.extent[1] {
                sums.push(
                    taps(column, 1, columns)
                        .fold(Double::from(bias), |sum, source| sum + column_sums[source]),
                );
            }
        }
        sums
    }
}

/// x·2⁻¹⁶ + c, as the whole x and the bits of 0 ≤ c < 2⁻¹⁶ in float32.
fn factor(value: Double) -> [i32; 2] {
    let whole = (65_536.0 * value.hi).floor();
    let rest = (value.hi - whole / 65_536.0) + value.lo;
    [whole as i32, (rest as f32).to_bits() as i32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_exact() {
        for value in [0.0, 1.0, 12_345.678_901_234_5, -0.3, -16_000.000_01, 1e-7, 3f64.sqrt() * 5_000.0] {
            let [whole, rest] = factor(Double::from(value));
            let rest = f64::from(f32::from_bits(rest as u32));
            let back = f64::from(whole) / 65_536.0 + rest;
            assert!((back - value).abs() < 1e-12 && (0.0..=1.6e-5).contains(&rest), "{value}: {back}");
        }
    }
}
