//! conv: K ↦ w²·AK + b² with (AK)(t, t') = (1/q₁q₂) Σ_y K(t+y, t'+y), Θ ↦ K_out + w²·AΘ.

use super::{
    Weights,
    kind::{Incoming, Kind},
    sliding::{filter_window, slide, window_setters, write_window},
    weights::weight_setters,
};
use crate::{
    ArchError, Domain, PerAtom, Window,
    keys::{Keys, Section},
};

/// A convolution on a grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv {
    /// Filter, strides, padding.
    pub window: Window,
    /// Its weights.
    pub weights: Weights,
}

weight_setters!(Conv);

window_setters!(Conv);

impl Conv {
    /// A filter of this size, stride 1, valid padding, w_std = 1, no bias.
    pub fn new(filter: [usize; 2]) -> Conv {
        Conv { window: filter_window(filter), weights: Weights::default() }
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<Conv, ArchError> {
        Ok(Conv { window: keys.filter()?, weights: Weights::read(keys)? })
    }
}

impl Kind for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
        match input.domain {
            Domain::Grid { .. } => slide(&self.window, input),
            Domain::GroupGrid { .. } => Err(input.wrong_domain("a grid (on a group grid use group_conv)")),
            Domain::Sphere { .. } | Domain::Atoms(PerAtom::Sphere { .. }) => {
                Err(input.wrong_domain("a grid (on a sphere use s2_conv)"))
            }
            Domain::Rotations { .. } | Domain::Atoms(PerAtom::Rotations { .. }) => {
                Err(input.wrong_domain("a grid (on rotations use so3_conv)"))
            }
            Domain::Vector | Domain::Atoms(PerAtom::Vector) => Err(input.wrong_domain("a grid")),
        }
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
