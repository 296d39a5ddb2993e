//! Means and their standard errors, the same bits in whatever pieces they are gathered.

use ndarray::{Array2, Zip};

/// Sums over networks of each entry of a matrix: number, mean, and the sum of squares around it.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    count: f64,
    mean: Array2<f64>,
    squares: Array2<f64>,
}

impl Moments {
    pub(crate) fn new(shape: (usize, usize)) -> Moments {
        Moments { count: 0.0, mean: Array2::zeros(shape), squares: Array2::zeros(shape) }
    }

    /// Adds one network (Welford).
    pub(crate) fn add(&mut self, value: &Array2<f64>) {
        self.count += 1.0;
        let count = self.count;
        Zip::from(&mut self.mean).and(&mut self.squares).and(value).for_each(|mean, squares, x| {
            let before = x - *mean;
            *mean += before / count;
            *squares += before * (x - *mean);
        });
    }

    /// The means, and the standard error of each; NaN of a single network.
    pub(crate) fn estimate(self) -> [Array2<f64>; 2] {
        let scale = 1.0 / (self.count * (self.count - 1.0));
        [self.mean, self.squares.mapv(|squares| (squares * scale).sqrt())]
    }
}
