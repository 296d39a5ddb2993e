//! Tiles on threads.

use std::io;
#[cfg(feature = "threads")]
use std::{
    panic,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// `Sync` where there are threads.
#[cfg(feature = "threads")]
pub(crate) trait AcrossThreads: Sync {}

#[cfg(feature = "threads")]
impl<T: Sync> AcrossThreads for T {}

/// `Sync` where there are threads.
#[cfg(not(feature = "threads"))]
pub(crate) trait AcrossThreads {}

#[cfg(not(feature = "threads"))]
impl<T> AcrossThreads for T {}

/// How many of `threads` there are at most.
pub(crate) fn at_most(threads: usize) -> usize {
    if cfg!(feature = "threads") { threads } else { 1 }
}

/// Calls `step` for each of `0..steps` in order on `threads` threads, until all are done, one
/// fails, or `stop` says so.
///
/// Returns the failure of the lowest step: steps begin in order and those under way are finished,
/// so it is the same failure for every number of threads. `no_thread` makes one of a thread (from
/// 0) that could not be started.
#[cfg(feature = "threads")]
pub(crate) fn run<E: Send>(
    steps: usize,
    threads: usize,
    step: impl Fn(usize) -> Result<(), E> + Sync,
    stop: impl Fn() -> bool + Sync,
    no_thread: impl Fn(usize, io::Error) -> E,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let first_failure: Mutex<Option<(usize, E)>> = Mutex::new(None);
    let work = || {
        while !failed.load(Ordering::Relaxed) && !stop() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= steps {
                break;
            }
            if let Err(error) = step(index) {
                failed.store(true, Ordering::Relaxed);
                let mut first = first_failure.lock().unwrap_or_else(PoisonError::into_inner);
                if first.as_ref().is_none_or(|(earlier, _)| index < *earlier) {
                    *first = Some((index, error));
                }
            }
        }
    };
    let started = thread::scope(|scope| {
        let mut workers = Vec::new();
        let mut started = Ok(());
        for index in 0..threads {
            match thread::Builder::new().name(format!("ekernel-tile-{index}")).spawn_scoped(scope, work) {
                Ok(worker) => workers.push(worker),
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    started = Err(no_thread(index, error));
                    break;
                }
            }
        }
        for worker in workers {
            if let Err(panicked) = worker.join() {
                panic::resume_unwind(panicked);
            }
        }
        started
    });
    started?;
    match first_failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

/// The same one after the other.
#[cfg(not(feature = "threads"))]
pub(crate) fn run<E>(
    steps: usize,
    _: usize,
    step: impl Fn(usize) -> Result<(), E>,
    stop: impl Fn() -> bool,
    _: impl Fn(usize, io::Error) -> E,
) -> Result<(), E> {
    (0..steps).take_while(|_| !stop()).try_for_each(step)
}

#[cfg(all(test, feature = "threads"))]
mod tests {
    use std::time::Duration;

    use super::*;

    fn unstarted(_: usize, error: io::Error) -> usize {
        panic!("{error}")
    }

    #[test]
    fn the_lowest_failure_is_returned_whichever_comes_last() {
        for (third, others) in [(40, 0), (20, 40)] {
            let step = |index: usize| {
                if index < 3 {
                    return Ok(());
                }
                thread::sleep(Duration::from_millis(if index == 3 { third } else { others }));
                Err(index)
            };
            for threads in 1..6 {
                assert_eq!(run(20, threads, step, || false, unstarted), Err(3), "{threads} threads");
            }
        }
    }

    #[test]
    fn as_many_steps_run_together_as_there_are_threads() {
        let together = std::sync::Barrier::new(3);
        let step = |_| {
            together.wait();
            Ok(())
        };
        assert_eq!(run(9, 3, step, || false, unstarted), Ok(()));
    }

    #[test]
    fn stopping_begins_no_further_step() {
        let done = AtomicUsize::new(0);
        let step = |_| {
            done.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        assert_eq!(run(100, 1, step, || done.load(Ordering::Relaxed) == 7, unstarted), Ok(()));
        assert_eq!(done.into_inner(), 7);
    }
}
