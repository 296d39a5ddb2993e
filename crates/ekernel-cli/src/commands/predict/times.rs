//! The curve over training times.

use ekernel_core::Control;
use ekernel_experiment::{
    Curve, Draws, ExperimentError, Problem, ProblemKernels, TimePoint, Training, learn,
};
use ekernel_predict::TrainingTime;

/// The scores after each of several training times, in their order; nothing of a single one. `last` is the curve of the last.
pub(super) fn over_times(
    problem: &Problem,
    draws: &Draws,
    training: &Training,
    (kernels, times, last): (&ProblemKernels, &[TrainingTime], &Curve),
    control: &Control,
) -> Result<Vec<TimePoint>, ExperimentError> {
    let Some((&learnt, earlier @ [_, ..])) = times.split_last() else { return Ok(Vec::new()) };
    let point = |time: TrainingTime, curve: &Curve| {
        let point = curve.points.last().cloned().ok_or(ExperimentError::NoDraws)?;
        Ok(TimePoint { time, point })
    };
    let points = earlier
        .iter()
        .map(|&time| point(time, &learn(problem, draws, &Training { time, ..*training }, kernels, control)?));
    points.chain([point(learnt, last)]).collect()
}
