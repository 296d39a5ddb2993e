//! What `ekernel predict` found, for people.

use std::{collections::BTreeSet, path::Path};

use ekernel_data::{Normalizer, Source, Targets};
use ekernel_experiment::{
    Amplitude, Curve, Likelihood, Measure, NetworkOutcome, Outcome, Point, RidgeChoice, Score, TimePoint,
    Training,
};
use ekernel_predict::{Center, FINE_RIDGES, LIKELY_RIDGES, LabelScore, RIDGES, RegressionScores, Ridge};
use ndarray::Array2;

use crate::{
    confusion::of_occurring,
    table::Table,
    words::{counted, duration, grouped, number, work_line},
};

/// Scores of more outputs than this are left to `--json`.
const OUTPUTS_SHOWN: usize = 20;

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
        text += &self.times();
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
        let (counts, classes) = of_occurring(self.outcome.problem, confusion);
        format!("confusion in {draw} of n = {}\n\n{}", point.n, confusion_table(&counts, &classes))
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
                    Targets::Classes { labels, .. } => {
                        // Of the numbers up to the largest label, those that occur.
                        let classes: BTreeSet<usize> = labels.iter().copied().collect();
                        counted(classes.len() as u64, "class", "classes")
                    }
                    Targets::Regression(values) => counted(values.ncols() as u64, "target", "targets"),
                }
            ),
        };
        let center = match (&problem.train_targets, center) {
            (Targets::Classes { .. }, _) => "",
            (Targets::Regression(_), Center::Mean) => ", targets without their training mean",
            (Targets::Regression(_), Center::None) => ", targets as they are",
        };
        let scaled = if training.standardize { " and divided by their standard deviation" } else { "" };
        text += &self.trained(train == test);
        text += &format!(
            "{}{}, ridge {ridge}{}, time {time}{center}{scaled}, normalisation {}\n",
            kind.name(),
            if problem.augment.is_some() {
                " averaged over training images and their mirror images"
            } else {
                ""
            },
            self.noise(),
            normalisation(&problem.normalizer)
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

    /// What test samples that are training samples make of the scores.
    fn trained(&self, equal: bool) -> String {
        const FITTED: &str = "scores say how well they are fitted, not predicted";
        let problem = self.outcome.problem;
        match (equal, problem.trained_test_samples() as u64) {
            (true, _) => format!("the test samples are the training samples: {FITTED}\n"),
            (false, 0) => String::new(),
            (false, trained) => {
                let is = if trained == 1 { "is a training sample" } else { "are training samples" };
                let of = counted(problem.test.len() as u64, "test sample", "test samples");
                format!("{} of {of} {is} too: of these, {FITTED}\n", grouped(trained))
            }
        }
    }

    /// ` and the squares of d.npz:noise, 0.1 to 0.3`: what is added to the diagonal beside the ridge.
    fn noise(&self) -> String {
        let (Some(noise), Ok(Source { noise: Some(name), .. })) =
            (&self.outcome.problem.noise, Source::parse(self.outcome.sources[0]))
        else {
            return String::new();
        };
        let (least, most) = noise
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(*x), most.max(*x)));
        let range =
            if least == most { number(least) } else { format!("{} to {}", number(least), number(most)) };
        format!(" beside the squares of the noise {name} ({range})")
    }

    fn single(&self, curve: &Curve) -> String {
        let problem = self.outcome.problem;
        let mut text = String::new();
        if !matches!(self.outcome.training.ridge, RidgeChoice::Given(_)) {
            text += &format!(
                "ridge {}{}\n",
                curve.last.ridge,
                end_of_range(self.outcome.training.ridge, curve.last.ridge)
            );
        }
        match &curve.last_score {
            Some(Score::Classes { accuracy, confusion }) => {
                let samples = counted(confusion.sum() as u64, "test sample", "test samples");
                text += &format!("accuracy {:.2} % of {samples}\n\n", accuracy * 100.0);
                let (counts, classes) = of_occurring(problem, confusion);
                text += &confusion_table(&counts, &classes);
            }
            Some(Score::Values { total, outputs, labels }) => {
                text += &self.errors(total);
                if let Some(point) = curve.composition.last() {
                    text += &format!(
                        "(composition alone: MAE {}{})\n",
                        number(point.mean().unwrap_or(f64::NAN)),
                        self.unit()
                    );
                }
                text += &self.each_output(outputs, labels.as_deref());
            }
            None => {
                text += "no test targets: nothing to compare the predictions with; --out stores them\n";
            }
        }
        if let Some(std) = &curve.last.std {
            let mean = std.mean().unwrap_or(f64::NAN);
            text += &format!("mean standard deviation of a prediction {}, without noise\n", number(mean));
            let targets = &self.outcome.problem.train_targets;
            let scaled = self.outcome.training.amplitude == Amplitude::Fit;
            if matches!(targets, Targets::Regression(_)) && !scaled {
                text += "(in units of the kernel, whatever the targets are: --kind nngp --scale fit fits its amplitude to them)\n";
            }
        }
        text += &curve.last.likelihood.as_ref().map(|found| self.likelihood(found)).unwrap_or_default();
        text
    }

    /// `MAE 1.2  RMSE 1.5  R² 0.9`.
    fn errors(&self, scores: &RegressionScores) -> String {
        let (factor, unit) = (self.outcome.problem.measure.factor(), self.unit());
        let [mae, rmse] = [scores.mae, scores.rmse].map(|error| number(error * factor));
        let r2 = scores.r2.map_or_else(
            || "R² undefined: the true values do not vary".to_owned(),
            |r2| format!("R² {r2:.4}"),
        );
        format!("MAE {mae}{unit}  RMSE {rmse}{unit}  {r2}\n")
    }

    /// A row for each of several outputs; of labels how well each is told.
    fn each_output(&self, outputs: &[RegressionScores], labels: Option<&[LabelScore]>) -> String {
        if outputs.len() > OUTPUTS_SHOWN {
            return format!("({} outputs: the scores of each are in --json)\n", outputs.len());
        }
        let table = match labels {
            Some(labels) => {
                let mut table = Table::new(["label", "positives", "accuracy", "AUC"]);
                for (label, score) in labels.iter().enumerate() {
                    let auc = score.auc.map_or_else(|| "–".to_owned(), |auc| format!("{auc:.4}"));
                    let accuracy = format!("{:.1} %", 100.0 * score.accuracy);
                    table.row([label.to_string(), score.positives.to_string(), accuracy, auc]);
                }
                table
            }
            None if outputs.len() < 2 => return String::new(),
            None => {
                let factor = self.outcome.problem.measure.factor();
                let mut table = Table::new(["output", "MAE", "RMSE", "R²"]);
                for (output, scores) in outputs.iter().enumerate() {
                    let r2 = scores.r2.map_or_else(|| "–".to_owned(), |r2| format!("{r2:.4}"));
                    let [mae, rmse] = [scores.mae, scores.rmse].map(|error| number(error * factor));
                    table.row([output.to_string(), mae, rmse, r2]);
                }
                table
            }
        };
        format!("\n{table}")
    }

    fn likelihood(&self, found: &Likelihood) -> String {
        let Likelihood { log, amplitude, noise_std } = found;
        let mut text = format!("log marginal likelihood of the training targets {log:.2}");
        match self.outcome.training.amplitude {
            Amplitude::Fit => {
                let noise = noise_std.iter().map(|noise| number(*noise)).collect::<Vec<_>>().join(", ");
                text +=
                    &format!(", amplitude {}, standard deviation of the noise {noise}\n", number(*amplitude));
            }
            Amplitude::AsComputed => text += " (--scale fit finds the amplitude and noise of the largest)\n",
        }
        text
    }

    /// The curve over training times.
    fn times(&self) -> String {
        let networks = self.outcome.networks;
        let [first, ..] = networks else { return String::new() };
        if first.times.is_empty() {
            return String::new();
        }
        let names = networks.iter().map(|network| network.facts.name.clone());
        let mut table = Table::new(["time".to_owned()].into_iter().chain(names));
        for (row, TimePoint { time, .. }) in first.times.iter().enumerate() {
            let cells = networks.iter().map(|network| self.cell(&network.times[row].point));
            table.row([time.to_string()].into_iter().chain(cells));
        }
        format!("{} after each training time\n\n{table}\n", self.outcome.problem.measure.title())
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

/// What to say of a ridge that ends the range of those that were tried.
fn end_of_range(choice: RidgeChoice, ridge: Ridge) -> &'static str {
    let likely = LIKELY_RIDGES.map(Ridge::Relative);
    let tried: &[Ridge] = match choice {
        RidgeChoice::Auto => &RIDGES,
        RidgeChoice::Fine => &FINE_RIDGES,
        RidgeChoice::Likelihood => &likely,
        RidgeChoice::Given(_) => return "",
    };
    if tried.first() == Some(&ridge) {
        ", the smallest that was tried: a smaller one (--ridge 1e-12) may be better"
    } else if tried.last() == Some(&ridge) {
        ", the largest that was tried: the kernel tells little about these targets"
    } else {
        ""
    }
}

/// A normalisation in few words; --json has its numbers.
fn normalisation(normalizer: &Normalizer) -> String {
    let Normalizer::Standardize { mean, std } = normalizer else { return normalizer.to_string() };
    if mean.len() > 3 {
        return format!("standardize (mean and deviation of {} channels)", mean.len());
    }
    let shown = |values: &[f64]| values.iter().map(|x| number(*x)).collect::<Vec<_>>().join(", ");
    format!("standardize (mean {}, deviation {})", shown(mean), shown(std))
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
