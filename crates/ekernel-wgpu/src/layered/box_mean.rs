//! box_mean: (AK)(T, T') = (1/q₁q₂) Σ_a K(sT − low + a, sT' − low + a), or its defect.

use ekernel_core::{Padding, Window, plan::PlaneNode};

use super::params::Params;

pub(super) fn params(params: Params, window: &Window, input: &PlaneNode) -> Params {
    Params {
        window: window.size.map(|n| n as i32),
        stride: window.strides.map(|n| n as i32),
        low: window.low(input.at.extent).map(|n| n as i32),
        circular: (window.padding == Padding::Circular).into(),
        numbers: [(1.0 / window.area() as f64) as f32, 0.0, 0.0, 0.0],
        ..params
    }
}
