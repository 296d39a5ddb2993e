//! Plots as SVG or PNG.

mod canvas;
pub(crate) mod confusion;
pub(crate) mod curves;

pub(crate) use canvas::Format;
