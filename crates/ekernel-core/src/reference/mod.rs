//! The reference of architecture files: every input, layer and activation with its keys, defaults, domains and an example.
//!
//! Keys, defaults and examples are compared with what the readers do by the tests of this module; domains are found by asking
//! the layers themselves.

mod activations;
mod domains;
mod entry;
mod inputs;
mod layers;
mod table;

pub use entry::{Default, Entry, Key, Part};
pub use table::{COMMON, entries, nearest};
