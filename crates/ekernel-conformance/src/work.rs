//! How much work is done after cancelling, counted in what is reported, not in seconds.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use ekernel_core::{BackendError, CancelToken, Control, Pairs, Progress, ProgressSink};

use crate::{Case, Subject};

/// Reports after cancelling up to which work ends at once: the submissions, or the tasks of two threads, that were under way.
const UNDER_WAY: usize = 2;

/// Work that was cancelled before it began does not begin.
///
/// # Panics
/// If it does.
pub(crate) fn cancelled_before(subject: &Subject, case: &Case) {
    let backend = subject.backend(case.plan());
    let reports = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&reports);
    let cancelled = Control::with_progress(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    cancelled.cancel();
    let pairs = Pairs::within(Arc::clone(&case.samples));
    let prepared = backend.prepare(pairs.clone(), &cancelled).map(|_| ());
    assert!(matches!(prepared, Err(BackendError::Cancelled)), "{}: {prepared:?}", subject.name);
    let session = backend.prepare(pairs, &Control::new()).expect("prepared");
    let n = case.samples.len();
    let tile = session.tile(0..n, 0..n, &cancelled);
    assert!(matches!(tile, Err(BackendError::Cancelled)), "{}: {tile:?}", subject.name);
    assert_eq!(reports.load(Ordering::Relaxed), 0, "{} reports cancelled work", subject.name);
}

/// Cancels at the first report for which `at` holds; how many such reports follow.
fn after_cancelling(at: fn(Progress) -> bool) -> (Control, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let (count, cancel) = (Arc::clone(&seen), CancelToken::new());
    let token = cancel.clone();
    let progress = ProgressSink::new(move |progress| {
        if at(progress) {
            token.cancel();
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (Control { cancel, progress }, seen)
}

/// A tile that is cancelled in its midst ends after few more reports; while tiles are `silent`, for the reason given, there is no
/// midst.
///
/// # Panics
/// If it goes on, or reports where that was not expected.
pub(crate) fn cancelled_within(subject: &Subject, case: &Case, silent: Option<&str>) {
    let backend = subject.backend(case.plan());
    let session =
        backend.prepare(Pairs::within(Arc::clone(&case.samples)), &Control::new()).expect("prepared");
    let (control, seen) =
        after_cancelling(|progress| matches!(progress, Progress::Tile { pairs } if pairs > 0.0));
    let tile = session.tile(0..1, 1..2, &control).map(|_| ());
    let seen = seen.load(Ordering::SeqCst);
    println!("{}: {seen} reports, {tile:?}", subject.name);
    if let Some(why) = silent {
        assert!(
            tile.is_ok(),
            "{} reports in the midst of tiles now ({why}): remove the expectation",
            subject.name
        );
        return;
    }
    assert!(matches!(tile, Err(BackendError::Cancelled)), "{}: {tile:?}", subject.name);
    assert!((1..=1 + UNDER_WAY).contains(&seen), "{}: {seen} reports", subject.name);
}

/// Preparation that is cancelled in its midst ends after few more reports.
///
/// # Panics
/// If it goes on.
pub(crate) fn cancelled_preparation(subject: &Subject, case: &Case) {
    let backend = subject.backend(case.plan());
    let (control, seen) = after_cancelling(|progress| matches!(progress, Progress::Prepared { .. }));
    let prepared = backend.prepare(Pairs::within(Arc::clone(&case.samples)), &control).map(|_| ());
    let seen = seen.load(Ordering::SeqCst);
    println!("{}: {seen} reports, {prepared:?}", subject.name);
    assert!(matches!(prepared, Err(BackendError::Cancelled)), "{}: {prepared:?}", subject.name);
    assert!((1..=1 + UNDER_WAY).contains(&seen), "{}: {seen} reports", subject.name);
}
