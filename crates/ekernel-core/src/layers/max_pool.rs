//! max_pool: the largest value of each channel over windows, on group grids in each slot by itself. Its kernel has no closed
//! form: the largest of several Gaussian features is not Gaussian, and its covariances are integrals over all positions of
//! both windows.

use super::{
    kind::{Incoming, Kind},
    sliding::{slide, square, write_window},
};
use crate::{
    ArchError, Domain, Padding, Window,
    keys::{Keys, Section},
};

/// The largest value over sliding windows, which networks of finite width have and kernels have not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxPool {
    /// Window, strides, padding; positions beyond the border do not count.
    pub window: Window,
}

impl MaxPool {
    /// Windows of this size, strides equal to the size, valid padding.
    pub fn new(size: [usize; 2]) -> MaxPool {
        MaxPool { window: Window { size, strides: size, padding: Padding::Valid } }
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<MaxPool, ArchError> {
        let size = keys.pair("window")?.ok_or_else(|| keys.missing("window", "window = [2, 2]"))?;
        let strides = keys.pair("strides")?.unwrap_or(size);
        Ok(MaxPool { window: Window { size, strides, padding: keys.padding(Padding::Valid)? } })
    }
}

impl Kind for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        if let Domain::GroupGrid { group, .. } = input.domain {
            square(group, "window", self.window.size, input)?;
            square(group, "stride", self.window.strides, input)?;
        }
        match input.domain {
            Domain::Grid { .. } | Domain::GroupGrid { .. } => slide(&self.window, input),
            _ => Err(input.wrong_domain("a grid or a group grid")),
        }
    }

    fn write(&self, section: &mut Section) {
        write_window(&self.window, "window", self.window.size, section);
    }

    fn destroys_gaussian(&self) -> Option<&'static str> {
        Some("max_pool takes the largest of several features")
    }

    fn window(&self) -> Option<&Window> {
        Some(&self.window)
    }
}
