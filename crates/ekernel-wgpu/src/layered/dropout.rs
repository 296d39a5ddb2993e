//! dropout: variances /ρ; K and Θ of a sample with itself at equal positions too.

use super::params::Params;

pub(super) fn params(params: Params, keep: f64) -> Params {
    Params { numbers: [(keep.recip() - 1.0) as f32, 0.0, 0.0, 0.0], ..params }
}
