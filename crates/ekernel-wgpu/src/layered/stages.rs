//! The pipelines and what they bind.

use ekernel_shaders::Stage;

use crate::{
    Device, GpuError,
    bindings::{READ, UNIFORM, WRITE, group, layout},
};

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
        Ok(Stages {
            chunk: layout(device, "ekernel.chunk", &[READ; 4])?,
            op: layout(device, "ekernel.op", &[UNIFORM, READ, WRITE])?,
            pool: layout(device, "ekernel.pool", &[UNIFORM, READ, WRITE, READ])?,
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
