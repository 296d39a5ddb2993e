//! What `ekernel predict` found, for people.

use std::path::Path;

use ekernel_data::Targets;
use ekernel_experiment::{Curve, Measure, NetworkOutcome, Outcome, Point, RidgeChoice, Score, Training};
use ekernel_predict::Center;
use ndarray::Array2;

use crate::{
    plot::curves::{Curves, Line},
    table::Table,
    words::{counted, duration, number, work_line},
};

/// Confusions of more classes than this are left to `--json` and `--plot`.
const CLASSES_SHOWN: usize = 20;

/// Everything there is to report.
pub(crate) struct Report<'a> {
    pub(crate) outcome: &'a Outcome<'a>,
    /// Whether training samples were drawn.
    pub(crate) drawn: bool,
    /// What was written, and where.
    pub(crate) files: Vec<(&'static str, &'a Path)>,
}

impl Report<'_> {
    /// The text for people.
    pub(crate) fn text(&self) -> String {
        let mut text = self.headline();
        match self.outcome.networks {
            [network] if !self.drawn => text += &self.single(&network.curve),
            networks => {
                text += &self.comparison();
                text += &self.last_confusion(networks);
            }
        }
        for (what, path) in &self.files {
            text += &format!("{what} in {}\n", path.display());
        }
        text
    }

    /// The confusion in the last draw of the largest size, of one network on classes.
    fn last_confusion(&self, networks: &[NetworkOutcome]) -> String {
        let [network] = networks else { return String::new() };
        let Curve { points, last_score: Some(Score::Classes { confusion, .. }), .. } = &network.curve else {
            return String::new();
        };
        let Some(point) = points.last() else { return String::new() };
        let draw = if point.scores.len() > 1 { "the last draw" } else { "the draw" };
        let classes = self.outcome.problem.class_names();
        format!("confusion in {draw} of n = {}\n\n{}", point.n, confusion_table(confusion, &classes))
    }

    fn headline(&self) -> String {
        let Outcome { problem, training, networks, .. } = self.outcome;
        let Training { kind, ridge, time, center, .. } = training;
        let (train, test) = (&problem.train, &problem.test);
        let mut text = match (&problem.composition, &problem.train_targets) {
            (Some(composition), _) => format!(
                "{} training and {} test molecules, {} ({}) without {}\n",
                train.len(),
                test.len(),
                problem.property.as_deref().unwrap_or("property"),
                problem.measure.stored_unit(),
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
        let center = match (&problem.train_targets, center) {
            (Targets::Classes { .. }, _) => "",
            (Targets::Regression(_), Center::Mean) => ", targets without their training mean",
            (Targets::Regression(_), Center::None) => ", targets as they are",
        };
        text += &format!(
            "{}, ridge {ridge}, time {time}{center}, normalisation {}\n",
            kind.name(),
            problem.normalizer
        );
        for network in *networks {
            text += &format!(
                "{} on {}: {}; solved in {}\n",
                network.facts.name,
                network.facts.backend,
                work_line(network.work),
                duration(network.solve_seconds)
            );
        }
        text.push('\n');
        text
    }

    fn single(&self, curve: &Curve) -> String {
        let problem = self.outcome.problem;
        let mut text = String::new();
        if !matches!(self.outcome.training.ridge, RidgeChoice::Given(_)) {
            text += &format!("ridge {}\n", curve.last.ridge);
        }
        match &curve.last_score {
            Some(Score::Classes { accuracy, confusion }) => {
                let samples = counted(confusion.sum() as u64, "test sample", "test samples");
                text += &format!("accuracy {:.2} % of {samples}\n\n", accuracy * 100.0);
                text += &confusion_table(confusion, &problem.class_names());
            }
            Some(Score::Values(scores)) => {
                let (factor, unit) = (problem.measure.factor(), self.unit());
                let [mae, rmse] = [scores.mae, scores.rmse].map(|error| number(error * factor));
                text += &format!("MAE {mae}{unit}  RMSE {rmse}{unit}");
                if let Some(point) = curve.composition.last() {
                    text += &format!(
                        "  (composition alone: MAE {}{unit})",
                        number(point.mean().unwrap_or(f64::NAN))
                    );
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
        let Outcome { problem, draws, seed, .. } = self.outcome;
        let what = problem.measure.title();
        let columns = self.outcome.columns();
        let names = columns.iter().map(|(name, _)| (*name).to_owned());
        let mut table = Table::new(["n".to_owned()].into_iter().chain(names));
        for (row, (n, _)) in draws.rounds().enumerate() {
            let cells = columns.iter().map(|(_, points)| self.cell(&points[row]));
            table.row([n.to_string()].into_iter().chain(cells));
        }
        let mut text = if !self.drawn {
            format!("{what}\n\n{table}")
        } else {
            format!(
                "{what}, mean ± standard deviation over {} of n samples from the same {} (seed {seed}); one draw where n is \
                 all of them\n\n{table}",
                counted(draws.per_size() as u64, "draw", "draws"),
                draws.pool().len(),
            )
        };
        text.push('\n');
        text
    }

    fn cell(&self, point: &Point) -> String {
        let shown = |value: f64| shown(self.outcome.problem.measure, value);
        match (point.mean(), point.std()) {
            (None, _) => "no targets".to_owned(),
            (Some(mean), Some(std)) => format!("{} ± {}", shown(mean), shown(std)),
            (Some(mean), None) => format!("{}      ", shown(mean)),
        }
    }

    /// ` meV`, or nothing where errors have no known unit.
    fn unit(&self) -> String {
        self.outcome.problem.measure.unit().map(|unit| format!(" {unit}")).unwrap_or_default()
    }
}

/// The number of a measure in words.
fn shown(measure: Measure, value: f64) -> String {
    match measure {
        Measure::Accuracy => format!("{:.1}", value * measure.scale()),
        Measure::Rmse | Measure::Mae { .. } => number(value),
    }
}

/// The learning curves as they are drawn.
pub(crate) fn curves(outcome: &Outcome<'_>) -> Curves {
    let problem = outcome.problem;
    let (measure, scale) = (problem.measure, problem.measure.scale());
    let samples = if problem.composition.is_some() { "molecules" } else { "samples" };
    let point = |point: &Point| Some((point.n, scale * point.mean()?, point.std().map(|std| scale * std)));
    let line = |(name, points): (&str, &[Point])| Line {
        name: name.to_owned(),
        points: points.iter().filter_map(point).collect(),
    };
    Curves {
        title: format!("Learning curves, {} test {samples}", problem.test.len()),
        x: format!("training {samples}"),
        y: measure.title(),
        logarithmic: measure.is_logarithmic(),
        lines: outcome.columns().into_iter().map(line).collect(),
    }
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
