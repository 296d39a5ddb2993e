//! affine: K ↦ w²K + b², Θ ↦ w²Θ + αK + β.

use ekernel_core::plan::Affine;

use super::params::Params;

pub(super) fn params(params: Params, affine: &Affine) -> Params {
    let Affine { w2, b2, ntk_scale, ntk_shift } = *affine;
    Params { numbers: [w2, b2, ntk_scale, ntk_shift].map(|x| x as f32), ..params }
}
