//! Who may stop work on a device, and hears how far it is.

use std::ops::Range;

use ekernel_core::{Control, Progress};

/// Watches a piece of work.
#[derive(Clone, Copy)]
pub(crate) struct Watch<'a> {
    pub(crate) control: &'a Control,
    /// Hears how much of the work is done, from 0 to 1.
    pub(crate) tell: &'a (dyn Fn(f64) + Sync),
}

impl Watch<'_> {
    /// Watches `work`, which is some of so many equal parts of the whole.
    pub(crate) fn part<T>(self, part: Range<usize>, of: usize, work: impl FnOnce(Watch<'_>) -> T) -> T {
        let tell = |done: f64| (self.tell)((part.start as f64 + done * part.len() as f64) / of as f64);
        work(Watch { control: self.control, tell: &tell })
    }
}

/// Reports how many of so many samples are prepared; one that is half prepared counts half.
pub(crate) fn prepared(control: &Control, of: usize) -> impl Fn(f64) + Sync {
    move |part| control.report(Progress::Prepared { done: (part * of as f64).round() as usize, of })
}

/// Reports how many pairs of a tile are done, of which `begun` were done before and `pairs` are under way.
pub(crate) fn under_way(control: &Control, begun: usize, pairs: usize) -> impl Fn(f64) + Sync {
    move |part| control.report(Progress::Tile { pairs: begun as f64 + part * pairs as f64 })
}
