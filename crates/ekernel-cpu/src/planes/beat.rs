//! The beat of work on planes: after each plane somebody may stop the work, and now and then hears how far it is.

use std::cell::Cell;

use ekernel_pairs::Watch;

/// Values that are computed between two reports, some hundredths of a second.
const QUANTUM: f64 = 2e7;

/// Counts the planes of a piece of work, on one thread.
pub(crate) struct Beat<'a> {
    watch: Watch<'a>,
    /// Planes of readouts in all, and how many of them are done and were done at the last report.
    planes: f64,
    done: Cell<f64>,
    told: Cell<f64>,
    /// Planes between two reports.
    every: f64,
}

impl<'a> Beat<'a> {
    /// For so many `planes` of readouts of so many `values` each.
    pub(crate) fn new(watch: Watch<'a>, planes: usize, values: f64) -> Beat<'a> {
        let every = (QUANTUM / values.max(1.0)).ceil();
        Beat { watch, planes: planes as f64, done: Cell::new(0.0), told: Cell::new(0.0), every }
    }

    /// For planes on the way to others: nothing is reported.
    pub(crate) fn silent(watch: Watch<'a>) -> Beat<'a> {
        Beat::new(watch, 1, 0.0)
    }

    /// Whether the work goes on.
    pub(crate) fn goes_on(&self) -> bool {
        #[cfg(test)]
        counted::plane();
        !self.watch.control.is_cancelled()
    }

    /// Counts a plane of a readout; whether the work goes on.
    pub(crate) fn plane(&self) -> bool {
        let done = self.done.get() + 1.0;
        self.done.set(done);
        if done - self.told.get() >= self.every {
            self.told.set(done);
            (self.watch.tell)(done / self.planes);
        }
        self.goes_on()
    }
}

/// Planes that a thread has computed, for tests that count work instead of time.
#[cfg(test)]
pub(crate) mod counted {
    use std::cell::{Cell, RefCell};

    use ekernel_core::CancelToken;

    thread_local! {
        static PLANES: Cell<usize> = const { Cell::new(0) };
        static CANCEL: RefCell<Option<(usize, CancelToken)>> = const { RefCell::new(None) };
    }

    pub(super) fn plane() {
        let count = PLANES.get() + 1;
        PLANES.set(count);
        CANCEL.with_borrow(|cancel| {
            if let Some((at, token)) = cancel
                && *at == count
            {
                token.cancel();
            }
        });
    }

    /// Planes computed by `work` on this thread, which is cancelled after `at` of them.
    pub(crate) fn planes(at: usize, token: &CancelToken, work: impl FnOnce()) -> usize {
        PLANES.set(0);
        CANCEL.set(Some((at, token.clone())));
        work();
        CANCEL.set(None);
        PLANES.get()
    }
}
