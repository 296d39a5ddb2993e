//! The device of the tests, on the adapter of [`ekernel_testnets::gpu`].

use ekernel_testnets::gpu;
use ekernel_wgpu::Device;

/// The device; `None` where the tests are to be skipped.
pub(crate) fn device() -> Option<Device> {
    let Ok(choice) = gpu::adapter()?.parse();
    let device = gpu::opened(Device::open_blocking(&choice));
    println!("on {}", device.describe());
    Some(device)
}
