//! The stages of the layered strategy: one dispatch for each op of a plan.

use crate::dual::Dual;

/// One dispatch of the layered strategy: an op of a plan on the planes of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// K⁰ of two images.
    Correlate,
    /// Mean over a window of both slots.
    BoxMean,
    /// Weights and biases.
    Affine,
    /// The dual of an activation.
    Dual(Dual),
    /// Division by standard deviations.
    Normalize,
    /// Dropout.
    Dropout,
    /// One branch of a sum.
    Sum,
    /// The readout of the planes of an earlier stage.
    Pooled,
    /// Local pooling, or the regrouping of offsets.
    LocalPool,
    /// The sum over each plane.
    PlaneSum,
}

impl Stage {
    /// Every stage of the layered strategy.
    pub fn all() -> Vec<Stage> {
        let mut all = vec![
            Stage::Correlate,
            Stage::BoxMean,
            Stage::Affine,
            Stage::Normalize,
            Stage::Dropout,
            Stage::Sum,
            Stage::Pooled,
            Stage::LocalPool,
            Stage::PlaneSum,
        ];
        all.extend(Dual::ALL.map(Stage::Dual));
        all
    }

    /// The name of the stage in traces and errors.
    pub fn label(self) -> String {
        match self {
            Stage::Dual(dual) => format!("ekernel.dual.{}", dual.name()),
            Stage::Correlate => "ekernel.correlate".to_owned(),
            Stage::BoxMean => "ekernel.box_mean".to_owned(),
            Stage::Affine => "ekernel.affine".to_owned(),
            Stage::Normalize => "ekernel.normalize".to_owned(),
            Stage::Dropout => "ekernel.dropout".to_owned(),
            Stage::Sum => "ekernel.sum".to_owned(),
            Stage::Pooled => "ekernel.pooled".to_owned(),
            Stage::LocalPool => "ekernel.local_pool".to_owned(),
            Stage::PlaneSum => "ekernel.plane_sum".to_owned(),
        }
    }

    /// The whole module, with the entry point `main`.
    pub fn source(self) -> String {
        let entry = match self {
            Stage::Correlate => include_str!("layered/correlate.wgsl"),
            Stage::BoxMean => include_str!("layered/box_mean.wgsl"),
            Stage::Affine => include_str!("layered/affine.wgsl"),
            Stage::Dual(_) => include_str!("layered/dual.wgsl"),
            Stage::Normalize => include_str!("layered/normalize.wgsl"),
            Stage::Dropout => include_str!("layered/dropout.wgsl"),
            Stage::Sum => include_str!("layered/sum.wgsl"),
            Stage::Pooled => include_str!("layered/pooled.wgsl"),
            Stage::LocalPool => include_str!("layered/local_pool.wgsl"),
            Stage::PlaneSum => include_str!("layered/plane_sum.wgsl"),
        };
        let functions = match self {
            Stage::Dual(dual) => dual.source(),
            _ => String::new(),
        };
        [include_str!("layered/plane.wgsl"), &functions, entry].concat()
    }
}
