//! What a device does at most.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use ekernel_core::Control;

use crate::{Device, GpuError};

/// Seconds of a dispatch that is long enough to hide its launch and short enough for any driver.
const LONG_ENOUGH: f64 = 0.05;

/// Dispatches at most.
const TRIALS: usize = 8;

/// Invocations of a workgroup of `shaders/peak.wgsl`.
const WORKGROUP: u64 = 256;

impl Device {
    /// Fused multiply-adds per second that the device does when it does nothing else (`shaders/peak.wgsl`): the best of some
    /// short runs.
    ///
    /// Errors: [`GpuError::Refused`], [`GpuError::Lost`], [`GpuError::Cancelled`].
    pub fn peak(&self, control: &Control) -> Result<f64, GpuError> {
        self.surviving(|device| device.measured(control))
    }

    fn measured(&self, control: &Control) -> Result<f64, GpuError> {
        const LABEL: &str = "ekernel.peak";
        let pipeline = self.checked(LABEL, 0, |device| {
            let source = wgpu::ShaderSource::Wgsl(ekernel_shaders::peak().into());
            let module =
                device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some(LABEL), source });
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(LABEL),
                layout: None,
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            })
        })?;
        let buffer = self.storage(LABEL, 4096)?;
        let group = self.checked(LABEL, 0, |device| {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(LABEL),
                layout: &pipeline.get_bind_group_layout(0),
                entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
            })
        })?;
        // The first run is the driver's, and short.
        let (mut shape, mut best) = ([64, 1], 0f64);
        for _ in 0..TRIALS {
            let took = self.timed(&pipeline, &group, shape, control)?;
            let operations =
                ekernel_shaders::PEAK_OPERATIONS * WORKGROUP * u64::from(shape[0]) * u64::from(shape[1]);
            best = best.max(operations as f64 / took);
            if took < LONG_ENOUGH / 4.0 {
                // Dispatches end at 65535 workgroups along an axis.
                let axis = usize::from(shape[0] >= 1 << 14);
                shape[axis] *= 4;
            }
        }
        Ok(best)
    }

    /// Seconds of one dispatch, launch and all.
    fn timed(
        &self,
        pipeline: &wgpu::ComputePipeline,
        group: &wgpu::BindGroup,
        [columns, rows]: [u32; 2],
        control: &Control,
    ) -> Result<f64, GpuError> {
        let started = Instant::now();
        self.checked("a submission", 0, |device| {
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, group, &[]);
            pass.dispatch_workgroups(columns, rows, 1);
            drop(pass);
            self.queue().submit([encoder.finish()])
        })?;
        let done = Arc::new(AtomicBool::new(false));
        let report = Arc::clone(&done);
        self.queue().on_submitted_work_done(move || report.store(true, Ordering::Release));
        self.wait(control, || done.load(Ordering::Acquire))?;
        Ok(started.elapsed().as_secs_f64())
    }
}
