//! Regularised ZCA whitening of flattened samples, as "Neural Kernels Without Tangents" (Shankar et al., ICML 2020) prepares
//! images.

use ekernel_core::Samples;
use faer::{Accum, Mat, MatRef, Par, Side, linalg::matmul::matmul};
use faer_ext::{IntoFaer, IntoNdarray};
use ndarray::{Array2, ArrayView2, Axis};

use crate::error::DataError;
use crate::memory;
use crate::place::Place;

/// Whitens samples x of d numbers: u(x) W, where u(x) = (x − mean(x))/‖x − mean(x)‖ brings each sample to mean 0 and norm 1 by
/// itself, and W = (C + bias·1)^(−1/2) with the second moments C = (1/n) Σ u(xᵢ)ᵀu(xᵢ) of the training samples. Everything is
/// computed in float64.
#[derive(Clone, Debug, PartialEq)]
pub struct Whitening {
    bias: f64,
    shape: Vec<usize>,
    matrix: Array2<f64>,
}

/// Rows of a matrix in each part that faer divides it into, so that sums do not depend on the threads of the machine.
const ROWS: usize = 256;

/// Deviations below this share of the magnitude are rounding, not variation.
const CONSTANT: f64 = 1e-12;

impl Whitening {
    /// Takes W from the training samples; it costs about 10 d³ operations.
    ///
    /// # Errors
    /// [`DataError::NormalizationMolecules`] for molecules; [`DataError::TooLarge`] and [`DataError::Allocation`] where the
    /// matrices of d × d numbers have no room; [`DataError::NoConvergence`].
    pub(crate) fn fit(bias: f64, train: &Samples) -> Result<Whitening, DataError> {
        let shape = train.sample_shape();
        let text = || format!("zca:{bias}");
        let units = units(train).ok_or_else(|| DataError::NormalizationMolecules { text: text() })?;
        let (n, d) = units.dim();
        // C, its eigenvectors, their multiples, W, and what the decomposition works on.
        memory::ensure_fits(&Place::file("the ZCA whitening"), 6 * 8 * d as u128 * d as u128)?;
        let parts = Par::rayon(d.div_ceil(ROWS).min(32));
        let units = units.view().into_faer();
        let mut moments = Mat::zeros(d, d);
        matmul(moments.as_mut(), Accum::Replace, units.transpose(), units, 1.0 / n as f64, parts);
        let eigen = moments
            .self_adjoint_eigen(Side::Lower)
            .map_err(|_| DataError::NoConvergence { what: "the ZCA whitening", size: d })?;
        let basis = eigen.U();
        let values = eigen.S().column_vector();
        // Second moments have no negative eigenvalues but by rounding.
        let scale = |k: usize| (values[k].max(0.0) + bias).powf(-0.5);
        let scaled = Mat::from_fn(d, d, |i, k| basis[(i, k)] * scale(k));
        let mut matrix = Mat::zeros(d, d);
        matmul(matrix.as_mut(), Accum::Replace, scaled.as_ref(), basis.transpose(), 1.0, parts);
        Ok(Whitening { bias, shape, matrix: matrix.as_ref().into_ndarray().to_owned() })
    }

    /// What is added to the second moments.
    pub fn bias(&self) -> f64 {
        self.bias
    }

    /// Whitens samples.
    ///
    /// # Errors
    /// [`DataError::NormalizationShape`] for samples of another shape than the training samples.
    pub(crate) fn apply(&self, samples: Samples) -> Result<Samples, DataError> {
        let found = samples.sample_shape();
        let Some(units) = units(&samples).filter(|_| found == self.shape) else {
            return Err(DataError::NormalizationShape { fitted: self.shape.clone(), found });
        };
        let white = product(units.view(), self.matrix.view());
        Ok(match samples {
            Samples::Vectors(_) | Samples::Molecules(_) => Samples::Vectors(white),
            Samples::Images(images) => Samples::Images(shaped(white, images.dim())),
            Samples::Spheres(spheres) => Samples::Spheres(shaped(white, spheres.dim())),
        })
    }
}

