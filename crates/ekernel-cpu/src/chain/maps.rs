use ekernel_core::{
    double::{Double, exponent, scaled},
    plan::Form,
};

use super::{
    kink::MAPS,
    layers::{Chain, ChainError, Dual, Entry, Padding},
};
use crate::simd::{Aligned, Real};

/// What one image brings to all its pairs: its pixels and, behind every layer, the standard deviations
/// s(t) = √K_ff(t,t) of its own kernel.
///
/// `values` lies in one piece, [`Chain::map_len`] numbers: first the pixels `[row][column][channel]`, then for
/// each layer `[row][column][s leading, s trailing, 1/s]`. s is computed in twice the precision of f64 and handed on
/// as a sum of two numbers, because u = ss' - K is what the planes carry and its convolution cancels.
/// For `Circular` each row is stored twice in a row.
#[derive(Clone, Debug)]
pub struct ImageMaps<T> {
    pub(crate) values: Vec<T>,
    /// Largest s of each level, where there are defects.
    pub(crate) peaks: Vec<f64>,
    /// log₂ of the factor by which s is divided behind each level, so that it stays in the range of T.
    pub(crate) shifts: Vec<i32>,
}

impl Chain {
    /// The maps of one image, pixels as `[row][column][channel]`. Every finite image is fine.
    pub fn maps<T: Real>(&self, image: &[T]) -> Result<ImageMaps<T>, ChainError> {
        let [rows, columns, channels] = self.shape;
        let expected = rows * columns * channels;
        if image.len() != expected {
            return Err(ChainError::Image { expected, got: image.len() });
        }
        if let Some(index) = image.iter().position(|f| self.nonnegative && f.wide() < 0.0) {
            return Err(ChainError::Negative { index, value: image[index].wide() });
        }
        let mut maps = self.no_maps();
        if self.is_plain() {
            self.store_rows(image, 0, &mut maps.values);
            let pixels = image.chunks_exact(channels);
            let square = |sum: f64, f: &T| sum + f.wide() * f.wide();
            self.plain_maps(
                pixels.map(|pixel| pixel.iter().fold(0.0, square) / channels as f64).collect(),
                &mut maps,
            );
            return Ok(maps);
        }

        // Pixels are brought near 1 first: their squares may leave the range of T, and even of f64.
        let brightest = image.iter().map(|f| f.wide().abs()).fold(0.0, f64::max);
        let shift = self.magnitude(0, brightest, 0).unwrap_or(0);
        let pixels: Vec<T> = image.iter().map(|f| T::of(scaled(f.wide(), -shift))).collect();
        let variance: Vec<Double> = pixels
            .chunks_exact(channels)
            .map(|pixel| pixel.iter().fold(Double::default(), |v, f| v + Double::square(f.wide())))
            .collect();
        self.store_rows(&pixels, 0, &mut maps.values);
        maps.peaks.push(peak(&variance));
        maps.shifts.push(shift);
        self.kinked_maps(variance, &mut maps);
        Ok(maps)
    }

    /// The maps of an image whose kernel with itself has this variance, position by position, where the chain begins.
    pub(crate) fn maps_behind<T: Real>(&self, variance: &[f64]) -> ImageMaps<T> {
        let mut maps = self.no_maps();
        if self.is_plain() {
            if self.entry == Entry::Plane(Form::Defect) {
                let std: Vec<T> = variance.iter().map(|v| T::of(v.sqrt())).collect();
                self.store_rows(&std, 0, &mut maps.values);
            }
            self.plain_maps(variance.to_vec(), &mut maps);
            return maps;
        }
        let brightest = variance.iter().fold(0.0, |brightest: f64, v| brightest.max(*v)).sqrt();
        let shift = self.magnitude(0, brightest, 0).unwrap_or(0);
        let variance: Vec<Double> = variance.iter().map(|v| Double::from(scaled(*v, -2 * shift))).collect();
        let peak = peak(&variance);
        self.store_rows(&self.positions::<T>(&variance, peak), 0, &mut maps.values);
        maps.peaks.push(peak);
        maps.shifts.push(shift);
        self.kinked_maps(variance, &mut maps);
        maps
    }

    /// Maps with room for all levels.
    fn no_maps<T: Real>(&self) -> ImageMaps<T> {
        ImageMaps { values: Vec::with_capacity(self.map_len()), peaks: vec![], shifts: vec![] }
    }

    /// The maps behind the layers of kinked activations, of the variance at level 0 divided by 4^shift.
    fn kinked_maps<T: Real>(&self, mut variance: Vec<Double>, maps: &mut ImageMaps<T>) {
        let mut total = maps.shifts[0];
        for (index, layer) in self.layers.iter().enumerate() {
            let bias = layer.bias.map_or(0.0, |b| scaled(b.mantissa, b.exponent.saturating_sub(2 * total)));
            variance = self.window_sums(index, &variance, bias);
            let peak = peak(&variance);
            let positions = self.positions(&variance, peak);
            self.store_rows(&positions, index + 1, &mut maps.values);
            let magnitude = self.magnitude(index + 1, peak, total).unwrap_or(0);
            let shift = if magnitude.abs() > T::RANGE { magnitude } else { 0 };
            if shift != 0 {
                variance.iter_mut().for_each(|v| *v = v.scaled(-2 * shift));
            }
            maps.peaks.push(peak);
            maps.shifts.push(shift);
            total += shift;
        }
    }

