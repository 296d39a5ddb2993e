//! What was found: a file, a figure, tables.

use std::path::Path;

use ekernel_data::{Output, Targets, write_npz};
use ekernel_experiment::Problem;
use ekernel_predict::argmax;
use ndarray::{Array1, Array2, Array3, Axis};
use serde_json::json;

use super::{
    distances::{Distance, Trained, distances},
    kept::{History, SETS, stacked},
    plans::Planned,
};
use crate::{
    output,
    plot::curves::{self, Curves, Line, Tick},
    table::Table,
    words::{counted, number},
};

/// All that was found.
pub(super) struct Report<'a> {
    problem: &'a Problem,
    trained: &'a [Trained],
    epochs: usize,
    distances: Vec<Distance>,
    /// The architecture files, in the order of the ensembles.
    tomls: Vec<String>,
}

/// How well one member, and the mean of all, predict the test targets.
#[derive(Clone, Copy)]
struct Scores {
    of_one: f64,
    of_mean: f64,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        problem: &'a Problem,
        trained: &'a [Trained],
        epochs: usize,
        planned: &[Planned<'_>],
    ) -> Report<'a> {
        let tomls = planned.iter().map(|planned| planned.architecture.network.to_toml()).collect();
        Report { problem, trained, epochs, distances: distances(trained), tomls }
    }

    /// Mean and spread over members, `[epoch][sample][output]`, of each ensemble and set, and the distances.
    pub(super) fn write(&self, out: &Path) -> anyhow::Result<()> {
        let mut arrays: Vec<(String, Array3<f64>)> = Vec::new();
        let mut losses: Vec<(String, Array2<f64>)> = Vec::new();
        for Trained { name, members } in self.trained {
            for (set, called) in SETS.into_iter().enumerate() {
                let all: Vec<Array3<f64>> =
                    members.iter().map(|member| stacked(&member.outputs[set])).collect();
                let Some(first) = all.first().filter(|first| !first.is_empty()) else { continue };
                let n = all.len() as f64;
                let mean = all.iter().fold(Array3::zeros(first.dim()), |sum, x| sum + x) / n;
                let squares = all.iter().fold(Array3::<f64>::zeros(first.dim()), |sum, x| {
                    sum + (x - &mean).mapv(|difference| difference * difference)
                });
                arrays.push((format!("{name}_{called}_mean"), mean));
                arrays.push((format!("{name}_{called}_std"), (squares / (n - 1.0)).mapv(f64::sqrt)));
            }
            let shape = (members.len(), self.epochs);
            losses.push((
                format!("{name}_losses"),
                Array2::from_shape_fn(shape, |(m, e)| members[m].losses[e]),
            ));
        }
        let between = [0, 1].map(|side| -> Vec<String> {
            self.distances.iter().map(|distance| distance.between[side].clone()).collect()
        });
        let sets: Vec<String> = self.distances.iter().map(|distance| distance.set.to_owned()).collect();
        let sizes: Array1<i64> = self.distances.iter().map(|distance| distance.size as i64).collect();
        let epochs: Array1<i64> = self.distances.iter().map(|distance| distance.epoch as i64).collect();
        let values: Array1<f64> = self.distances.iter().map(|distance| distance.distance).collect();
        let metadata = self.facts().to_string();
        let mut all: Vec<(&str, Output<'_>)> =
            arrays.iter().map(|(name, array)| (name.as_str(), array.into())).collect();
        all.extend(losses.iter().map(|(name, array)| (name.as_str(), array.into())));
        all.extend([
            ("distance_first", between[0].as_slice().into()),
            ("distance_second", between[1].as_slice().into()),
            ("distance_set", sets.as_slice().into()),
            ("distance_size", (&sizes).into()),
            ("distance_epoch", (&epochs).into()),
            ("distance", (&values).into()),
            ("metadata", metadata.as_str().into()),
        ]);
        Ok(write_npz(out, &all)?)
    }

    fn facts(&self) -> serde_json::Value {
        let ensemble = |(trained, toml): (&Trained, &String)| json!({ "name": trained.name, "members": trained.members.len(), "architecture": toml });
        json!({
            "program": output::PROGRAM,
            "epochs": self.epochs,
            "ensembles": self.trained.iter().zip(&self.tomls).map(ensemble).collect::<Vec<_>>(),
        })
    }

    /// Distances after the last epoch against the size of the ensembles: out of distribution where there are such samples.
    pub(super) fn draw(&self, plot: &Path) -> anyhow::Result<()> {
        let shown =
            if self.distances.iter().any(|distance| distance.set == SETS[1]) { SETS[1] } else { SETS[0] };
        let mut lines: Vec<Line> = Vec::new();
        let mut ticks: Vec<Tick> = Vec::new();
        for distance in self.distances.iter().filter(|d| d.epoch == self.epochs && d.set == shown) {
            let [first, second] = &distance.between;
            let name = match first == second {
                true => format!("{first}, by chance"),
                false => format!("{first} – {second}"),
            };
            let at = distance.size as f64;
            if ticks.iter().all(|tick| tick.at != at) {
                ticks.push(Tick { at, name: distance.size.to_string() });
            }
            let point = (at, distance.distance, None);
            match lines.iter_mut().find(|line| line.name == name) {
                Some(line) => line.points.push(point),
                None => lines.push(Line { name, points: vec![point] }),
            }
        }
        ticks.sort_by(|a, b| a.at.total_cmp(&b.at));
        let samples = if shown == SETS[1] { "samples out of distribution" } else { "test samples" };
        let curves = Curves {
            title: format!(
                "Mean outputs after {}, {samples}",
                counted(self.epochs as u64, "epoch", "epochs")
            ),
            x: "networks in each ensemble".to_owned(),
            ticks,
            y: "distance of the mean outputs".to_owned(),
            logarithmic: true,
            lines,
        };
        curves::draw(plot, &curves)
    }

    /// Prints tables, or JSON.
    pub(super) fn print(&self, as_json: bool) -> anyhow::Result<()> {
        if as_json {
            let mut facts = self.facts();
            for (i, Trained { members, .. }) in self.trained.iter().enumerate() {
                let ensemble = &mut facts["ensembles"][i];
                ensemble["losses"] = json!(members.iter().map(|member| &member.losses).collect::<Vec<_>>());
                if let Some(scores) = self.scores(members) {
                    ensemble[self.measure()] = json!({ "of_one": scores.of_one, "of_mean": scores.of_mean });
                }
            }
            facts["distances"] = json!(self.distances);
            return output::print_json(&facts);
        }
        let measure = self.measure();
        let mut table =
            Table::new(["ensemble", "loss", &format!("{measure} of one"), &format!("{measure} of the mean")]);
        for Trained { name, members } in self.trained {
            let last = members.iter().filter_map(|member| member.losses.last());
            let loss = last.sum::<f64>() / members.len() as f64;
            let scores = self.scores(members).map(|scores| {
                [scores.of_one, scores.of_mean].map(|score| match &self.problem.test_targets {
                    Some(Targets::Classes { .. }) => format!("{:.1} %", 100.0 * score),
                    _ => number(score),
                })
            });
            let [one, mean] = scores.unwrap_or_default();
            table.row([name.clone(), number(loss), one, mean]);
        }
        if self.distances.is_empty() {
            return output::print(&table.to_string());
        }
        let last = format!("epoch {}", self.epochs);
        let mut apart = Table::new(["between", "and", "on", "networks", "epoch 1", &last]);
        for distance in self.distances.iter().filter(|distance| distance.epoch == self.epochs) {
            let first = self.distances.iter().find(|other| {
                (&other.between, other.set, other.size, other.epoch)
                    == (&distance.between, distance.set, distance.size, 1)
            });
            let [one, other] = distance.between.clone();
            let other = if one == other { "itself (chance)".to_owned() } else { other };
            apart.row([
                one,
                other,
                distance.set.to_owned(),
                distance.size.to_string(),
                first.map_or_else(String::new, |first| number(first.distance)),
                number(distance.distance),
            ]);
        }
        output::print(&format!("{table}\nmean distance of mean outputs\n\n{apart}"))
    }

    fn measure(&self) -> &'static str {
        match &self.problem.test_targets {
            Some(Targets::Classes { .. }) => "accuracy",
            _ => "RMSE",
        }
    }

    /// Scores after the last epoch, where test targets are known.
    fn scores(&self, members: &[History]) -> Option<Scores> {
        let last: Vec<&Array2<f64>> = members.iter().filter_map(|member| member.outputs[0].last()).collect();
        let mean = last.iter().fold(Array2::zeros(last.first()?.dim()), |sum, outputs| sum + *outputs);
        let of_one = last.iter().map(|outputs| self.score(outputs)).sum::<Option<f64>>()? / last.len() as f64;
        Some(Scores { of_one, of_mean: self.score(&(mean / last.len() as f64))? })
    }

    fn score(&self, outputs: &Array2<f64>) -> Option<f64> {
        match (self.problem.test_targets.as_ref()?, &self.problem.train_targets) {
            (Targets::Classes { labels, .. }, _) => {
                let found = argmax(outputs.view()).ok()?;
                let hits = found.into_iter().zip(labels).filter(|(found, label)| found == *label);
                Some(hits.count() as f64 / labels.len() as f64)
            }
            (Targets::Regression(values), Targets::Regression(learned)) => {
                let apart = outputs + &learned.mean_axis(Axis(0))? - values;
                Some(apart.mapv(|x| x * x).mean()?.sqrt())
            }
            _ => None,
        }
    }
}
