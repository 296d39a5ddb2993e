//! How fast the work goes, and how long it will still take.

use std::time::{Duration, Instant};

use ekernel_core::Progress;

/// Makes a rate and the time left out of progress reports.
///
/// The rate is counted from the first report of a phase (preparing, computing), so tiles that a
/// resumed run found finished do not count as fast ones. What is done of a tile under way counts;
/// of several at once, the one that is furthest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    start: Option<Start>,
    reached: Option<Reached>,
    /// Pairs of finished tiles, and pairs in all, once they are known.
    finished: Option<[u64; 2]>,
    /// Pairs of a tile under way.
    under_way: f64,
}

/// How far the work is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reached {
    /// Whether pairs are computed; samples are prepared before.
    pub computing: bool,
    /// Pairs or samples done, parts of pairs included.
    pub done: f64,
    /// Pairs or samples in all.
    pub of: u64,
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
    reached: Reached,
    at: Instant,
}

impl Pace {
    /// Nothing is known yet.
    pub fn new() -> Pace {
        Pace::default()
    }

    /// Takes in a report that came `at` that time; `None` until a rate is known.
    pub fn observe(&mut self, progress: Progress, at: Instant) -> Option<Speed> {
        let reached = self.after(progress)?;
        self.reached = Some(reached);
        let begun = |start: &Start| {
            let Reached { computing, done, of } = start.reached;
            (computing, of) == (reached.computing, reached.of) && done <= reached.done
        };
        let start = match self.start.filter(begun) {
            Some(start) => start,
            None => *self.start.insert(Start { reached, at }),
        };
        let seconds = at.saturating_duration_since(start.at).as_secs_f64();
        let done = reached.done - start.reached.done;
        if done == 0.0 || seconds == 0.0 {
            return None;
        }
        let per_second = done / seconds;
        let left = (reached.of as f64 - reached.done).max(0.0) / per_second;
        Some(Speed { per_second, left: Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX) })
    }

    /// How far the work was at the last report.
    pub fn reached(&self) -> Option<Reached> {
        self.reached
    }

    /// How far the work is after a report; `None` for a tile of which nobody has said how many
    /// there are.
    fn after(&mut self, progress: Progress) -> Option<Reached> {
        let pairs = match progress {
            Progress::Prepared { done, of } => {
                return Some(Reached { computing: false, done: done as f64, of: of as u64 });
            }
            Progress::Pairs { done, of } => {
                (self.finished, self.under_way) = (Some([done, of]), 0.0);
                0.0
            }
            Progress::Tile { pairs } => pairs,
        };
        let [done, of] = self.finished?;
        self.under_way = self.under_way.max(pairs);
        Some(Reached { computing: true, done: (done as f64 + self.under_way).min(of as f64), of })
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

    /// One pair that takes minutes has a rate and an end in sight; what is repeated on a new device
    /// is not taken back.
    #[test]
    fn parts_of_a_tile_count() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut pace = Pace::new();
        assert_eq!(pace.observe(Progress::Tile { pairs: 0.5 }, at(0)), None);
        assert_eq!(pace.reached(), None);
        pace.observe(Progress::Pairs { done: 2, of: 4 }, at(0));
        let speed = pace.observe(Progress::Tile { pairs: 0.25 }, at(10)).unwrap();
        assert_eq!(speed, Speed { per_second: 0.025, left: Duration::from_secs(70) });
        for (progress, done) in [
            (Progress::Tile { pairs: 0.125 }, 2.25),
            (Progress::Tile { pairs: 0.75 }, 2.75),
            (Progress::Pairs { done: 3, of: 4 }, 3.0),
            (Progress::Tile { pairs: 0.5 }, 3.5),
            (Progress::Tile { pairs: 7.0 }, 4.0),
        ] {
            pace.observe(progress, at(20));
            assert_eq!(pace.reached(), Some(Reached { computing: true, done, of: 4 }), "{progress:?}");
        }
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
