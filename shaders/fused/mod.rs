//! The stages of the fused strategy: one dispatch for a chain of layers.

mod unrolled;

use crate::dual::Dual;

/// One dispatch of the fused strategy: a chain of stride-1 convolutions, each followed by an activation of one family, on planes
/// in workgroup memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fused {
    /// The family of all its activations; not [`Dual::Sign`], whose value has no derivative to chain.
    pub dual: Dual,
    /// Rows and columns of the window of every layer, if they are all the same; see [`Fused::unrolls`].
    pub window: Option<[usize; 2]>,
    /// Whether cells of a smooth chain hold Θ; kinked ones keep it apart.
    pub ntk: bool,
    /// Rows that an invocation computes between two barriers, from 1 to [`Fused::MOST_ROWS`].
    pub rows: usize,
}

impl Fused {
    /// Rows and columns of the largest window.
    pub const REACH: usize = 9;

    /// Rows that an invocation holds in registers at most.
    pub const MOST_ROWS: usize = 8;

    /// Whether the code of this window is written out, which is faster than loops over its rows and columns.
    pub fn unrolls(window: [usize; 2]) -> bool {
        (2..=5).contains(&window[0]) && (1..=5).contains(&window[1])
    }

    /// Every family, with the windows and rows that are the most and the least work for a compiler.
    pub fn samples() -> Vec<Fused> {
        let chained = Dual::ALL.into_iter().filter(|dual| *dual != Dual::Sign);
        let sizes = [
            (Some([3, 3]), false, 4),
            (Some([3, 3]), true, Fused::MOST_ROWS),
            (Some([5, 5]), true, 4),
            (None, true, 1),
        ];
        chained
            .flat_map(|dual| {
                sizes.map(|(window, ntk, rows)| Fused {
                    dual,
                    window,
                    ntk: ntk || dual == Dual::Kinked,
                    rows,
                })
            })
            .collect()
    }

    /// The name of the stage in traces and errors.
    pub fn label(self) -> String {
        let window = self.window.map_or_else(String::new, |[rows, cols]| format!("_{rows}x{cols}"));
        let kernels = if self.ntk { "" } else { "_nngp" };
        format!("ekernel.chain.{}{window}{kernels}_{}", self.dual.name(), self.rows)
    }

    /// The whole module, with the entry point `main`.
    pub fn source(self) -> String {
        let slide = match self.window {
            Some(window) => unrolled::slide(window),
            None => include_str!("slide_any.wgsl").to_owned(),
        };
        let cells = match self.dual {
            Dual::Kinked => [
                include_str!("../arc_cosine.wgsl"),
                include_str!("exact_product.wgsl"),
                include_str!("kinked.wgsl"),
            ]
            .concat(),
            smooth => {
                let cells =
                    if self.ntk { include_str!("cells_ntk.wgsl") } else { include_str!("cells_nngp.wgsl") };
                [&smooth.source(), include_str!("smooth.wgsl"), cells].concat()
            }
        };
        let layer = unrolled::layer(self.rows);
        [&cells, include_str!("segments.wgsl"), &slide, &layer, include_str!("chain.wgsl")].concat()
    }
}
