//! The adapter of the GPU tests: a software one, or the one that `EKERNEL_GPU` names.
//!
//! It is a word here, and no device, so that tests of crates without a GPU link no graphics library.

use std::fmt::Display;

/// The words that choose the adapter; `None` where `EKERNEL_GPU=skip` leaves the tests out, which is said aloud.
pub fn adapter() -> Option<String> {
    match std::env::var("EKERNEL_GPU") {
        Ok(name) if name == "skip" => {
            println!("EKERNEL_GPU=skip: NOTHING IS TESTED ON A GPU");
            None
        }
        Ok(name) => Some(name),
        Err(_) => Some("software".to_owned()),
    }
}

/// What opening the adapter gave. Without one a test fails and says what to install.
pub fn opened<D, E: Display>(result: Result<D, E>) -> D {
    result.unwrap_or_else(|problem| panic!("{problem} (or set EKERNEL_GPU=skip)"))
}
