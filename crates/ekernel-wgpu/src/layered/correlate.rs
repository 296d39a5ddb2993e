//! correlate: K⁰ = (1/C) Σ_c f_c f'_c, or its defect.

use super::params::Params;

pub(super) fn params(params: Params) -> Params {
    Params { numbers: [1.0 / params.channels as f32, 0.0, 0.0, 0.0], ..params }
}
