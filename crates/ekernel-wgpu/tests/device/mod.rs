//! The device of the tests, on the adapter of [`ekernel_testnets::gpu`].
#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::OnceLock;

use ekernel_testnets::gpu;
use ekernel_wgpu::{AdapterChoice, Device};

/// The adapter of the tests; `None` where they are to be skipped.
pub(crate) fn choice() -> Option<AdapterChoice> {
    let Ok(choice) = gpu::adapter()?.parse();
    Some(choice)
}

/// The device that all tests of a binary share, so that every shader is compiled once; `None` where they are to be skipped.
pub(crate) fn device() -> Option<Device> {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    let choice = choice()?;
    Some(DEVICE.get_or_init(|| open(&choice)).clone())
}

/// A device of its own.
pub(crate) fn open(choice: &AdapterChoice) -> Device {
    let device = gpu::opened(Device::open_blocking(choice));
    println!("on {}", device.describe());
    device
}
