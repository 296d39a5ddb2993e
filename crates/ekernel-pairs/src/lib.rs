//! Pairs of samples: what every fast backend does the same, from samples to finished tiles.
//!
//! A sample is made of *units*: the copies g·f of an image, a vector, a signal on the sphere, or the atoms of a molecule.
//! [`Units`] counts them and knows their numbers. A pair of samples is a list of [`Lane`]s, pairs of units. A backend brings an
//! [`Engine`], which prepares units and returns (K, Θ) of lanes; everything else is here, once for images, vectors, spheres and
//! molecules: the mean over an orbit, the sum over atoms, values of samples with themselves, the head, finiteness, tiles,
//! memory, progress, and the pairs that float32 would spoil, which an engine in float64 computes ([`Precise`]).
//!
//! ```text
//! Pairs ─► Units ─► Engine::prepare ─► PairSession::tile ─► lanes ─► Engine::evaluate ─► fold ─► head ─► doubt? ─► Kernels
//!                                                                        ▲                            │
//!                                                                        └──── in float64 ◄───────────┘
//! ```

mod compared;
mod engine;
mod policy;
mod session;
mod units;
mod watch;
mod workers;

pub use engine::{Blocks, Engine, Hints, Lane, MakePrecise, Precise};
pub use policy::Float32;
pub use session::{PairSession, Setup};
pub use units::{Unit, Units};
pub use watch::Watch;
pub use workers::Workers;
