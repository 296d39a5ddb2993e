//! Work on several cores.

use std::{
    panic::resume_unwind,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{Builder, ScopedJoinHandle},
};

use ekernel_core::BackendError;

use crate::Watch;

/// How many threads share a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workers(usize);

impl Workers {
    /// This many threads; 0 means one for each core.
    pub fn new(threads: usize) -> Workers {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        Workers(if threads == 0 { cores() } else { threads })
    }

    /// The calling thread alone.
    pub fn one() -> Workers {
        Workers(1)
    }

    /// How many.
    pub fn count(self) -> usize {
        self.0
    }

    /// `work` of 0, 1, … to before `count`, each on the next free thread; a system that refuses threads leaves the work to those
    /// that it grants. Each piece reports its own progress, and the watch hears the sum.
    ///
    /// # Errors
    /// The first of `work`, and [`BackendError::Cancelled`].
    pub fn map<T: Send>(
        self,
        count: usize,
        watch: Watch<'_>,
        work: impl Fn(usize, Watch<'_>) -> Result<T, BackendError> + Sync,
    ) -> Result<Vec<T>, BackendError> {
        let (next, total) = (AtomicUsize::new(0), Mutex::new(0.0));
        let one = |at: usize| -> Result<T, BackendError> {
            watch.check()?;
            let reached = Mutex::new(0.0);
            let tell = |part: f64| {
                let mut reached = lock(&reached);
                let more = (part - *reached).max(0.0);
                *reached += more;
                // Held while reporting, so that reports come in rising order.
                let mut total = lock(&total);
                *total += more;
                (watch.tell)(*total / count as f64);
            };
            let result = work(at, Watch { control: watch.control, tell: &tell })?;
            tell(1.0);
            Ok(result)
        };
        let some = || -> Result<Vec<(usize, T)>, BackendError> {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    return Ok(done);
                }
                // Where one fails nobody needs to go on.
                done.push((at, one(at).inspect_err(|_| next.store(count, Ordering::Relaxed))?));
            }
        };
        let parts: Vec<Result<Vec<(usize, T)>, BackendError>> = std::thread::scope(|scope| {
            let helper = |_| Builder::new().spawn_scoped(scope, some).ok();
            let running: Vec<_> = (1..self.0.min(count)).map_while(helper).collect();
            let own = some();
            let join =
                |thread: ScopedJoinHandle<'_, _>| thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            std::iter::once(own).chain(running.into_iter().map(join)).collect()
        });
        let mut all = Vec::with_capacity(count);
        for part in parts {
            all.extend(part?);
        }
        all.sort_unstable_by_key(|(at, _)| *at);
        Ok(all.into_iter().map(|(_, value)| value).collect())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use ekernel_core::Control;

    use super::*;

    #[test]
    fn results_are_in_order_and_progress_rises_to_all() {
        let heard = Mutex::new(Vec::new());
        let tell = |part: f64| heard.lock().unwrap().push(part);
        let watch = Watch { control: &Control::new(), tell: &tell };
        let squares = Workers::new(3).map(100, watch, |i, watch| {
            (watch.tell)(0.5);
            Ok(i * i)
        });
        assert_eq!(squares.unwrap(), (0..100).map(|i| i * i).collect::<Vec<_>>());
        let heard = heard.into_inner().unwrap();
        assert!(heard.is_sorted() && heard.len() == 200, "{heard:?}");
        assert!((heard[199] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn cancelling_ends_the_work() {
        let control = Control::new();
        let done = AtomicUsize::new(0);
        let result = Workers::new(0).map(1_000_000, Watch::silent(&control), |i, _| {
            done.fetch_add(1, Ordering::Relaxed);
            if i == 10 {
                control.cancel();
            }
            Ok(())
        });
        assert!(matches!(result, Err(BackendError::Cancelled)), "{result:?}");
        assert!(done.into_inner() < 1_000_000);
    }

    #[test]
    fn the_first_error_ends_the_work() {
        let failing = |i, _: Watch<'_>| if i == 7 { Err(BackendError::Cancelled) } else { Ok(i) };
        assert!(Workers::one().map(1000, Watch::silent(&Control::new()), failing).is_err());
    }
}
