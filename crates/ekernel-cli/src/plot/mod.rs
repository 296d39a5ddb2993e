//! Plots as SVG or PNG.

mod canvas;
pub(crate) mod confusion;
pub(crate) mod curves;
mod legend;
mod letters;
mod scaled;
pub(crate) mod values;

pub(crate) use canvas::Format;
pub(crate) use letters::in_letters;