fn product(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Array2<f64> {
    let (a, b): (MatRef<'_, f64>, MatRef<'_, f64>) = (a.into_faer(), b.into_faer());
    let mut c = Mat::zeros(a.nrows(), b.ncols());
    let parts = Par::rayon(b.ncols().div_ceil(ROWS).min(32));
    matmul(c.as_mut(), Accum::Replace, a, b, 1.0, parts);
    // faer's matrices are column-major.
    c.as_ref().into_ndarray().as_standard_layout().into_owned()
}

fn shaped(rows: Array2<f64>, shape: (usize, usize, usize, usize)) -> ndarray::Array4<f64> {
    rows.into_shape_with_order(shape).expect("as many numbers as the samples have, in their order")
}

/// u(x) of each sample, one in a row; a constant sample becomes zero. Nothing of molecules.
fn units(samples: &Samples) -> Option<Array2<f64>> {
    let flat = |n: usize, values: Vec<f64>| {
        Array2::from_shape_vec((n, values.len() / n.max(1)), values).expect("samples have one shape")
    };
    let mut units = match samples {
        Samples::Vectors(x) => x.clone(),
        Samples::Images(x) | Samples::Spheres(x) => flat(x.len_of(Axis(0)), x.iter().copied().collect()),
        Samples::Molecules(_) => return None,
    };
    for mut row in units.rows_mut() {
        let mean = row.sum() / row.len() as f64;
        row -= mean;
        let norm = row.dot(&row).sqrt();
        let constant = norm <= CONSTANT * mean.abs() * (row.len() as f64).sqrt();
        if constant { row.fill(0.0) } else { row /= norm }
    }
    Some(units)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array4, array, s};

    use super::*;

    /// Images whose neighbours are alike.
    fn images(n: usize) -> Samples {
        Samples::Images(Array4::from_shape_fn((n, 4, 3, 2), |(i, y, x, c)| {
            let t = i as f64;
            (0.7 * t + 0.3 * y as f64).sin()
                + (1.3 * t * t + 0.2 * x as f64).cos()
                + 0.1 * (3.1 * t).sin() * c as f64
        }))
    }

    /// The moments of what was whitened are (C + bias)^(−1/2) C (C + bias)^(−1/2), with eigenvalues c/(c + bias).
    #[test]
    fn moments_become_those_of_the_regularised_whitening() {
        for bias in [1e-2, 1e-4] {
            let train = images(200);
            let whitening = Whitening::fit(bias, &train).unwrap();
            let before = units(&train).unwrap();
            let Samples::Images(white) = whitening.apply(train).unwrap() else { panic!("images expected") };
            let white = white.into_shape_with_order((200, 24)).unwrap();
            let moments = |x: &Array2<f64>| x.t().dot(x) / 200.0;
            let (c, found) = (moments(&before), moments(&white));
            // In the basis-free form: W C W, and W (C + bias) W = 1.
            let w = &whitening.matrix;
            assert!((w - &w.t()).iter().all(|x| x.abs() < 1e-9), "W is symmetric");
            let eye = Array2::<f64>::eye(24);
            let one = w.dot(&(&c + &(bias * &eye))).dot(w);
            assert!((one - eye).iter().all(|x| x.abs() < 1e-9));
            assert!((found - w.dot(&c).dot(w)).iter().all(|x| x.abs() < 1e-9));
        }
    }

    /// By hand: u = (±1, ∓1)/√2, C = [[½, −½], [−½, ½]] with eigenvalues 0 and 1, so W u = u/√(1 + bias).
    #[test]
    fn two_features_by_hand() {
        let train = Samples::Vectors(array![[3.0, 1.0], [0.0, 5.0]]);
        let whitening = Whitening::fit(0.44, &train).unwrap();
        let test = Samples::Vectors(array![[10.0, 0.0], [7.0, 7.0]]);
        let Samples::Vectors(white) = whitening.apply(test).unwrap() else { panic!("vectors expected") };
        let expected = 0.5f64.sqrt() / 1.2;
        assert!(
            (&white - &array![[expected, -expected], [0.0, 0.0]]).iter().all(|x| x.abs() < 1e-14),
            "{white}"
        );
    }

    /// Fitted to images and their mirror images it commutes with mirroring.
    #[test]
    fn fitted_to_both_it_commutes_with_mirrors() {
        let Samples::Images(train) = images(50) else { panic!("images expected") };
        let mirrored = |x: &Array4<f64>| x.slice(s![.., .., ..;-1, ..]).to_owned();
        let both = ndarray::concatenate(Axis(0), &[train.view(), mirrored(&train).view()]).unwrap();
        let whitening = Whitening::fit(1e-3, &Samples::Images(both)).unwrap();
        let white = |x: Array4<f64>| match whitening.apply(Samples::Images(x)).unwrap() {
            Samples::Images(x) => x,
            _ => panic!("images expected"),
        };
        let (one, other) = (mirrored(&white(train.clone())), white(mirrored(&train)));
        assert!((one - other).iter().all(|x| x.abs() < 1e-9));
    }

    #[test]
    fn other_shapes_and_molecules_are_refused() {
        let whitening = Whitening::fit(1e-4, &images(5)).unwrap();
        let refused = whitening.apply(Samples::Images(Array4::zeros((1, 3, 4, 2)))).unwrap_err().to_string();
        assert!(refused.contains("[4, 3, 2]") && refused.contains("[3, 4, 2]"), "{refused}");
        let refused = Whitening::fit(1e-4, &Samples::Molecules(Vec::new())).unwrap_err().to_string();
        assert!(refused.contains("molecules"), "{refused}");
    }
}
