//! Whether an adapter computes at all, and computes rightly: 64 elements on it, once for each adapter of a process.
//!
//! Drivers list adapters that execute nothing, such as Mesa's for cards that are not in the machine.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Invocations of `shaders/self_test.wgsl`.
const ELEMENTS: u32 = 64;

/// A device that needs longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was found of each adapter.
static FOUND: Mutex<Option<HashMap<String, Option<String>>>> = Mutex::new(None);

/// Why kernels cannot be computed on the adapter, if it fails the test.
pub(crate) fn refusal(adapter: &wgpu::Adapter) -> Option<String> {
    let key = format!("{:?}", adapter.get_info());
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let found = found.get_or_insert_default();
    found.entry(key).or_insert_with(|| judged(pollster::block_on(computed(adapter)))).clone()
}

/// What is wrong with what came back.
fn judged(result: Result<Vec<u32>, String>) -> Option<String> {
    let words = match result {
        Ok(words) => words,
        Err(problem) => return Some(format!("a test of {ELEMENTS} elements fails on it: {problem}")),
    };
    if words.iter().all(|word| *word == 0) {
        return Some(format!("it executes nothing: a test of {ELEMENTS} elements came back unchanged"));
    }
    let wrong = (0..ELEMENTS).zip(&words).find(|(index, word)| expected(*index) != **word);
    wrong.map(|(index, word)| {
        format!("it computes wrongly: element {index} of a test is {word} in place of {}", expected(index))
    })
}

/// The number that `shaders/self_test.wgsl` writes at an index.
fn expected(index: u32) -> u32 {
    let cell = ELEMENTS - 1 - index;
    (cell * 40_503 + 2 * cell) ^ (index << 24)
}

/// What the adapter computes.
async fn computed(adapter: &wgpu::Adapter) -> Result<Vec<u32>, String> {
    const LABEL: Option<&str> = Some("ekernel.self_test");
    let descriptor = wgpu::DeviceDescriptor {
        label: LABEL,
        required_limits: adapter.limits(),
        ..wgpu::DeviceDescriptor::default()
    };
    let (device, queue) = adapter.request_device(&descriptor).await.map_err(|e| e.to_string())?;
    device.on_uncaptured_error(std::sync::Arc::new(|error| tracing::error!("self test: {error}")));
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: LABEL,
        source: wgpu::ShaderSource::Wgsl(ekernel_shaders::self_test().into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: LABEL,
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    let size = u64::from(4 * ELEMENTS);
    let buffer = |usage| {
        device.create_buffer(&wgpu::BufferDescriptor { label: LABEL, size, usage, mapped_at_creation: false })
    };
    use wgpu::BufferUsages as Usage;
    let output = buffer(Usage::STORAGE | Usage::COPY_SRC);
    let staging = buffer(Usage::MAP_READ | Usage::COPY_DST);
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: LABEL,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: output.as_entire_binding() }],
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: LABEL });
    {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(1, 1, 1);
    }
    encoder.copy_buffer_to_buffer(&output, 0, &staging, 0, size);
    queue.submit([encoder.finish()]);
    let (sender, receiver) = std::sync::mpsc::channel();
    staging.slice(..).map_async(wgpu::MapMode::Read, move |result| drop(sender.send(result)));
    let poll = wgpu::PollType::Wait { submission_index: None, timeout: Some(PATIENCE) };
    device.poll(poll).map_err(|e| e.to_string())?;
    if let Some(error) = scope.pop().await {
        return Err(error.to_string());
    }
    receiver.try_recv().map_err(|_| "it does not answer".to_owned())?.map_err(|e| e.to_string())?;
    let view = staging.slice(..).get_mapped_range().map_err(|e| e.to_string())?;
    Ok(bytemuck::pod_collect_to_vec(&view))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_results_are_named() {
        let right: Vec<u32> = (0..ELEMENTS).map(expected).collect();
        assert_eq!(judged(Ok(right.clone())), None);
        let nothing = judged(Ok(vec![0; 64])).expect("a reason");
        assert!(nothing.contains("executes nothing"), "{nothing}");
        let mut wrong = right;
        wrong[17] += 1;
        let reason = judged(Ok(wrong)).expect("a reason");
        assert!(reason.contains("element 17"), "{reason}");
        let reason = judged(Err("it is lost".to_owned())).expect("a reason");
        assert!(reason.contains("it is lost"), "{reason}");
    }
}
