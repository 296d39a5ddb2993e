//! The device of the tests: a software adapter, or the one that `EKERNEL_GPU` names. Without one they fail and say what to
//! install; `EKERNEL_GPU=skip` leaves them out, and says so.

use ekernel_wgpu::{AdapterChoice, Device};

/// The device; `None` where the tests are to be skipped.
pub(crate) fn device() -> Option<Device> {
    let name = std::env::var("EKERNEL_GPU").unwrap_or_else(|_| "software".to_owned());
    if name == "skip" {
        println!("EKERNEL_GPU=skip: NOTHING IS TESTED ON A GPU");
        return None;
    }
    let Ok(choice) = name.parse::<AdapterChoice>();
    let opened = Device::open_blocking(&choice);
    Some(opened.unwrap_or_else(|e| panic!("{e} (or set EKERNEL_GPU=skip)")))
}
