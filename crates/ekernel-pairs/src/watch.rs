//! Who may stop a piece of work, and hears how far it is.

use std::ops::Range;

use ekernel_core::{BackendError, Control};

/// Watches a piece of work.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Stops the work.
    pub control: &'a Control,
    /// Hears the part of the work that is done, from 0 to 1.
    pub tell: &'a (dyn Fn(f64) + Sync),
}

impl<'a> Watch<'a> {
    /// Reports nothing.
    pub fn silent(control: &'a Control) -> Watch<'a> {
        fn nobody(_: f64) {}
        Watch { control, tell: &nobody }
    }

    /// Returns an error once the work was asked to stop.
    ///
    /// # Errors
    /// [`BackendError::Cancelled`].
    pub fn check(&self) -> Result<(), BackendError> {
        self.control.check()
    }

    /// Watches `work`, which is the parts `part` of the `of` equal parts of the whole.
    pub fn part<T>(self, part: Range<usize>, of: usize, work: impl FnOnce(Watch<'_>) -> T) -> T {
        let tell = |done: f64| (self.tell)((part.start as f64 + done * part.len() as f64) / of as f64);
        work(Watch { control: self.control, tell: &tell })
    }
}
