//! Pairs per second of a session.

use std::{fs, time::Instant};

use ekernel_core::{BackendError, Control, Prepared};

/// Growth from one trial to the next at most: a few pairs say little about many.
const GROWTH: f64 = 16.0;

/// A tile that was computed: its rows and columns, and what it took.
#[derive(Clone, Copy)]
pub(super) struct Trial {
    pub(super) shape: [usize; 2],
    pub(super) spent: Seconds,
}

/// What a thread spent.
#[derive(Clone, Copy)]
pub(super) struct Seconds {
    /// On the clock.
    pub(super) wall: f64,
    /// On a processor, where the system tells that of a thread.
    pub(super) processor: Option<f64>,
}

impl Seconds {
    /// So many of something in these seconds, by the second.
    pub(super) fn rate(self, count: usize) -> Rate {
        let count = count as f64;
        Rate { wall: count / self.wall, processor: self.processor.map(|seconds| count / seconds) }
    }
}

/// Pairs per second.
#[derive(Clone, Copy)]
pub(super) struct Rate {
    /// Of all threads together.
    pub(super) wall: f64,
    /// Of one processor, whatever else it does; where the system tells the time of a thread.
    pub(super) processor: Option<f64>,
}

/// The clocks of the calling thread when it was made.
struct Started {
    wall: Instant,
    processor: Option<f64>,
}

impl Started {
    fn now() -> Started {
        Started { wall: Instant::now(), processor: processor_seconds() }
    }

    fn elapsed(&self) -> Seconds {
        let wall = self.wall.elapsed().as_secs_f64();
        // The system counts in steps of some milliseconds.
        let processor = processor_seconds().zip(self.processor).map(|(now, then)| now - then);
        Seconds { wall, processor: processor.filter(|seconds| *seconds > 0.02) }
    }
}

/// Seconds that the calling thread has spent on a processor, where Linux tells them.
fn processor_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(1e-9 * text.split_whitespace().next()?.parse::<f64>().ok()?)
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
        let started = Started::now();
        session.tile(0..shape[0], 0..shape[1], control)?;
        let trial = Trial { shape, spent: started.elapsed() };
        let pairs = (trial.pairs() as f64 * (seconds / trial.spent.wall).min(GROWTH)) as usize;
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
) -> Result<Rate, BackendError> {
    let work = |thread: usize| {
        let (started, mut pairs) = (Started::now(), 0);
        let first = thread % 2 * columns;
        loop {
            session.tile(0..rows, first..first + columns, control)?;
            pairs += rows * columns;
            if started.wall.elapsed().as_secs_f64() >= seconds {
                return Ok(started.elapsed().rate(pairs));
            }
        }
    };
    if threads == 1 {
        return work(0);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        let rates: Vec<Rate> = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<Result<_, BackendError>>()?;
        let processors: Option<Vec<f64>> = rates.iter().map(|rate| rate.processor).collect();
        Ok(Rate {
            wall: rates.iter().map(|rate| rate.wall).sum(),
            processor: processors.map(|rates| rates.iter().sum::<f64>() / rates.len() as f64),
        })
    })
}
