//! Gram matrices over a backend whose every entry has a noise of its own.

mod fake;
mod folder;
mod killed;
mod refusals;
mod scaling;
mod store;
mod tiles;
#[cfg(feature = "fs")]
mod zarr;
