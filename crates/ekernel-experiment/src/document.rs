//! Reports for programs.

use ekernel_data::Targets;
use ekernel_predict::{LabelScore, RegressionScores, Ridge, TrainingTime};
use serde::Serialize;

use crate::{
    curve::Point,
    kind::Kind,
    outcome::{NetworkFacts, NetworkOutcome, Outcome, TimePoint},
    score::Score,
    training::RidgeChoice,
};

/// What does not change from run to run of an experiment.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// What ran it, with its version.
    pub program: String,
    /// The training set.
    pub train: SetFacts,
    /// The test set.
    pub test: SetFacts,
    /// Shape of a sample.
    pub sample_shape: Vec<usize>,
    /// Names of classes; `None` for regression.
    pub classes: Option<Vec<String>>,
    /// How samples were prepared.
    pub normalize: String,
    /// What training samples are averaged with, `flip`; `None` for nothing.
    pub augment: Option<&'static str>,
    /// The kernel that machines are made from.
    pub kind: Kind,
    /// The ridge, or how it is chosen.
    pub ridge: RidgeFacts,
    /// Training time, a number or `inf`.
    pub time: Time,
    /// What is taken off regression targets, `mean` or `none`; `None` for classes.
    pub center: Option<String>,
    /// Whether regression targets are divided by their standard deviation; `None` for classes.
    pub standardize_targets: Option<bool>,
    /// Seed of the draws.
    pub seed: u32,
    /// Training samples that kernels were computed of.
    pub pool: usize,
    /// The rotations of networks on the sphere.
    pub quadrature: String,
    /// Of molecules, what is learned.
    #[serde(flatten)]
    pub molecules: Option<MoleculeFacts>,
}

/// A ridge as numbers.
#[derive(Clone, Debug, Serialize)]
pub struct RidgeFacts {
    /// `given`, or how it is chosen: `auto`, `fine`, `likelihood`.
    pub choice: &'static str,
    /// The number, where it is given.
    pub value: Option<f64>,
    /// `relative` to the mean of the diagonal, or `absolute`.
    pub unit: &'static str,
}

/// A training time as JSON writes it.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Time {
    /// A number.
    Finite(f64),
    /// `inf`, for which JSON has no number.
    Infinite(&'static str),
}

/// A set of samples.
#[derive(Clone, Debug, Serialize)]
pub struct SetFacts {
    /// What the data are called.
    pub source: String,
    /// How many there are.
    pub samples: usize,
}

/// What is learned of molecules.
#[derive(Clone, Debug, Serialize)]
pub struct MoleculeFacts {
    /// Name of the property.
    pub property: Option<String>,
    /// The unit of the property and of predictions.
    pub stored_unit: String,
    /// The unit of errors, where it has a name.
    pub error_unit: Option<String>,
    /// What is taken off before training.
    pub references: String,
}

/// An experiment with its scores and what it took.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    /// What does not change from run to run.
    #[serde(flatten)]
    pub facts: Facts,
    /// Names of the test samples.
    pub names: Vec<String>,
    /// Threads that computed.
    pub threads: usize,
    /// Of molecules, what their composition alone says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub composition: Vec<PointDocument>,
    /// The networks, in the order that they were named.
    pub networks: Vec<NetworkDocument>,
}

/// One network of an experiment.
#[derive(Clone, Debug, Serialize)]
pub struct NetworkDocument {
    /// Which network.
    #[serde(flatten)]
    pub facts: NetworkFacts,
    /// Pairs of samples computed.
    pub pairs: u64,
    /// Seconds that took.
    pub kernel_seconds: f64,
    /// Pairs per second.
    pub pairs_per_second: f64,
    /// Seconds that training and predicting took.
    pub solve_seconds: f64,
    /// The learning curve.
    pub curve: Vec<PointDocument>,
    /// Scores after each of several training times; the curve is that of the last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<TimeDocument>,
    /// Of values with the NNGP kernel at infinite time, for the last draw.
    #[serde(flatten)]
    pub likelihood: Option<LikelihoodDocument>,
    /// The score of the last draw, where the test targets are known.
    #[serde(flatten)]
    pub score: Option<ScoreDocument>,
}

