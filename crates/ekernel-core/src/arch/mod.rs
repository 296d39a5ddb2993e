//! The TOML form of an architecture: `[input]`, then `[[layers]]` in order.
//!
//! Reading is strict: an unknown layer, key or word is an error that names the nearest known one. Writing gives back a
//! file that reads to an equal network.

mod read;
mod write;
