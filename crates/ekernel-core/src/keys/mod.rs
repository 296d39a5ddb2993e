//! The keys of one table of an architecture file: reading and writing them.

mod read;
mod write;

pub(crate) use read::Keys;
pub(crate) use write::Section;
