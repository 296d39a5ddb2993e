//! Files that appear whole or not at all, whatever happens to the process or the power.

mod destination;
mod partial;
mod write;

pub use destination::{destination, folder_of};
pub use partial::{Partial, is_partial, probe, sweep};
pub use write::{write_atomically, write_in_place_of, write_new};
