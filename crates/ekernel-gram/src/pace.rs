//! How fast the work goes, and how long it will still take.

use std::time::{Duration, Instant};

use ekernel_core::Progress;

/// Makes a rate and the time left out of progress reports.
///
/// The rate is counted from the first report of a phase (preparing, computing), so tiles that a resumed run found
/// finished do not count as fast ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    start: Option<Start>,
}

/// How fast the work goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Pairs or samples per second since the phase began.
    pub per_second: f64,
    /// Time left at this rate.
    pub left: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Start {
    computing: bool,
    of: u64,
    done: u64,
    at: Instant,
}

impl Pace {
    /// Nothing is known yet.
    pub fn new() -> Pace {
        Pace::default()
    }

    /// Takes in a report that came `at` that time; `None` until a rate is known.
    pub fn observe(&mut self, progress: Progress, at: Instant) -> Option<Speed> {
        let (computing, done, of) = match progress {
            Progress::Prepared { done, of } => (false, done as u64, of as u64),
            Progress::Pairs { done, of } => (true, done, of),
        };
        let start = match self.start {
            Some(start) if (start.computing, start.of) == (computing, of) && start.done <= done => start,
            _ => *self.start.insert(Start { computing, of, done, at }),
        };
        let seconds = at.saturating_duration_since(start.at).as_secs_f64();
        if done == start.done || seconds == 0.0 {
            return None;
        }
        let per_second = (done - start.done) as f64 / seconds;
        let left = of.saturating_sub(done) as f64 / per_second;
        Some(Speed { per_second, left: Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_counts_from_the_first_report_of_a_phase() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut pace = Pace::new();
        assert_eq!(pace.observe(Progress::Prepared { done: 0, of: 10 }, at(0)), None);
        let speed = pace.observe(Progress::Prepared { done: 5, of: 10 }, at(1)).unwrap();
        assert_eq!(speed, Speed { per_second: 5.0, left: Duration::from_secs(1) });
        // A resumed run: 600 pairs were there before.
        assert_eq!(pace.observe(Progress::Pairs { done: 600, of: 1000 }, at(2)), None);
        assert_eq!(pace.observe(Progress::Pairs { done: 600, of: 1000 }, at(3)), None);
        let speed = pace.observe(Progress::Pairs { done: 700, of: 1000 }, at(4)).unwrap();
        assert_eq!(speed, Speed { per_second: 50.0, left: Duration::from_secs(6) });
        let speed = pace.observe(Progress::Pairs { done: 1000, of: 1000 }, at(5)).unwrap();
        assert_eq!(speed.left, Duration::ZERO);
    }

    #[test]
    fn a_rate_next_to_nothing_is_no_panic() {
        let mut pace = Pace::new();
        let begin = Instant::now();
        pace.observe(Progress::Pairs { done: 0, of: u64::MAX }, begin);
        let year = Duration::from_secs(365 * 86_400);
        let speed = pace.observe(Progress::Pairs { done: 1, of: u64::MAX }, begin + year).unwrap();
        assert_eq!(speed.left, Duration::MAX);
    }
}
