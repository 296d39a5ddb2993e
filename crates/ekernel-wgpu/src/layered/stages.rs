//! The pipelines and what they bind.

use ekernel_shaders::Stage;

use crate::{Device, GpuError};

/// Invocations of a workgroup, as in `plane.wgsl`.
pub(super) const WORKGROUP: u64 = 64;

/// Bind group layouts and pipelines of every stage, compiled when first used.
pub(super) struct Stages {
    device: Device,
    /// Lanes, both pages, offsets.
    chunk: wgpu::BindGroupLayout,
    /// Parameters, input, output.
    op: wgpu::BindGroupLayout,
    /// Parameters, input, output, fine offsets.
    pool: wgpu::BindGroupLayout,
}

impl Stages {
    pub(super) fn new(device: &Device) -> Result<Stages, GpuError> {
        let [read, write, uniform] = [
            wgpu::BufferBindingType::Storage { read_only: true },
            wgpu::BufferBindingType::Storage { read_only: false },
            wgpu::BufferBindingType::Uniform,
        ];
        Ok(Stages {
            chunk: layout(device, "ekernel.chunk", &[read; 4])?,
            op: layout(device, "ekernel.op", &[uniform, read, write])?,
            pool: layout(device, "ekernel.pool", &[uniform, read, write, read])?,
            device: device.clone(),
        })
    }

    pub(super) fn pipeline(&self, stage: Stage) -> Result<wgpu::ComputePipeline, GpuError> {
        let second = if stage == Stage::LocalPool { &self.pool } else { &self.op };
        self.device.pipeline(&stage.label(), || stage.source(), &[], &[&self.chunk, second])
    }

    pub(super) fn chunk(&self, buffers: [&wgpu::Buffer; 4]) -> Result<wgpu::BindGroup, GpuError> {
        group(&self.device, "ekernel.chunk", &self.chunk, &buffers)
    }

    /// Parameters, input, output and, for a local pool, the fine offsets.
    pub(super) fn op(&self, buffers: &[&wgpu::Buffer]) -> Result<wgpu::BindGroup, GpuError> {
        let layout = if buffers.len() == 4 { &self.pool } else { &self.op };
        group(&self.device, "ekernel.op", layout, buffers)
    }
}

fn layout(
    device: &Device,
    label: &str,
    types: &[wgpu::BufferBindingType],
) -> Result<wgpu::BindGroupLayout, GpuError> {
    let entry = |(binding, ty): (u32, &wgpu::BufferBindingType)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty: *ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let entries: Vec<wgpu::BindGroupLayoutEntry> = (0..).zip(types).map(entry).collect();
    let descriptor = wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries };
    device.checked(label, 0, |device| device.create_bind_group_layout(&descriptor))
}

fn group(
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
