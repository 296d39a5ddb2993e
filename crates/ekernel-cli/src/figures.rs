//! What `ekernel predict` found, as figures.

use ekernel_core::Samples;
use ekernel_data::Targets;
use ekernel_experiment::{NetworkOutcome, Outcome, Point, Prediction, TimePoint};
use ndarray::Array2;

use crate::plot::{
    curves::{Curves, Line, Tick},
    values::{Dots, Shape, Values},
};

/// The curves as they are drawn: over numbers of samples, or over training times.
pub(crate) fn curves(outcome: &Outcome<'_>) -> Curves {
    let problem = outcome.problem;
    let (measure, scale) = (problem.measure, problem.measure.scale());
    let samples = if problem.composition.is_some() { "molecules" } else { "samples" };
    let over_times = outcome.networks.iter().any(|network| !network.times.is_empty());
    let (ticks, lines, x) = if over_times { over_time(outcome) } else { over_size(outcome, samples) };
    let scaled = |(at, y, std): (f64, f64, Option<f64>)| (at, scale * y, std.map(|std| scale * std));
    let lines = lines
        .into_iter()
        .map(|(name, points)| Line { name, points: points.into_iter().map(scaled).collect() });
    Curves {
        title: format!(
            "{}, {} test {samples}",
            if over_times { "Scores over training time" } else { "Learning curves" },
            problem.test.len()
        ),
        x,
        ticks,
        y: measure.title(),
        logarithmic: measure.is_logarithmic(),
        lines: lines.collect(),
    }
}

/// Ticks, lines by their names, and the name of the axis.
type Axes = (Vec<Tick>, Vec<(String, Vec<(f64, f64, Option<f64>)>)>, String);

fn over_size(outcome: &Outcome<'_>, samples: &str) -> Axes {
    let ticks = outcome.draws.rounds().map(|(n, _)| Tick { at: n as f64, name: n.to_string() }).collect();
    let point = |point: &Point| Some((point.n as f64, point.mean()?, point.std()));
    let line =
        |(name, points): (&str, &[Point])| (name.to_owned(), points.iter().filter_map(point).collect());
    (ticks, outcome.columns().into_iter().map(line).collect(), format!("training {samples}"))
}

/// Infinity stands a decade behind the largest time.
fn over_time(outcome: &Outcome<'_>) -> Axes {
    let times = outcome.networks.iter().flat_map(|network| &network.times).map(|point| point.time);
    let largest = times.filter(|time| !time.is_infinite()).map(|time| time.eta_t()).fold(0.0, f64::max);
    let at = |point: &TimePoint| match point.time.is_infinite() {
        true => Some(10.0 * if largest > 0.0 { largest } else { 1.0 }),
        false => Some(point.time.eta_t()).filter(|time| *time > 0.0),
    };
    let lines: Vec<(String, Vec<_>)> = outcome
        .networks
        .iter()
        .map(|network| {
            let points = network
                .times
                .iter()
                .filter_map(|point| Some((at(point)?, point.point.mean()?, point.point.std())));
            (network.facts.name.clone(), points.collect())
        })
        .collect();
    let mut ticks: Vec<Tick> = outcome
        .networks
        .first()
        .map_or(&[][..], |network| &network.times)
        .iter()
        .filter_map(|point| Some(Tick { at: at(point)?, name: point.time.to_string() }))
        .collect();
    ticks.sort_by(|a, b| a.at.total_cmp(&b.at));
    ticks.dedup_by(|a, b| a.at == b.at);
    (ticks, lines, "training time (learning rate × steps)".to_owned())
}

/// The predicted values as they are drawn.
pub(crate) fn values(outcome: &Outcome<'_>, network: &NetworkOutcome) -> Values {
    let problem = outcome.problem;
    let Prediction { mean, std, .. } = &network.curve.last;
    let truth = match &problem.test_targets {
        Some(Targets::Regression(truth)) => truth.clone(),
        _ => Array2::zeros((0, mean.ncols())),
    };
    let only_feature = |samples: &Samples| match samples {
        Samples::Vectors(samples) if samples.ncols() == 1 => Some(samples.column(0).to_owned()),
        _ => None,
    };
    let feature = only_feature(&problem.test);
    let outputs = (0..mean.ncols()).map(|k| {
        let point = |i: usize| {
            let truth = truth.get((i, k)).copied();
            let at = feature.as_ref().map(|feature| feature[i]).or(truth)?;
            Some((at, truth.unwrap_or(f64::NAN), mean[(i, k)], std.as_ref().map(|std| std[(i, k)])))
        };
        let mut points: Vec<_> = (0..mean.nrows()).filter_map(point).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let training = match (only_feature(&problem.train), &problem.train_targets) {
            (Some(feature), Targets::Regression(values)) => {
                feature.iter().zip(values.column(k)).map(|(x, y)| (*x, *y)).collect()
            }
            _ => Vec::new(),
        };
        Dots { name: format!("output {k}"), points, training }
    });
    let band = if std.is_some() { " ± 2 standard deviations, without noise" } else { "" };
    let name = &network.facts.name;
    let [title, x, y] = match &feature {
        Some(_) => [format!("{name}: mean{band}"), "feature".to_owned(), "value".to_owned()],
        None => [format!("{name}: predictions{band}"), "true value".to_owned(), "predicted value".to_owned()],
    };
    let shape = if feature.is_some() { Shape::Over } else { Shape::Against };
    Values { title, x, y, outputs: outputs.collect(), shape }
}
