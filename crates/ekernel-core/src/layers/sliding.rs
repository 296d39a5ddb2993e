//! What layers with windows share: keys, setters, the domain behind a window.

use super::kind::Incoming;
use crate::{ArchError, Domain, Group, Padding, Window, keys::Section};

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
        if !pair.iter().all(|n| (1..=Window::MOST).contains(n)) {
            return Err(ArchError::Value {
                place: input.place.clone(),
                key: key.into(),
                found: format!("{pair:?}"),
                needs: format!("two whole numbers from 1 to {}", Window::MOST),
            });
        }
    }
    if window.area() > Window::MOST {
        return Err(ArchError::Value {
            place: input.place.clone(),
            key: "the window".into(),
            found: format!("{:?}", window.size),
            needs: format!("of at most {} positions", Window::MOST),
        });
    }
    let Some(extent) = input.domain.extent() else { return Err(input.wrong_domain("a grid")) };
    if window.output(extent).contains(&0) {
        return Err(ArchError::WindowTooLarge { place: input.place.clone(), size: window.size, extent });
    }
    Ok(input.domain.resized(window.output(extent)))
}

/// Refuses unequal rows and columns under a group that exchanges them.
pub(super) fn square(
    group: Group,
    what: &'static str,
    found: [usize; 2],
    input: &Incoming<'_>,
) -> Result<(), ArchError> {
    if group.swaps_axes() && found[0] != found[1] {
        return Err(ArchError::NotSquare { place: input.place.clone(), group, what, found });
    }
    Ok(())
}
