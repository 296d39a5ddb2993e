//! Sampling grids, quadrature, Wigner functions and fast transforms on the sphere and on SO(3).

mod circle;
mod correlation;
mod error;
mod euler;
mod finite;
mod grid;
mod harmonics;
mod lanes;
mod legendre;
mod packed;
mod polar;
mod real;
mod real_basis;
mod rotation;
mod rotation_transform;
mod signals;
mod sphere_transform;
mod wigner;

pub use correlation::cross_correlation;
pub use error::{HarmonicError, MAX_BANDLIMIT, MAX_NODES};
pub use euler::Euler;
pub use grid::{RotationGrid, SphereGrid};
pub use harmonics::{add_zonal, spherical_harmonics};
pub use lanes::{Isa, LaneBuffer, LaneTransform, LaneWorkspace};
pub use legendre::{legendre, zonal_coefficients};
pub use packed::{rotation_index, rotation_len, sphere_index, sphere_len};
pub use polar::PolarRule;
pub use real::Real;
pub use real_basis::{rotation_from_real, rotation_to_real, sphere_from_real, sphere_to_real};
pub use rotation::{WignerD, value_at_identity};
pub use rotation_transform::{RotationScratch, RotationTransform};
/// Complex numbers, as the transforms take them.
pub use rustfft::num_complex::{Complex, Complex64};
pub use signals::{AtomSignals, Harmonics, sphere_coefficients};
pub use sphere_transform::{SphereScratch, SphereTransform};
pub use wigner::WignerTable;
