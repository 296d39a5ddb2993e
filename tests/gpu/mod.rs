//! The device of the GPU tests: a software adapter, or the one that `EKERNEL_GPU` names.
//!
//! Without an adapter the tests fail and say what to install. `EKERNEL_GPU=skip` leaves them out, and says so.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::OnceLock;

use ekernel::wgpu::{AdapterChoice, Device};

/// The adapter of the tests; `None` where they are to be skipped.
pub(crate) fn choice() -> Option<AdapterChoice> {
    match std::env::var("EKERNEL_GPU").as_deref() {
        Ok("skip") => {
            println!("EKERNEL_GPU=skip: NOTHING IS TESTED ON A GPU");
            None
        }
        Ok(name) => {
            let Ok(choice) = name.parse::<AdapterChoice>();
            Some(choice)
        }
        Err(_) => Some(AdapterChoice::Name("software".to_owned())),
    }
}

/// The device that all tests of a binary share, so that every shader is compiled once.
pub(crate) fn device() -> Option<Device> {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    let choice = choice()?;
    Some(DEVICE.get_or_init(|| open(&choice)).clone())
}

/// A device of its own.
pub(crate) fn open(choice: &AdapterChoice) -> Device {
    Device::open_blocking(choice).unwrap_or_else(|e| panic!("{e} (or set EKERNEL_GPU=skip)"))
}
