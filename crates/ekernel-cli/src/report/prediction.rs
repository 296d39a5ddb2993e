//! What `ekernel predict` found: for people, for programs and for the file.

use std::path::Path;

use ekernel_core::Samples;
use ekernel_data::{Output, Targets, write_npz};
use ekernel_predict::argmax;
use ndarray::{Array1, Array2, Array3};
use serde_json::{Value, json};

use super::{counted, duration, number, table::Table, work_line};
use crate::{
    args::Precision,
    commands::predict::Predict,
    curve::{Curve, Draws, Point},
    inputs::{Problem, class_names},
    kernels::Work,
    learner::Score,
    output,
    plot::curves::{Curves, Line},
};

/// Confusions of more classes than this are left to `--json` and `--plot`.
const CLASSES_SHOWN: usize = 20;

/// The outcome of one network.
pub(crate) struct Result {
    pub(crate) name: String,
    pub(crate) file: String,
    /// Canonical text of the architecture.
    pub(crate) architecture: String,
    pub(crate) backend: String,
    pub(crate) precision: Precision,
    pub(crate) work: Work,
    pub(crate) solve_seconds: f64,
    pub(crate) curve: Curve,
}

/// Everything there is to report.
pub(crate) struct Report<'a> {
    pub(crate) arguments: &'a Predict,
    pub(crate) problem: &'a Problem,
    pub(crate) draws: &'a Draws,
    pub(crate) results: &'a [Result],
}

