//! Pairs per second of a session.

use std::time::Instant;

use ekernel_core::{BackendError, Control, Prepared};

/// Growth from one trial to the next at most: a few pairs say little about many.
const GROWTH: f64 = 16.0;

/// A tile that was computed: its rows and columns, and the seconds it took.
#[derive(Clone, Copy)]
pub(super) struct Trial {
    pub(super) shape: [usize; 2],
    pub(super) seconds: f64,
}

impl Trial {
    pub(super) fn pairs(&self) -> usize {
        self.shape[0] * self.shape[1]
    }
}

/// The tile that takes about `seconds`, from one row of `columns` on to `most` samples a side; at least that row.
pub(super) fn tile(
    session: &dyn Prepared,
    columns: usize,
    most: [usize; 2],
    seconds: f64,
    control: &Control,
) -> Result<Trial, BackendError> {
    let mut shape = [1, columns];
    loop {
        let started = Instant::now();
        session.tile(0..shape[0], 0..shape[1], control)?;
        let trial = Trial { shape, seconds: started.elapsed().as_secs_f64() };
        let pairs = (trial.pairs() as f64 * (seconds / trial.seconds).min(GROWTH)) as usize;
        let wider = pairs.clamp(columns, most[1]);
        let larger = [(pairs / wider).clamp(1, most[0]), wider];
        if larger[0] * larger[1] <= trial.pairs() {
            return Ok(trial);
        }
        shape = larger;
    }
}

/// Every thread takes tile after tile of its own for `seconds`.
pub(super) fn pairs_per_second(
    session: &dyn Prepared,
    [rows, columns]: [usize; 2],
    threads: usize,
    seconds: f64,
    control: &Control,
) -> Result<f64, BackendError> {
    let work = |thread: usize| {
        let (started, mut pairs) = (Instant::now(), 0);
        let first = thread % 2 * columns;
        loop {
            session.tile(0..rows, first..first + columns, control)?;
            pairs += rows * columns;
            let elapsed = started.elapsed().as_secs_f64();
            if elapsed >= seconds {
                return Ok(pairs as f64 / elapsed);
            }
        }
    };
    if threads == 1 {
        return work(0);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .sum()
    })
}
