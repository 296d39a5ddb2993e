//! conv: K ↦ w²·AK + b² with (AK)(t, t') = (1/q₁q₂) Σ_y K(t+y, t'+y), Θ ↦ K_out + w²·AΘ.

use super::{Incoming, Weights, weights::weight_setters};
use crate::{
    Domain, Padding, PerAtom, Window,
    arch::{ArchError, Keys, Section},
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

/// Builder methods for the window of conv, lift and group_conv.
macro_rules! window_setters {
    ($layer:ident) => {
        impl $layer {
            /// Sets the strides (default 1×1).
            pub fn strides(mut self, strides: [usize; 2]) -> Self {
                self.window.strides = strides;
                self
            }

            /// Sets the padding (default valid).
            pub fn padding(mut self, padding: $crate::Padding) -> Self {
                self.window.padding = padding;
                self
            }
        }
    };
}
pub(super) use window_setters;

window_setters!(Conv);

impl Conv {
    /// A filter of this size, stride 1, valid padding, w_std = 1, no bias.
    pub fn new(filter: [usize; 2]) -> Conv {
        Conv { window: filter_window(filter), weights: Weights::default() }
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<Conv, ArchError> {
        Ok(Conv { window: keys.filter()?, weights: Weights::read(keys)? })
    }

    pub(super) fn write(&self, section: &mut Section) {
        write_window(&self.window, "filter", [1, 1], section);
        self.weights.write(section);
    }

    pub(super) fn output(&self, input: &Incoming<'_>) -> Result<Domain, ArchError> {
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
}

pub(super) fn filter_window(size: [usize; 2]) -> Window {
    Window { size, strides: [1, 1], padding: Padding::Valid }
}

pub(super) fn write_window(
    window: &Window,
    size_key: &str,
    default_strides: [usize; 2],
    section: &mut Section,
) {
    section.counts(size_key, &window.size);
    if window.strides != default_strides {
        section.counts("strides", &window.strides);
    }
    if window.padding != Padding::Valid {
        section.word("padding", window.padding.name());
    }
}

/// The domain after sliding a window over it.
pub(super) fn slide(window: &Window, input: &Incoming<'_>) -> Result<Domain, ArchError> {
    for (key, pair) in [("the window", window.size), ("strides", window.strides)] {
        if pair.contains(&0) {
            return Err(ArchError::Value {
                place: input.place.clone(),
                key: key.into(),
                found: format!("{pair:?}"),
                needs: "two whole numbers of at least 1".into(),
            });
        }
    }
    let extent = input.domain.extent().unwrap_or([1, 1]);
    let too_large = (0..2).any(|axis| window.size[axis] > extent[axis]);
    if too_large && window.padding != Padding::Same {
        return Err(ArchError::WindowTooLarge {
            place: input.place.clone(),
            size: window.size,
            extent,
            padding: window.padding,
        });
    }
    Ok(input.domain.resized(window.output(extent)))
}