    /// The maps behind the layers of smooth activations: what the duals need of each position.
    fn plain_maps<T: Real>(&self, mut variance: Vec<f64>, maps: &mut ImageMaps<T>) {
        for (index, layer) in self.layers.iter().enumerate() {
            let Dual::Plain(plain) = layer.dual else { continue };
            let doubles: Vec<Double> = variance.iter().map(|v| Double::from(*v)).collect();
            variance =
                self.window_sums(index, &doubles, 0.0).iter().map(|sum| plain.variance(sum.hi)).collect();
            let numbers = |v: &f64| plain.smooth.numbers(*v).into_iter().take(plain.smooth.count());
            let positions: Vec<T> = variance.iter().flat_map(numbers).map(T::of).collect();
            self.store_rows(&positions, index + 1, &mut maps.values);
            variance.iter_mut().for_each(|v| *v = plain.smooth.variance(*v));
        }
        let levels = self.layers.len() + 1;
        (maps.peaks, maps.shifts) = (vec![0.0; levels], vec![0; levels]);
    }

    /// log₂ of the larger of the s of this level and of the bias that the next layer will add, both of an image
    /// that has been divided by 2^`shifted` so far; nothing if both are zero or no layer follows.
    fn magnitude(&self, level: usize, peak: f64, shifted: i32) -> Option<i32> {
        let layer = self.layers.get(level)?;
        let own = (peak > 0.0).then(|| exponent(peak));
        own.max(layer.bias.map(|b| b.exponent.div_euclid(2) - shifted))
    }

    /// The three maps of each position.
    fn positions<T: Real>(&self, variance: &[Double], peak: f64) -> Vec<T> {
        let mut positions = Vec::with_capacity(variance.len() * MAPS);
        for v in variance {
            let s = v.sqrt();
            let leading = T::of(s.hi);
            let inverse = if s.hi > T::NEGLIGIBLE * peak { T::of(1.0 / s.hi) } else { T::default() };
            positions.extend([leading, T::of((s.hi - leading.wide()) + s.lo), inverse]);
        }
        positions
    }

    /// Appends a level, each row twice for `Circular`.
    fn store_rows<T: Real>(&self, level_values: &[T], level: usize, values: &mut Vec<T>) {
        let repeats = if self.padding == Padding::Circular { 2 } else { 1 };
        for row in level_values.chunks_exact(self.domain(level)[1] * self.depth(level)) {
            (0..repeats).for_each(|_| values.extend_from_slice(row));
        }
    }

    /// Σ_window v + bias of one layer, rows first.
    fn window_sums(&self, index: usize, variance: &[Double], bias: f64) -> Vec<Double> {
        let layer = &self.layers[index];
        let [rows, columns] = self.domain(index);
        // The position that a tap reads, if there is one.
        let tap = |out: usize, tap: usize, before: usize, n: usize| match self.padding {
            Padding::Circular => Some((out + tap + n - before) % n),
            _ => (out + tap).checked_sub(before).filter(|&position| position < n),
        };
        let mut sums = Vec::with_capacity(layer.out[0] * layer.out[1]);
        for row in 0..layer.out[0] {
            let mut column_sums = vec![Double::default(); columns];
            for source in
                (0..layer.window[0]).filter_map(|y| tap(row * layer.strides[0], y, layer.before[0], rows))
            {
                for (sum, v) in column_sums.iter_mut().zip(&variance[source * columns..]) {
                    *sum = *sum + *v;
                }
            }
            for column in 0..layer.out[1] {
                let start = column * layer.strides[1];
                let taps = (0..layer.window[1]).filter_map(|x| tap(start, x, layer.before[1], columns));
                sums.push(taps.fold(Double::from(bias), |sum, source| sum + column_sums[source]));
            }
        }
        sums
    }
}

/// The largest standard deviation.
fn peak(variance: &[Double]) -> f64 {
    variance.iter().fold(0.0, |peak: f64, v| peak.max(v.hi)).sqrt()
}

/// The first image of each lane's pair.
#[derive(Clone, Copy, Debug)]
pub enum First<'a, T> {
    /// One image for all lanes.
    Image(&'a ImageMaps<T>),
    /// Lane i is the pair (x_i, x_i) of the pack's image i with itself.
    Itself,
}

/// The maps of up to a register of second images, interleaved: as in [`ImageMaps`], then by lane.
#[derive(Clone, Debug)]
pub struct Pack<T> {
    pub(crate) values: Aligned<T>,
    pub(crate) lanes: usize,
    /// `[level][lane]`
    pub(crate) peaks: Vec<f64>,
    /// `[level][lane]`
    pub(crate) shifts: Vec<i32>,
}

impl<T: Real> Pack<T> {
    /// Interleaves the maps of `images` (of one chain) into `lanes` lanes; lanes without an image are black.
    ///
    /// # Panics
    /// If there are more images than lanes, or images of different chains.
    pub fn new(lanes: usize, images: &[&ImageMaps<T>]) -> Self {
        assert!(images.len() <= lanes, "{} images do not fit into {lanes} lanes", images.len());
        let len = images.first().map_or(0, |image| image.values.len());
        let levels = images.first().map_or(0, |image| image.peaks.len());
        let mut pack = Self {
            values: Aligned::zeros_in_large_pages(len * lanes),
            lanes,
            peaks: vec![0.0; levels * lanes],
            shifts: vec![0; levels * lanes],
        };
        for (lane, image) in images.iter().enumerate() {
            assert!(image.values.len() == len && image.peaks.len() == levels, "images of different chains");
            for (into, &value) in
                pack.values.as_mut_slice()[lane..].iter_mut().step_by(lanes).zip(&image.values)
            {
                *into = value;
            }
            for level in 0..levels {
                pack.peaks[level * lanes + lane] = image.peaks[level];
                pack.shifts[level * lanes + lane] = image.shifts[level];
            }
        }
        pack
    }
}
