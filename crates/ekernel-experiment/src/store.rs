//! Predictions and scores in a file.

use std::path::Path;

use ekernel_data::{Output, write_npz};
use ekernel_predict::argmax;
use ndarray::{Array1, Array2, Array3};

use crate::{error::ExperimentError, outcome::Outcome};

impl Outcome<'_> {
    /// Stores predictions and scores in an .npz file. `mean` is (n_test, outputs), with several networks (networks, n_test,
    /// outputs), that of the last draw of the largest n; `names` are those of the test samples.
    ///
    /// # Errors
    /// [`ExperimentError::Data`] where the file cannot be written, [`ExperimentError::NoDraws`] without networks.
    pub fn write(&self, path: &Path) -> Result<(), ExperimentError> {
        let Some(first) = self.networks.first() else { return Err(ExperimentError::NoDraws) };
        let metadata = self.metadata()?;
        let last = &first.curve.last;
        let (samples, outputs) = last.mean.dim();
        let count = self.networks.len();
        let means = Array3::from_shape_fn((count, samples, outputs), |(i, j, k)| {
            self.networks[i].curve.last.mean[(j, k)]
        });
        let mut arrays: Vec<(&str, Output<'_>)> = Vec::new();
        arrays.push(if count == 1 { ("mean", (&last.mean).into()) } else { ("mean", (&means).into()) });
        if let Some(covariance) = &last.covariance {
            arrays.push(("cov", covariance.into()));
        }
        arrays.push(("names", self.problem.test_names.as_slice().into()));
        let mut predicted = Array2::<i64>::zeros((count, samples));
        let names = self.classes();
        if let Some(names) = &names {
            for (mut row, network) in predicted.outer_iter_mut().zip(self.networks) {
                let labels = argmax(network.curve.last.mean.view())?;
                row.assign(&labels.into_iter().map(|label| label as i64).collect::<Array1<_>>());
            }
            arrays.push(("predicted", (&predicted).into()));
            arrays.push(("class_names", names.as_slice().into()));
        }
        let points = &first.curve.points;
        let sizes: Array1<i64> = points.iter().map(|point| point.n as i64).collect();
        let draws = points.iter().map(|point| point.scores.len()).max().unwrap_or(0);
        // A size with fewer draws than others leaves NaN behind its own.
        let scores = Array3::from_shape_fn((count, points.len(), draws), |(i, j, k)| {
            self.networks[i].curve.points[j].scores.get(k).copied().unwrap_or(f64::NAN)
        });
        let networks: Vec<String> = self.networks.iter().map(|network| network.facts.name.clone()).collect();
        arrays.push(("n", (&sizes).into()));
        if draws > 0 {
            arrays.push(("scores", (&scores).into()));
        }
        arrays.push(("networks", networks.as_slice().into()));
        arrays.push(("metadata", metadata.as_str().into()));
        write_npz(path, &arrays)?;
        Ok(())
    }
}
