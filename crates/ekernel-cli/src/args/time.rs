//! Training times.

use ekernel_predict::TrainingTime;

/// Reads a training time ηt.
pub(crate) fn time(text: &str) -> Result<TrainingTime, String> {
    let wrong = || "give inf, or a number of at least 0 (learning rate × steps)".to_owned();
    TrainingTime::new(text.parse().map_err(|_| wrong())?).map_err(|_| wrong())
}