/// A score.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum ScoreDocument {
    /// Of classes.
    Classes {
        /// Share of right predictions.
        accuracy: f64,
        /// Counts: a row for each true class, a column for each predicted one.
        confusion: Vec<Vec<usize>>,
    },
    /// Of values, errors in the unit of errors.
    Values {
        /// Over all outputs.
        #[serde(flatten)]
        total: ErrorsDocument,
        /// Of each output, where there are several.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        outputs: Vec<ErrorsDocument>,
        /// Of each output as a label, where all targets are 0 or 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        labels: Option<Vec<LabelDocument>>,
    },
}

/// Errors of values, in the unit of errors.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorsDocument {
    /// Mean absolute error.
    pub mae: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Share of the variance that is explained; `None` where the truth does not vary.
    pub r2: Option<f64>,
}

/// How one output does as a label.
#[derive(Clone, Debug, Serialize)]
pub struct LabelDocument {
    /// Share of samples on the right side of ½.
    pub accuracy: f64,
    /// Area under the receiver operating curve; `None` where one side has no sample.
    pub auc: Option<f64>,
    /// Samples that have the label.
    pub positives: usize,
}

/// The training targets under the Gaussian process of the NNGP kernel.
#[derive(Clone, Debug, Serialize)]
pub struct LikelihoodDocument {
    /// Log of the marginal likelihood of the targets as stored.
    pub log_marginal_likelihood: f64,
    /// Amplitude of kernel and ridge.
    pub amplitude: f64,
    /// Standard deviation of the noise of each output.
    pub noise_std: Vec<f64>,
}

/// One point of a learning curve.
#[derive(Clone, Debug, Serialize)]
pub struct PointDocument {
    /// Training samples.
    pub n: usize,
    /// The score of each draw.
    pub scores: Vec<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// Their standard deviation.
    pub std: Option<f64>,
    /// The ridge of each draw, in the unit of the facts.
    pub ridges: Vec<f64>,
}

/// The score after one training time.
#[derive(Clone, Debug, Serialize)]
pub struct TimeDocument {
    /// The time, a number or `inf`.
    pub time: Time,
    /// The score of each draw.
    pub scores: Vec<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// Their standard deviation.
    pub std: Option<f64>,
}

/// What is stored with the results.
#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(flatten)]
    facts: Facts,
    networks: Vec<&'a NetworkFacts>,
}

