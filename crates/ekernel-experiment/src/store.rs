//! Predictions and scores in a file.

use std::path::Path;

use ekernel_core::Samples;
use ekernel_data::{Output, Targets, write_npz};
use ekernel_predict::argmax;
use ndarray::{Array1, Array2, Array3, ArrayView2, Axis};

use crate::{error::ExperimentError, outcome::Outcome};

impl Outcome<'_> {
    /// Stores predictions and scores in an .npz file, with an entry of the first axis for each network: `mean`
    /// (networks, n_test, outputs) is that of the last draw of the largest n. docs/files.md lists the arrays.
    ///
    /// # Errors
    /// [`ExperimentError::Data`] where the file cannot be written, [`ExperimentError::NoDraws`] without networks.
    pub fn write(&self, path: &Path) -> Result<(), ExperimentError> {
        let Some(first) = self.networks.first() else { return Err(ExperimentError::NoDraws) };
        let metadata = self.metadata()?;
        let (samples, outputs) = first.curve.last.mean.dim();
        let count = self.networks.len();
        let last = || self.networks.iter().map(|network| &network.curve.last);
        let means = stacked(last().map(|last| last.mean.view()));
        let scales = Array2::from_shape_fn((count, outputs), |(i, k)| self.networks[i].curve.last.scale[k]);
        let mut arrays: Vec<(&str, Output<'_>)> = Vec::new();
        arrays.extend(means.as_ref().map(|means| ("mean", means.into())));
        // Of one network: several are refused with covariances.
        if count == 1 {
            let last = &first.curve.last;
            arrays.extend(last.covariance.as_ref().map(|covariance| ("cov", covariance.into())));
            arrays.extend(last.std.as_ref().map(|std| ("std", std.into())));
        }
        if self.training.standardize {
            arrays.push(("target_scale", (&scales).into()));
        }
        arrays.push(("names", self.problem.test_names.as_slice().into()));
        let labels: Option<Array1<i64>> = match &self.problem.test_targets {
            Some(Targets::Classes { labels, .. }) => Some(labels.iter().map(|&label| label as i64).collect()),
            _ => None,
        };
        arrays.extend(labels.as_ref().map(|labels| ("test_targets", labels.into())));
        if let Some(Targets::Regression(values)) = &self.problem.test_targets {
            arrays.push(("test_targets", values.into()));
        }
        if let Samples::Vectors(x) = &*self.problem.test {
            arrays.push(("test_samples", x.into()));
        }
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
        let (times, time_scores) = self.time_scores();
        if !times.is_empty() {
            arrays.push(("times", (&times).into()));
            arrays.push(("time_scores", (&time_scores).into()));
        }
        arrays.push(("networks", networks.as_slice().into()));
        arrays.push(("metadata", metadata.as_str().into()));
        write_npz(path, &arrays)?;
        Ok(())
    }
}

impl Outcome<'_> {
    /// Training times, and scores (networks, times, draws), NaN behind those of fewer draws.
    fn time_scores(&self) -> (Array1<f64>, Array3<f64>) {
        let points = |network: usize| &self.networks[network].times;
        let times: Array1<f64> = points(0).iter().map(|point| point.time.eta_t()).collect();
        let draws = points(0).iter().map(|point| point.point.scores.len()).max().unwrap_or(0);
        let scores = Array3::from_shape_fn((self.networks.len(), times.len(), draws), |(i, j, k)| {
            points(i)[j].point.scores.get(k).copied().unwrap_or(f64::NAN)
        });
        (times, scores)
    }
}

/// Matrices of one shape one behind another.
fn stacked<'a>(matrices: impl Iterator<Item = ArrayView2<'a, f64>>) -> Option<Array3<f64>> {
    let matrices: Vec<ArrayView2<'a, f64>> = matrices.collect();
    ndarray::stack(Axis(0), &matrices).ok()
}
