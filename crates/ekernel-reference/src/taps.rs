//! Which positions a window covers, in every orientation.

use ekernel_core::{GroupElement, Padding, Window};
use ndarray::Array2;

/// For every output position, the input positions under the window turned by `orientation`, in the order of the window's
/// own rows and columns; `None` beyond the border.
///
/// Output position T has its window centred at c = s·T − low + (q−1)/2, and tap a, at a − (q−1)/2 from the centre, reads
/// c + orientation·(a − (q−1)/2). Centres and taps are counted in half pixels, so that even windows have them too.
pub(crate) fn positions(
    window: &Window,
    extent: [usize; 2],
    orientation: GroupElement,
) -> Vec<Vec<Option<usize>>> {
    let output = window.output(extent);
    let low = window.low(extent);
    let size = window.size.map(|q| q as isize);
    let mut all = Vec::with_capacity(output[0] * output[1]);
    for row in 0..output[0] {
        for col in 0..output[1] {
            let centre = |axis: usize, t: usize| {
                2 * ((window.strides[axis] * t) as isize - low[axis] as isize) + size[axis] - 1
            };
            let [cy, cx] = [centre(0, row), centre(1, col)];
            let mut taps = Vec::with_capacity(window.area());
            for a in 0..size[0] {
                for b in 0..size[1] {
                    let [dy, dx] = orientation.act([2 * a - (size[0] - 1), 2 * b - (size[1] - 1)]);
                    taps.push(pixel(window, extent, [(cy + dy).div_euclid(2), (cx + dx).div_euclid(2)]));
                }
            }
            all.push(taps);
        }
    }
    all
}

/// The number of a pixel, wrapped if the window is circular.
fn pixel(window: &Window, extent: [usize; 2], [y, x]: [isize; 2]) -> Option<usize> {
    let [height, width] = extent.map(|n| n as isize);
    match window.padding {
        Padding::Circular => Some((y.rem_euclid(height) * width + x.rem_euclid(width)) as usize),
        Padding::Valid | Padding::Same => {
            let inside = (0..height).contains(&y) && (0..width).contains(&x);
            inside.then_some((y * width + x) as usize)
        }
    }
}

/// (1/|S|) Σ_h tensor(p·h, p'·h), the positions p·h being `taps[p][h]`; taps beyond the border count as zero.
pub(crate) fn mean_over_taps(tensor: &Array2<f64>, taps: &[Vec<Option<usize>>]) -> Array2<f64> {
    let count = taps.first().map_or(1, Vec::len);
    let mut mean = Array2::zeros((taps.len(), taps.len()));
    for (mut sums, own) in mean.rows_mut().into_iter().zip(taps) {
        for (h, tap) in own.iter().enumerate() {
            let Some(tap) = *tap else { continue };
            let row = tensor.row(tap);
            for (sum, other) in sums.iter_mut().zip(taps) {
                *sum += other[h].map_or(0.0, |tap| row[tap]);
            }
        }
    }
    mean / count as f64
}
