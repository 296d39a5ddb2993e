use ekernel_core::{Domain, Samples};
use ndarray::{Array2, Axis};

/// The kernels of a pair of samples at one layer, on all pairs of positions.
///
/// Positions are numbered slot by slot and row by row: (r, y, x) of a group grid is r·H·W + y·W + x with r the index into
/// [`Group::elements`](ekernel_core::Group::elements), (y, x) of a grid is y·W + x, and a vector has the one position 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// What the positions are.
    pub domain: Domain,
    /// K, shape (positions, positions): the first sample's position, then the second's.
    pub nngp: Array2<f64>,
    /// Θ, shape (positions, positions).
    pub ntk: Array2<f64>,
}

impl Field {
    /// K⁰(x, x') = (1/C) Σ_c f_c(x) f'_c(x'), Θ⁰ = 0, of features (positions, C).
    pub(crate) fn input(domain: Domain, f: &Array2<f64>, fp: &Array2<f64>) -> Field {
        let channels = f.ncols();
        let nngp = Array2::from_shape_fn((f.nrows(), fp.nrows()), |(t, tp)| {
            (0..channels).map(|c| f[[t, c]] * fp[[tp, c]]).sum::<f64>() / channels as f64
        });
        let ntk = Array2::zeros(nngp.dim());
        Field { domain, nngp, ntk }
    }

    /// The same map of K and of Θ.
    pub(crate) fn map(&self, domain: Domain, map: impl Fn(&Array2<f64>) -> Array2<f64>) -> Field {
        Field { domain, nngp: map(&self.nngp), ntk: map(&self.ntk) }
    }

    /// K(p, p), the variances if this is a sample with itself.
    pub(crate) fn diagonal(&self) -> Vec<f64> {
        self.nngp.diag().to_vec()
    }
}

/// Sample i as features, shape (positions, channels).
pub(crate) fn features(samples: &Samples, i: usize) -> Array2<f64> {
    match samples {
        Samples::Vectors(x) => x.row(i).to_owned().insert_axis(Axis(0)),
        Samples::Images(x) => {
            let image = x.index_axis(Axis(0), i);
            let (height, width, channels) = image.dim();
            Array2::from_shape_fn((height * width, channels), |(t, c)| image[[t / width, t % width, c]])
        }
        // Signals on the sphere are not fields on finitely many positions.
        Samples::Spheres(_) | Samples::Molecules(_) => Array2::zeros((0, 0)),
    }
}
