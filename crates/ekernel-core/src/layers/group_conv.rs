//! group_conv on G = H ⋉ Z²: K_{g,g'} = w²·(1/|S|) Σ_{h∈S} K_{gh,g'h} + b², S = H × window.

use super::{
    Weights,
    kind::{Incoming, Kind},
    sliding::{filter_window, slide, square, window_setters, write_window},
    weights::weight_setters,
};
use crate::{
    ArchError, Domain, Window,
    keys::{Keys, Section},
};

/// A convolution on a group grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupConv {
    /// Filter, strides, padding in space; the filter covers all of H.
    pub window: Window,
    /// Its weights.
    pub weights: Weights,
}

weight_setters!(GroupConv);
window_setters!(GroupConv);

impl GroupConv {
    /// A filter of this size, stride 1, valid padding, w_std = 1, no bias.
    pub fn new(filter: [usize; 2]) -> GroupConv {
        GroupConv { window: filter_window(filter), weights: Weights::default() }
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<GroupConv, ArchError> {
        Ok(GroupConv { window: keys.filter()?, weights: Weights::read(keys)? })
    }
}

impl Kind for GroupConv {
    fn name(&self) -> &'static str {
        "group_conv"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        let Domain::GroupGrid { group, .. } = input.domain else {
            return Err(input.wrong_domain("a group grid (lift makes one from an image)"));
        };
        square(group, "filter", self.window.size, input)?;
        square(group, "stride", self.window.strides, input)?;
        slide(&self.window, input)
    }

    fn write(&self, section: &mut Section) {
        write_window(&self.window, "filter", [1, 1], section);
        self.weights.write(section);
    }

    fn weights(&self) -> Option<&Weights> {
        Some(&self.weights)
    }

    fn window(&self) -> Option<&Window> {
        Some(&self.window)
    }
}
