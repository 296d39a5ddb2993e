//! Sampling grids, quadrature, Wigner functions and fast transforms on the sphere and on SO(3).

mod error;
mod grid;
mod polar;

pub use error::{HarmonicError, MAX_BANDLIMIT, MAX_NODES};
pub use grid::{RotationGrid, SphereGrid};
pub use polar::PolarRule;
