//! The curve over training times.

use ekernel_core::Control;
use ekernel_experiment::{Draws, ExperimentError, Problem, ProblemKernels, TimePoint, Training, learn};
use ekernel_predict::TrainingTime;

/// The scores after each of several training times, in their order; nothing of a single one.
pub(super) fn over_times(
    problem: &Problem,
    draws: &Draws,
    training: &Training,
    (kernels, times): (&ProblemKernels, &[TrainingTime]),
    control: &Control,
) -> Result<Vec<TimePoint>, ExperimentError> {
    if times.len() < 2 {
        return Ok(Vec::new());
    }
    let point = |&time: &TrainingTime| {
        let mut curve = learn(problem, draws, &Training { time, ..*training }, kernels, control)?;
        let point = curve.points.pop().ok_or(ExperimentError::NoDraws)?;
        Ok(TimePoint { time, point })
    };
    times.iter().map(point).collect()
}
