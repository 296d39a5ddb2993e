//! The stages of the fused strategy: one dispatch for a chain of layers.

use crate::dual::Dual;

/// One dispatch of the fused strategy: a chain of stride-1 convolutions, each followed by an activation of one family, on planes
/// in workgroup memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fused {
    /// The family of all its activations; not [`Dual::Sign`], whose value has no derivative to chain.
    pub dual: Dual,
    /// Whether every window is 3×3, which is faster; else up to [`Fused::REACH`] rows and columns.
    pub windows_3x3: bool,
}

impl Fused {
    /// Rows and columns of the largest window.
    pub const REACH: usize = 9;

    /// Every fused stage.
    pub fn all() -> Vec<Fused> {
        let chained = Dual::ALL.into_iter().filter(|dual| *dual != Dual::Sign);
        chained.flat_map(|dual| [true, false].map(|windows_3x3| Fused { dual, windows_3x3 })).collect()
    }

    /// The name of the stage in traces and errors.
    pub fn label(self) -> String {
        format!("ekernel.chain.{}{}", self.dual.name(), if self.windows_3x3 { "_3" } else { "" })
    }

    /// The whole module, with the entry point `main`.
    pub fn source(self) -> String {
        let (reach, slide) = if self.windows_3x3 {
            (include_str!("fused/reach_3.wgsl"), include_str!("fused/slide_3.wgsl"))
        } else {
            (include_str!("fused/reach_9.wgsl"), include_str!("fused/slide_any.wgsl"))
        };
        let cells = match self.dual {
            Dual::Kinked => [
                include_str!("arc_cosine.wgsl"),
                include_str!("fused/exact_product.wgsl"),
                include_str!("fused/kinked.wgsl"),
            ]
            .concat(),
            smooth => smooth.source() + include_str!("fused/smooth.wgsl"),
        };
        [&cells, include_str!("fused/segments.wgsl"), reach, slide, include_str!("fused/chain.wgsl")].concat()
    }
}
