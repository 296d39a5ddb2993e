//! What dispatches bind: buffers in the order of their numbers in WGSL.

use wgpu::BufferBindingType as Type;

use crate::{Device, GpuError};

pub(crate) const READ: Type = Type::Storage { read_only: true };
pub(crate) const WRITE: Type = Type::Storage { read_only: false };
pub(crate) const UNIFORM: Type = Type::Uniform;

/// A layout of buffers of these types.
pub(crate) fn layout(
    device: &Device,
    label: &str,
    types: &[Type],
) -> Result<wgpu::BindGroupLayout, GpuError> {
    let entry = |(binding, ty): (u32, &Type)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty: *ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let entries: Vec<wgpu::BindGroupLayoutEntry> = (0..).zip(types).map(entry).collect();
    let descriptor = wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries };
    device.checked(label, 0, |device| device.create_bind_group_layout(&descriptor))
}

/// Whole buffers, as a layout asks for them.
pub(crate) fn group(
    device: &Device,
    label: &str,
    layout: &wgpu::BindGroupLayout,
    buffers: &[&wgpu::Buffer],
) -> Result<wgpu::BindGroup, GpuError> {
    let bound = buffers.iter().map(|buffer| buffer.as_entire_binding());
    let entries: Vec<wgpu::BindGroupEntry<'_>> =
        (0..).zip(bound).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
    let descriptor = wgpu::BindGroupDescriptor { label: Some(label), layout, entries: &entries };
    device.checked(label, 0, |device| device.create_bind_group(&descriptor))
}
