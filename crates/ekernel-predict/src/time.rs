//! How long gradient descent has run, and what that does to an eigenvalue.

use std::fmt;

use crate::PredictError;

/// Training time ηt of gradient flow on the loss ½·mean over samples and outputs; it may be infinite.
///
/// Discrete gradient descent with a small learning rate η has ηt = η × steps.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct TrainingTime(f64);

impl TrainingTime {
    /// Training to convergence.
    pub const INFINITE: TrainingTime = TrainingTime(f64::INFINITY);

    /// The time ηt ≥ 0; `f64::INFINITY` is allowed.
    ///
    /// # Errors
    /// [`PredictError::InvalidTime`] for a negative or NaN time.
    pub fn new(eta_t: f64) -> Result<TrainingTime, PredictError> {
        if eta_t >= 0.0 { Ok(TrainingTime(eta_t)) } else { Err(PredictError::InvalidTime { eta_t }) }
    }

    /// ηt.
    pub fn eta_t(self) -> f64 {
        self.0
    }

    /// Whether training runs to convergence.
    pub fn is_infinite(self) -> bool {
        self.0.is_infinite()
    }
}

impl fmt::Display for TrainingTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_infinite() { f.write_str("inf") } else { write!(f, "{}", self.0) }
    }
}

/// φ_τ(s) = (1 - e^{-sτ})/s, the factor by which training acts on an eigenvector of eigenvalue s, where
/// τ = ηt/(n·m) for a mean and twice that for the covariance of a posterior. φ_τ(0) = τ; φ_∞(s) = 1/s.
///
/// `s` must not be negative, and must be positive when τ is infinite.
pub(crate) fn filter(s: f64, tau: f64) -> f64 {
    if tau.is_infinite() {
        s.recip()
    } else if s == 0.0 {
        tau
    } else {
        -(-s * tau).exp_m1() / s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_meets_its_limits() {
        assert_eq!(filter(0.0, 3.0), 3.0);
        assert_eq!(filter(4.0, f64::INFINITY), 0.25);
        assert_eq!(filter(4.0, 1e9), 0.25);
        assert_eq!(filter(4.0, 0.0), 0.0);
        // Against the series τ - sτ²/2, whose next term is 1.7e-25 here.
        let (s, tau) = (1e-12, 1.0);
        assert!((filter(s, tau) - (tau - s * tau * tau / 2.0)).abs() <= f64::EPSILON);
    }

    #[test]
    fn time_refuses_what_is_not_a_time() {
        assert_eq!(TrainingTime::new(-1.0), Err(PredictError::InvalidTime { eta_t: -1.0 }));
        assert!(
            matches!(TrainingTime::new(f64::NAN), Err(PredictError::InvalidTime { eta_t }) if eta_t.is_nan())
        );
        assert_eq!(TrainingTime::new(f64::INFINITY), Ok(TrainingTime::INFINITE));
        assert_eq!(TrainingTime::new(0.5).map(|t| t.to_string()), Ok("0.5".to_owned()));
    }
}
