//! Cancelling long work, and hearing how far it is.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::BackendError;

/// Cancels work; its clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

/// Receives reports of progress, from any thread; its clones report to one place.
#[derive(Clone, Default)]
pub struct ProgressSink(Option<Arc<dyn Fn(Progress) + Send + Sync>>);

/// A [`CancelToken`] and a [`ProgressSink`]: what long work takes along.
#[derive(Clone, Debug, Default)]
pub struct Control {
    /// Stops the work.
    pub cancel: CancelToken,
    /// Hears how far the work is.
    pub progress: ProgressSink,
}

/// What long work reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// `done` samples of `of` have been prepared.
    Prepared {
        /// Samples done.
        done: usize,
        /// Samples in all.
        of: usize,
    },
    /// `done` pairs of `of` have been computed.
    Pairs {
        /// Pairs done.
        done: u64,
        /// Pairs in all.
        of: u64,
    },
    /// A part of a tile under way has been computed.
    ///
    /// Sessions report it where a tile may take long, each of its own tile; the pairs of finished tiles are counted in
    /// [`Progress::Pairs`].
    Tile {
        /// Pairs, whole and in part: 0.25 is a quarter of a single pair.
        pairs: f64,
    },
}

impl CancelToken {
    /// A token that is not cancelled.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Asks the work to stop soon; it ends with [`BackendError::Cancelled`].
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl ProgressSink {
    /// Calls `report` now and then, from any thread.
    pub fn new(report: impl Fn(Progress) + Send + Sync + 'static) -> ProgressSink {
        ProgressSink(Some(Arc::new(report)))
    }

    /// A sink that nobody listens to.
    pub fn silent() -> ProgressSink {
        ProgressSink::default()
    }

    /// Reports progress.
    pub fn report(&self, progress: Progress) {
        if let Some(report) = &self.0 {
            report(progress);
        }
    }
}

impl Control {
    /// Nothing is reported.
    pub fn new() -> Control {
        Control::default()
    }

    /// Calls `report` now and then, from any thread.
    pub fn with_progress(report: impl Fn(Progress) + Send + Sync + 'static) -> Control {
        Control { cancel: CancelToken::new(), progress: ProgressSink::new(report) }
    }

    /// Asks the work to stop soon; it ends with [`BackendError::Cancelled`].
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Whether the work was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Returns an error once the work was asked to stop; long loops call it every few milliseconds.
    ///
    /// # Errors
    /// [`BackendError::Cancelled`].
    pub fn check(&self) -> Result<(), BackendError> {
        if self.is_cancelled() { Err(BackendError::Cancelled) } else { Ok(()) }
    }

    /// Reports progress.
    pub fn report(&self, progress: Progress) {
        self.progress.report(progress);
    }
}

impl fmt::Debug for ProgressSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "ProgressSink" } else { "ProgressSink::silent()" })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn clones_share_the_token_and_the_sink() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&heard);
        let control = Control::with_progress(move |progress| sink.lock().unwrap().push(progress));
        let other = control.clone();
        assert!(other.check().is_ok());
        control.cancel.clone().cancel();
        assert!(matches!(other.check(), Err(BackendError::Cancelled)));
        other.report(Progress::Prepared { done: 1, of: 2 });
        assert_eq!(*heard.lock().unwrap(), [Progress::Prepared { done: 1, of: 2 }]);
        assert_eq!(
            format!("{:?} {:?}", control.progress, Control::new().progress),
            "ProgressSink ProgressSink::silent()"
        );
    }
}