impl Report<'_> {
    /// The confusion in the last draw of the largest size, of one network on classes.
    fn last_confusion(&self) -> String {
        let [
            Result {
                curve: Curve { points, last_score: Some(Score::Classes { confusion, .. }), .. }, ..
            },
        ] = self.results
        else {
            return String::new();
        };
        let Some(point) = points.last() else { return String::new() };
        let draw = if point.scores.len() > 1 { "the last draw" } else { "the draw" };
        let classes = class_names(&self.problem.train_targets);
        format!("confusion in {draw} of n = {}\n\n{}", point.n, confusion_table(confusion, &classes))
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = self.headline();
        if self.arguments.n.is_empty() && self.results.len() == 1 {
            text += &self.single(&self.results[0]);
        } else {
            text += &self.comparison();
            text += &self.last_confusion();
        }
        for (option, path) in [("predictions", &self.arguments.out), ("plot", &self.arguments.plot)] {
            if let Some(path) = path {
                text += &format!("{option} in {}\n", path.display());
            }
        }
        text
    }

    fn headline(&self) -> String {
        let Predict { kind, ridge, time, .. } = self.arguments;
        let (train, test) = (&self.problem.train, &self.problem.test);
        let mut text = match (&self.problem.composition, &self.problem.train_targets) {
            (Some(composition), _) => format!(
                "{} training and {} test molecules, {} ({}) without {}\n",
                train.len(),
                test.len(),
                self.problem.property.as_deref().unwrap_or("property"),
                self.problem.measure.stored_unit(),
                composition.describe()
            ),
            (None, targets) => format!(
                "{} training and {} of shape {:?}, {}\n",
                train.len(),
                counted(test.len() as u64, "test sample", "test samples"),
                train.sample_shape(),
                match targets {
                    Targets::Classes { n_classes, .. } => counted(*n_classes as u64, "class", "classes"),
                    Targets::Regression(values) => counted(values.ncols() as u64, "target", "targets"),
                }
            ),
        };
        text += &format!(
            "{}, ridge {ridge}, time {time}, normalisation {}\n",
            kind.name(),
            self.problem.normalizer
        );
        for result in self.results {
            text += &format!(
                "{} on {}: {}; solved in {}\n",
                result.name,
                result.backend,
                work_line(result.work),
                duration(result.solve_seconds)
            );
        }
        text.push('\n');
        text
    }

    fn single(&self, result: &Result) -> String {
        let curve = &result.curve;
        let mut text = String::new();
        if !matches!(self.arguments.ridge, crate::learner::RidgeChoice::Given(_)) {
            text += &format!("ridge {}\n", curve.last.ridge);
        }
        match &curve.last_score {
            Some(Score::Classes { accuracy, confusion }) => {
                let samples = counted(confusion.sum() as u64, "test sample", "test samples");
                text += &format!("accuracy {:.2} % of {samples}\n\n", accuracy * 100.0);
                text += &confusion_table(confusion, &class_names(&self.problem.train_targets));
            }
            Some(Score::Values(scores)) => {
                let (factor, unit) = (self.problem.measure.factor(), self.unit());
                let [mae, rmse] = [scores.mae, scores.rmse].map(|error| number(error * factor));
                text += &format!("MAE {mae}{unit}  RMSE {rmse}{unit}");
                if let Some(point) = curve.composition.last() {
                    text += &format!("  (composition alone: MAE {}{unit})", number(point.mean()));
                }
                text += &scores.r2.map_or_else(
                    || "  R² undefined: the true values do not vary\n".to_owned(),
                    |r2| format!("  R² {r2:.4}\n"),
                );
            }
            None => {
                text += "no test targets: nothing to compare the predictions with; --out stores them\n";
            }
        }
        if let Some(covariance) = &curve.last.covariance {
            let variances = covariance.diag();
            let mean = variances.iter().map(|v| v.max(0.0).sqrt()).sum::<f64>() / variances.len() as f64;
            text += &format!("mean standard deviation of a prediction {}\n", number(mean));
        }
        text
    }

    fn comparison(&self) -> String {
        let what = self.problem.measure.title();
        let columns = self.columns();
        let names = columns.iter().map(|(name, _)| (*name).to_owned());
        let mut table = Table::new(["n".to_owned()].into_iter().chain(names));
        for (row, point) in self.results[0].curve.points.iter().enumerate() {
            let cells = columns.iter().map(|(_, points)| self.cell(&points[row]));
            table.row([point.n.to_string()].into_iter().chain(cells));
        }
        let mut text = if self.arguments.n.is_empty() {
            format!("{what}\n\n{table}")
        } else {
            format!(
                "{what}, mean ± standard deviation over {} of n samples from the same {} (seed {}); one draw where n is \
                 all of them\n\n{table}",
                counted(self.arguments.seeds as u64, "draw", "draws"),
                self.draws.pool.len(),
                self.arguments.seed
            )
        };
        text.push('\n');
        text
    }

    fn cell(&self, point: &Point) -> String {
        if point.scores.is_empty() {
            return "no targets".to_owned();
        }
        let shown = |value: f64| self.problem.measure.shown(value);
        match point.std() {
            Some(std) => format!("{} ± {}", shown(point.mean()), shown(std)),
            None => format!("{}      ", shown(point.mean())),
        }
    }

    /// What is drawn.
    pub(crate) fn curves(&self) -> Curves {
        let measure = self.problem.measure;
        let scale = measure.scale();
        let samples = if self.problem.composition.is_some() { "molecules" } else { "samples" };
        Curves {
            title: format!("Learning curves, {} test {samples}", self.problem.test.len()),
            x: format!("training {samples}"),
            y: measure.title(),
            logarithmic: measure.is_logarithmic(),
            lines: self
                .columns()
                .into_iter()
                .map(|(name, points)| Line {
                    name: name.to_owned(),
                    points: points
                        .iter()
                        .map(|point| (point.n, scale * point.mean(), point.std().map(|std| scale * std)))
                        .collect(),
                })
                .collect(),
        }
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let mut value = self.facts();
        value["out"] = json!(self.arguments.out.as_ref().map(|path| path.display().to_string()));
        value["plot"] = json!(self.arguments.plot.as_ref().map(|path| path.display().to_string()));
        value["threads"] = json!(self.arguments.compute.thread_count());
        if let Some(result) = self.results.first().filter(|result| !result.curve.composition.is_empty()) {
            value["composition"] = result.curve.composition.iter().map(point_json).collect();
        }
        value["networks"] = self
            .results
            .iter()
            .map(|result| {
                let mut entry = result.facts();
                entry["pairs"] = json!(result.work.pairs);
                entry["kernel_seconds"] = json!(result.work.seconds);
                entry["pairs_per_second"] = json!(result.work.pairs_per_second());
                entry["solve_seconds"] = json!(result.solve_seconds);
                entry["curve"] = result.curve.points.iter().map(point_json).collect();
                match &result.curve.last_score {
                    Some(Score::Classes { accuracy, confusion }) => {
                        entry["accuracy"] = json!(accuracy);
                        entry["confusion"] =
                            json!(confusion.outer_iter().map(|row| row.to_vec()).collect::<Vec<_>>());
                    }
                    Some(Score::Values(scores)) => {
                        let factor = self.problem.measure.factor();
                        entry["mae"] = json!(scores.mae * factor);
                        entry["rmse"] = json!(scores.rmse * factor);
                        entry["r2"] = json!(scores.r2);
                    }
                    None => {}
                }
                entry
            })
            .collect();
        value
    }

    /// The networks, and before them, of molecules, what their composition alone says.
    fn columns(&self) -> Vec<(&str, &[Point])> {
        let composition =
            self.results.first().map(|result| &result.curve.composition[..]).unwrap_or_default();
        let alone = (!composition.is_empty()).then_some(("composition", composition));
        let networks = self.results.iter().map(|result| (result.name.as_str(), &result.curve.points[..]));
        alone.into_iter().chain(networks).collect()
    }

    /// ` meV`, or nothing where errors have no known unit.
    fn unit(&self) -> String {
        self.problem.measure.unit().map(|unit| format!(" {unit}")).unwrap_or_default()
    }

    /// What does not change from run to run.
    fn facts(&self) -> Value {
        let arguments = self.arguments;
        let set = |source: &str, samples: &Samples| json!({ "source": source, "samples": samples.len() });
        let mut facts = json!({
            "program": output::PROGRAM,
            "train": set(&arguments.train, &self.problem.train),
            "test": set(&arguments.test, &self.problem.test),
            "sample_shape": self.problem.train.sample_shape(),
            "classes": match &self.problem.train_targets {
                targets @ Targets::Classes { .. } => json!(class_names(targets)),
                Targets::Regression(_) => Value::Null,
            },
            "normalize": self.problem.normalizer.to_string(),
            "kind": arguments.kind.name(),
            "ridge": arguments.ridge.to_string(),
            "time": arguments.time.to_string(),
            "seed": arguments.seed,
            "pool": self.draws.pool.len(),
            "quadrature": crate::args::quadrature_name(arguments.compute.quadrature),
        });
        if let Some(composition) = &self.problem.composition {
            facts["property"] = json!(self.problem.property);
            facts["stored_unit"] = json!(self.problem.measure.stored_unit());
            facts["error_unit"] = json!(self.problem.measure.unit());
            facts["references"] = json!(composition.describe());
        }
        facts
    }

    /// Stores predictions and scores. `mean` is (n_test, outputs), with several networks (networks, n_test, outputs), that of
    /// the last draw of the largest n.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut facts = self.facts();
        facts["networks"] = self.results.iter().map(Result::facts).collect();
        let metadata = facts.to_string();
        let last = &self.results[0].curve.last;
        let (samples, outputs) = last.mean.dim();
        let means: Array3<f64> =
            Array3::from_shape_fn((self.results.len(), samples, outputs), |(i, j, k)| {
                self.results[i].curve.last.mean[(j, k)]
            });
        let mut arrays: Vec<(&str, Output<'_>)> = Vec::new();
        arrays.push(if self.results.len() == 1 {
            ("mean", (&last.mean).into())
        } else {
            ("mean", (&means).into())
        });
        if let Some(covariance) = &last.covariance {
            arrays.push(("cov", covariance.into()));
        }
        let predicted: Array2<i64>;
        let names = class_names(&self.problem.train_targets);
        if let Targets::Classes { .. } = self.problem.train_targets {
            let mut labels = Vec::with_capacity(samples * self.results.len());
            for result in self.results {
                labels.extend(argmax(result.curve.last.mean.view())?.into_iter().map(|label| label as i64));
            }
            predicted = Array2::from_shape_vec((self.results.len(), samples), labels)?;
            arrays.push(("predicted", (&predicted).into()));
            arrays.push(("class_names", names.as_slice().into()));
        }
        let points = &self.results[0].curve.points;
        let sizes: Array1<i64> = points.iter().map(|point| point.n as i64).collect();
        let draws = points.iter().map(|point| point.scores.len()).max().unwrap_or(0);
        // A size with fewer draws than others leaves NaN behind its own.
        let scores = Array3::from_shape_fn((self.results.len(), points.len(), draws), |(i, j, k)| {
            self.results[i].curve.points[j].scores.get(k).copied().unwrap_or(f64::NAN)
        });
        let networks: Vec<String> = self.results.iter().map(|result| result.name.clone()).collect();
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

impl Result {
    fn facts(&self) -> Value {
        json!({
            "name": self.name,
            "file": self.file,
            "architecture": self.architecture,
            "backend": self.backend,
            "precision": self.precision.name(),
        })
    }
}

fn point_json(point: &Point) -> Value {
    json!({
        "n": point.n,
        "scores": point.scores,
        "mean": (!point.scores.is_empty()).then(|| point.mean()),
        "std": point.std(),
        "ridges": point.ridges.iter().map(|ridge| ridge.to_string()).collect::<Vec<_>>(),
    })
}

/// True classes in rows, predicted ones in columns.
fn confusion_table(confusion: &Array2<usize>, names: &[String]) -> String {
    if names.len() > CLASSES_SHOWN {
        return format!("({} classes: the confusion is in --json and --plot)\n", names.len());
    }
    let mut table = Table::new(
        ["true \\ predicted".to_owned()].into_iter().chain(names.iter().cloned()).chain(["right".to_owned()]),
    );
    for (class, row) in confusion.outer_iter().enumerate() {
        let total = row.sum();
        let right = if total == 0 {
            "–".to_owned()
        } else {
            format!("{:.0} %", 100.0 * row[class] as f64 / total as f64)
        };
        let counts = row.iter().map(|count| if *count == 0 { "·".to_owned() } else { count.to_string() });
        table.row([names[class].clone()].into_iter().chain(counts).chain([right]));
    }
    table.to_string()
}
