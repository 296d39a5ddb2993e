//! Gram matrices, tile by tile, over any [`Backend`](ekernel_core::Backend).
//!
//! A Gram matrix is K\[i, j\] = k(x₁ᵢ, x₂ⱼ), shape (n₁, n₂), one for each of [`KernelSet`](ekernel_core::KernelSet). [`gram`]
//! cuts it into tiles, computes them on as many threads as the backend can use and puts them together:
//!
//! - The result is bit for bit the same for every tile shape and number of threads; of a set with itself each pair is
//!   computed once and mirrored.
//! - Memory is said in advance ([`Job::summary`]) and checked against what is available before the work begins.
//! - Progress is counted in pairs through [`Control`](ekernel_core::Control), also within a tile where a backend tells;
//!   [`Pace`] makes a rate and the time left of it. Cancelling stops within a tile.
//! - With [`Options::resume`] finished tiles are kept in a folder. A run that was killed goes on from there and ends
//!   with the same bytes; a folder that belongs to another computation is refused, and the error says what differs.

mod error;
mod grid;
mod job;
mod memory;
mod pace;
mod resume;
mod schedule;

pub use error::{Difference, GramError};
pub use grid::{Grid, Tile};
pub use job::{Job, Options, Resume, Summary, gram};
pub use memory::{Memory, estimate};
pub use pace::{Pace, Reached, Speed};