impl Outcome<'_> {
    /// What does not change from run to run.
    pub fn facts(&self) -> Facts {
        let [train, test] = self.sources.map(str::to_owned);
        let problem = self.problem;
        let values = matches!(problem.train_targets, Targets::Regression(_));
        Facts {
            program: self.program.to_owned(),
            train: SetFacts { source: train, samples: problem.train.len() },
            test: SetFacts { source: test, samples: problem.test.len() },
            sample_shape: problem.train.sample_shape(),
            classes: self.classes(),
            normalize: problem.normalizer.to_string(),
            augment: problem.augment,
            kind: self.training.kind,
            ridge: RidgeFacts::new(self.training.ridge),
            time: Time::new(self.training.time),
            center: values.then(|| self.training.center.to_string()),
            standardize_targets: values.then_some(self.training.standardize),
            seed: self.seed,
            pool: self.draws.pool().len(),
            quadrature: self.quadrature.to_owned(),
            molecules: problem.composition.as_ref().map(|composition| MoleculeFacts {
                property: problem.property.clone(),
                stored_unit: problem.measure.stored_unit(),
                error_unit: problem.measure.unit().map(str::to_owned),
                references: composition.describe().to_owned(),
            }),
        }
    }

    /// The report for programs.
    pub fn document(&self) -> Document {
        Document {
            facts: self.facts(),
            names: self.problem.test_names.clone(),
            threads: self.training.threads,
            composition: self.composition().iter().map(PointDocument::new).collect(),
            networks: self.networks.iter().map(|network| self.network(network)).collect(),
        }
    }

    /// One line of JSON, stored with the results.
    pub(crate) fn metadata(&self) -> Result<String, serde_json::Error> {
        let networks = self.networks.iter().map(|network| &network.facts).collect();
        // By way of a value, which sorts its keys.
        Ok(serde_json::to_value(Metadata { facts: self.facts(), networks })?.to_string())
    }

    fn network(&self, network: &NetworkOutcome) -> NetworkDocument {
        let NetworkOutcome { facts, work, solve_seconds, curve, times } = network;
        let factor = self.problem.measure.factor();
        NetworkDocument {
            facts: facts.clone(),
            pairs: work.pairs,
            kernel_seconds: work.seconds,
            pairs_per_second: work.pairs_per_second(),
            solve_seconds: *solve_seconds,
            curve: curve.points.iter().map(PointDocument::new).collect(),
            times: times.iter().map(TimeDocument::new).collect(),
            likelihood: curve.last.likelihood.as_ref().map(|found| LikelihoodDocument {
                log_marginal_likelihood: found.log,
                amplitude: found.amplitude,
                noise_std: found.noise_std.to_vec(),
            }),
            score: curve.last_score.as_ref().map(|score| match score {
                Score::Classes { accuracy, confusion } => ScoreDocument::Classes {
                    accuracy: *accuracy,
                    confusion: confusion.outer_iter().map(|row| row.to_vec()).collect(),
                },
                Score::Values { total, outputs, labels } => {
                    let errors = |scores: &RegressionScores| ErrorsDocument {
                        mae: scores.mae * factor,
                        rmse: scores.rmse * factor,
                        r2: scores.r2,
                    };
                    let several = outputs.iter().filter(|_| outputs.len() > 1);
                    ScoreDocument::Values {
                        total: errors(total),
                        outputs: several.map(errors).collect(),
                        labels: labels.as_ref().map(|labels| labels.iter().map(LabelDocument::new).collect()),
                    }
                }
            }),
        }
    }
}

impl PointDocument {
    fn new(point: &Point) -> PointDocument {
        PointDocument {
            n: point.n,
            scores: point.scores.clone(),
            mean: point.mean(),
            std: point.std(),
            ridges: point.ridges.iter().map(|ridge| ridge.value()).collect(),
        }
    }
}

impl RidgeFacts {
    fn new(choice: RidgeChoice) -> RidgeFacts {
        let (name, value, unit) = match choice {
            RidgeChoice::Given(ridge @ Ridge::Relative(_)) => ("given", Some(ridge.value()), "relative"),
            RidgeChoice::Given(ridge @ Ridge::Absolute(_)) => ("given", Some(ridge.value()), "absolute"),
            RidgeChoice::Auto => ("auto", None, "relative"),
            RidgeChoice::Fine => ("fine", None, "relative"),
            RidgeChoice::Likelihood => ("likelihood", None, "relative"),
        };
        RidgeFacts { choice: name, value, unit }
    }
}

impl Time {
    fn new(time: TrainingTime) -> Time {
        if time.is_infinite() { Time::Infinite("inf") } else { Time::Finite(time.eta_t()) }
    }
}

impl TimeDocument {
    fn new(TimePoint { time, point }: &TimePoint) -> TimeDocument {
        TimeDocument {
            time: Time::new(*time),
            scores: point.scores.clone(),
            mean: point.mean(),
            std: point.std(),
        }
    }
}

impl LabelDocument {
    fn new(score: &LabelScore) -> LabelDocument {
        LabelDocument { accuracy: score.accuracy, auc: score.auc, positives: score.positives }
    }
}
