//! What several networks learned from one problem.

use ekernel_data::Targets;
use ekernel_predict::TrainingTime;
use serde::Serialize;

use crate::{
    curve::{Curve, Point},
    draws::Draws,
    kernels::Work,
    problem::Problem,
    training::Training,
};

/// What does not change from run to run of one network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NetworkFacts {
    /// What it is called.
    pub name: String,
    /// The file that its architecture was read from.
    pub file: String,
    /// Canonical text of the architecture.
    pub architecture: String,
    /// What computed its kernels, in words.
    pub backend: String,
    /// `f32` or `f64`.
    pub precision: String,
}

/// What one network learned.
#[derive(Clone, Debug)]
pub struct NetworkOutcome {
    /// Which network.
    pub facts: NetworkFacts,
    /// What its kernels took.
    pub work: Work,
    /// Wall-clock seconds of all training and predicting.
    pub solve_seconds: f64,
    /// Its scores.
    pub curve: Curve,
    /// Its scores after each of several training times, of which the curve has the last; empty for a single one.
    pub times: Vec<TimePoint>,
}

/// The score after one training time.
#[derive(Clone, Debug, PartialEq)]
pub struct TimePoint {
    /// The time.
    pub time: TrainingTime,
    /// The scores of the draws of the largest size.
    pub point: Point,
}

/// Everything there is to report of an experiment.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// What ran it, with its version.
    pub program: &'a str,
    /// What the training and the test data are called.
    pub sources: [&'a str; 2],
    /// The data.
    pub problem: &'a Problem,
    /// The subsets that were trained on.
    pub draws: &'a Draws,
    /// The seed of the draws, and of test samples that were drawn.
    pub seed: u32,
    /// How machines were trained.
    pub training: &'a Training,
    /// The rotations of networks on the sphere, in words.
    pub quadrature: &'a str,
    /// The networks, in the order that they were named.
    pub networks: &'a [NetworkOutcome],
}

impl<'a> Outcome<'a> {
    /// The points of the networks by name, and before them, of molecules, those of their composition alone.
    pub fn columns(&self) -> Vec<(&'a str, &'a [Point])> {
        let composition = self.composition();
        let alone = (!composition.is_empty()).then_some(("composition", composition));
        let networks =
            self.networks.iter().map(|network| (network.facts.name.as_str(), &network.curve.points[..]));
        alone.into_iter().chain(networks).collect()
    }

    /// The points of what the composition of molecules alone says, the same for all networks; empty for other samples.
    pub fn composition(&self) -> &'a [Point] {
        self.networks.first().map_or(&[], |network| &network.curve.composition)
    }

    /// The names of classes; `None` for regression.
    pub(crate) fn classes(&self) -> Option<Vec<String>> {
        matches!(self.problem.train_targets, Targets::Classes { .. }).then(|| self.problem.class_names())
    }
}
