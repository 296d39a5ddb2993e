//! lift (Z² → H ⋉ Z²): K_{g,g'} = w²·(1/|S|) Σ_{y∈S} K⁰(gy, g'y) + b².

use super::{
    Weights,
    kind::{Incoming, Kind},
    sliding::{filter_window, slide, square, window_setters, write_window},
    weights::weight_setters,
};
use crate::{
    ArchError, Domain, Group, Window,
    keys::{Keys, Section},
};

/// A lifting convolution: the filter is applied in every orientation of the group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lift {
    /// The point group H.
    pub group: Group,
    /// Filter, strides, padding.
    pub window: Window,
    /// Its weights.
    pub weights: Weights,
}

weight_setters!(Lift);
window_setters!(Lift);

impl Lift {
    /// A filter of this size, stride 1, valid padding, w_std = 1, no bias.
    pub fn new(group: Group, filter: [usize; 2]) -> Lift {
        Lift { group, window: filter_window(filter), weights: Weights::default() }
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<Lift, ArchError> {
        let choices = Group::ALL.map(|group| (group.name(), group));
        let group = keys.choice("group", &choices)?.ok_or_else(|| keys.missing("group", "group = \"C4\""))?;
        Ok(Lift { group, window: keys.filter()?, weights: Weights::read(keys)? })
    }
}

impl Kind for Lift {
    fn name(&self) -> &'static str {
        "lift"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        let Domain::Grid { height, width } = input.domain else {
            return Err(input.wrong_domain("a grid: lift stands once, on the image"));
        };
        square(self.group, "image", [height, width], input)?;
        square(self.group, "filter", self.window.size, input)?;
        square(self.group, "stride", self.window.strides, input)?;
        match slide(&self.window, input)?.extent() {
            Some([height, width]) => Ok(Domain::GroupGrid { group: self.group, height, width }),
            None => Ok(Domain::Vector),
        }
    }

    fn write(&self, section: &mut Section) {
        section.word("group", self.group.name());
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
