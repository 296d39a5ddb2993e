//! Planes of the NNGP and the NTK through a chain of convolutions and kinked activations (relu, leaky_relu, abs), exact to
//! rounding also where samples repeat.
//!
//! A plane is P_d(t) = K(t, t+d) of one first image and, side by side in the lanes of a register, as many second
//! images. What is carried is not K but its defect u = ss' - K ≥ 0, s = √K_ff(t,t): the relative defect
//! d = u/ss' = 1 - cos θ is all a ReLU needs, and θ ~ √(2d) would lose half the digits of a K near ss'.
//!
//! With folded weights (see [`Chain`]) an activation of slopes (a, b) conserves variances, and a convolution is K_o = Σ K_y and s_o² = Σ s_y², so
//! u_o = s_o s'_o - Σ s_y s'_y + Σ u_y. That difference cancels to nothing exactly where u matters most. It is made
//! exact by splitting each product on a grid: ss' = hi + lo, hi a multiple of a power of two so coarse that the
//! window sums of hi are exact, lo the rest. With m = u - lo,
//!
//! ```text
//! u_o = max((hi_o - Σ hi) + (lo_o + Σ m), 0)          error about 2^-44 of the largest ss' (f32), 2^-102 (f64)
//! d = u/ss',  w = √d,  u ← u (1 - w hR(d)),  κ = 1 - w hQ(d),  h = (a-b)²/(a²+b²)       (arc_cosine.rs, kink.rs)
//! K = hi - m,  Θ ← κ Θ,  and T = K + Θ is stored, because the next Θ_o is Σ T.
//! ```
//!
//! A chain begins at the pixels, or at planes that other ops have computed (`behind`). Three planes hi, m, T are carried, interleaved by position. s comes in two parts from maps that are prepared
//! once per image ([`Chain::maps`]) in twice the precision of f64.
pub(crate) mod arc_cosine;
mod behind;
mod cells;
mod conv_3x3;
mod conv_any;
mod input;
mod kink;
mod layers;
mod maps;
mod operations;
mod pair;
mod plain;
mod plain_layer;
pub(crate) mod planes;
mod results;
mod scale;
mod scales;
mod step;

pub(crate) use behind::Source;
pub(crate) use layers::Entry;
pub use layers::{Chain, ChainError, ConvLayer, Padding, Work};
pub use maps::{First, ImageMaps, Pack};
pub use pair::Workspace;
pub(crate) use planes::scatter_plane;
pub use planes::{Compiled, Kind, PlaneSums, plane, sum_planes};
pub(crate) use results::Scattered;
