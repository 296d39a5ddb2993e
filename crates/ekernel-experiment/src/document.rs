//! Reports for programs.

use ekernel_data::Targets;
use serde::Serialize;

use crate::{
    curve::Point,
    kind::Kind,
    outcome::{NetworkFacts, NetworkOutcome, Outcome},
    score::Score,
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
    /// The kernel that machines are made from.
    pub kind: Kind,
    /// The ridge, or how it is chosen.
    pub ridge: String,
    /// Training time.
    pub time: String,
    /// What is taken off regression targets, `mean` or `none`; `None` for classes.
    pub center: Option<String>,
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
        /// Mean absolute error.
        mae: f64,
        /// Root of the mean squared error.
        rmse: f64,
        /// Share of the variance that is explained; `None` where the truth does not vary.
        r2: Option<f64>,
    },
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
    /// The ridge of each draw.
    pub ridges: Vec<String>,
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
        Facts {
            program: self.program.to_owned(),
            train: SetFacts { source: train, samples: problem.train.len() },
            test: SetFacts { source: test, samples: problem.test.len() },
            sample_shape: problem.train.sample_shape(),
            classes: self.classes(),
            normalize: problem.normalizer.to_string(),
            kind: self.training.kind,
            ridge: self.training.ridge.to_string(),
            time: self.training.time.to_string(),
            center: matches!(problem.train_targets, Targets::Regression(_))
                .then(|| self.training.center.to_string()),
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
        let NetworkOutcome { facts, work, solve_seconds, curve } = network;
        let factor = self.problem.measure.factor();
        NetworkDocument {
            facts: facts.clone(),
            pairs: work.pairs,
            kernel_seconds: work.seconds,
            pairs_per_second: work.pairs_per_second(),
            solve_seconds: *solve_seconds,
            curve: curve.points.iter().map(PointDocument::new).collect(),
            score: curve.last_score.as_ref().map(|score| match score {
                Score::Classes { accuracy, confusion } => ScoreDocument::Classes {
                    accuracy: *accuracy,
                    confusion: confusion.outer_iter().map(|row| row.to_vec()).collect(),
                },
                Score::Values(scores) => ScoreDocument::Values {
                    mae: scores.mae * factor,
                    rmse: scores.rmse * factor,
                    r2: scores.r2,
                },
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
            ridges: point.ridges.iter().map(|ridge| ridge.to_string()).collect(),
        }
    }
}
