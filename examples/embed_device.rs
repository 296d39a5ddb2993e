//! Kernels on a GPU that the program already uses: ekernel takes clones of its `wgpu::Device` and `wgpu::Queue`.
//!
//! `cargo run --release --example embed_device`

use ekernel::{prelude::*, wgpu::wgpu};
use ndarray::Array4;
use pollster::block_on;

fn main() -> anyhow::Result<()> {
    let (device, queue) = open()?;
    let network = Network::builder(Input::Image { height: 12, width: 12, channels: 1 })
        .layer(Lift::new(Group::C4, [3, 3]))
        .layer(Activation::Relu)
        .layer(GroupConv::new([3, 3]))
        .layer(Activation::Relu)
        .layer(Layer::GroupPool)
        .layer(Dense::new())
        .build()?;
    // An L and the same L turned by 90°: one image to a C4-equivariant network.
    let letter =
        |r: usize, c: usize| f64::from(u8::from((c == 3 && r < 8) || (r == 7 && (3..7).contains(&c))));
    let images = Samples::Images(Array4::from_shape_fn((2, 12, 12, 1), |(n, r, c, _)| {
        if n == 0 { letter(r, c) } else { letter(c, 11 - r) }
    }));

    let device = Device::from_wgpu(device.clone(), queue.clone())?;
    let backend = WgpuBackend::new(&network, KernelSet::Both, WgpuOptions::default(), device)?;
    println!("{}", backend.describe());
    let session = backend.prepare(Pairs::within(images.clone()), &Control::new())?;
    let kernels = session.tile(0..2, 0..2, &Control::new())?;
    println!("NNGP\n{:.6}\nNTK\n{:.6}", kernels.nngp, kernels.ntk.expect("both kernels were asked for"));
    Ok(())
}

/// A device as a program may open one: with all that its adapter grants, of which ekernel takes what it needs.
fn open() -> anyhow::Result<(wgpu::Device, wgpu::Queue)> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))?;
    let required_limits = adapter.limits();
    let descriptor = wgpu::DeviceDescriptor { required_limits, ..wgpu::DeviceDescriptor::default() };
    Ok(block_on(adapter.request_device(&descriptor))?)
}
