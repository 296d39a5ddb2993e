//! Work on all cores of the host.

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread::{Builder, ScopedJoinHandle},
};

use ekernel_core::{BackendError, Control};

/// `work` of 0, 1, … to before `count`, each on the next free core.
///
/// Errors: the first of `work`, and [`BackendError::Cancelled`].
pub(crate) fn on_all_cores<T: Send>(
    count: usize,
    control: &Control,
    work: impl Fn(usize) -> Result<T, BackendError> + Sync,
) -> Result<Vec<T>, BackendError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(count);
    let next = AtomicUsize::new(0);
    let some = || -> Result<Vec<(usize, T)>, BackendError> {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return Ok(done);
            }
            let one = control.check().and_then(|()| work(at));
            // Where one fails nobody needs to go on.
            done.push((at, one.inspect_err(|_| next.store(count, Ordering::Relaxed))?));
        }
    };
    let parts: Vec<Result<Vec<(usize, T)>, BackendError>> = std::thread::scope(|scope| {
        // What a system that is out of threads refuses, this one and the others do.
        let helper = |_| Builder::new().spawn_scoped(scope, some).ok();
        let running: Vec<_> = (1..threads).filter_map(helper).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order() {
        let squares = on_all_cores(1000, &Control::new(), |i| Ok(i * i)).expect("no errors");
        assert_eq!(squares, (0..1000).map(|i| i * i).collect::<Vec<_>>());
    }

    #[test]
    fn cancelling_ends_the_work() {
        let control = Control::new();
        let done = AtomicUsize::new(0);
        let result = on_all_cores(1_000_000, &control, |i| {
            done.fetch_add(1, Ordering::Relaxed);
            if i == 10 {
                control.cancel();
            }
            Ok(())
        });
        assert!(matches!(result, Err(BackendError::Cancelled)), "{result:?}");
        assert!(done.into_inner() < 1_000_000);
    }
}
