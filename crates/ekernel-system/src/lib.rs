//! What the operating system gives, for every crate that asks for it.
//!
//! - [`memory`]: bytes that this process may still take, and what limits them.
//! - [`room`]: bytes that are free on the disks of some folders.
//! - [`atomic`]: files that appear whole or not at all, and nothing left behind by a run that was
//!   killed.
//! - [`lock`]: locks of files, on file systems that have them.
//! - [`plain`]: files opened without following symbolic links.

pub mod atomic;
pub mod lock;
pub mod memory;
pub mod plain;
pub mod room;
