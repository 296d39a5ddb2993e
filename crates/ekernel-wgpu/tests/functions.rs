//! The functions of shaders/ on a device, against float64: the bounds that their comments state.

use ekernel_wgpu::{AdapterChoice, Device, wgpu};

/// Evaluates the body `let x = input[i]; output[i] = ...;` of a shader on vectors of four.
fn evaluate(device: &Device, body: &str, input: &[[f32; 4]]) -> Vec<[f32; 4]> {
    let source = format!(
        "{}
        @group(0) @binding(0) var<storage, read> input: array<vec4<f32>>;
        @group(0) @binding(1) var<storage, read_write> output: array<vec4<f32>>;
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
            if (id.x < arrayLength(&input)) {{ let x = input[id.x]; {body} }}
        }}",
        ekernel_shaders::functions()
    );
    let (gpu, queue) = (device.wgpu(), device.queue());
    let bytes = (input.len() * 16) as u64;
    let buffer = |usage| {
        gpu.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes,
            usage,
            mapped_at_creation: false,
        })
    };
    use wgpu::BufferUsages as Usage;
    let (from, to) = (buffer(Usage::STORAGE | Usage::COPY_DST), buffer(Usage::STORAGE | Usage::COPY_SRC));
    let staging = buffer(Usage::MAP_READ | Usage::COPY_DST);
    queue.write_buffer(&from, 0, bytemuck::cast_slice(input));
    let module = gpu.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let pipeline = gpu.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    let group = gpu.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[
            wgpu::BindGroupEntry { binding: 0, resource: from.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: to.as_entire_binding() },
        ],
    });
    let mut encoder = gpu.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(input.len().div_ceil(64) as u32, 1, 1);
    }
    encoder.copy_buffer_to_buffer(&to, 0, &staging, 0, bytes);
    queue.submit([encoder.finish()]);
    staging.slice(..).map_async(wgpu::MapMode::Read, |result| result.expect("mapped"));
    gpu.poll(wgpu::PollType::wait_indefinitely()).expect("polled");
    let view = staging.slice(..).get_mapped_range().expect("mapped");
    bytemuck::pod_collect_to_vec(&view)
}

fn device() -> Device {
    Device::open_blocking(&AdapterChoice::Name("llvmpipe".to_owned())).expect("a software adapter")
}

/// Numbers of [low, high], many digits each.
fn spread(count: usize, low: f64, high: f64) -> impl Iterator<Item = f32> {
    (0..count).map(move |i| (low + (high - low) * (i as f64 * 0.618_033_988_749_895).fract()) as f32)
}

#[test]
fn products_split_exactly() {
    let words = |a: f32, i: usize| -> [f32; 2] {
        let whole = (f64::from(a) * 65_536.0).floor() as i32;
        [f32::from_bits(whole as u32), (i % 97) as f32 * 1.5e-7]
    };
    let pairs = spread(4000, -16_000.0, 16_000.0).zip(spread(4000, -16_300.0, 16_000.0).skip(7)).enumerate();
    let input: Vec<[f32; 4]> = pairs
        .map(|(i, (a, b))| {
            let ([x, c], [y, d]) = (words(a, i), words(b, i + 31));
            [x, c, y, d]
        })
        .collect();
    let body = "let p = exact_product(bitcast<vec2<i32>>(x.xy), bitcast<vec2<i32>>(x.zw));
        output[id.x] = vec4<f32>(bitcast<f32>(p.grid), p.lo, 0.0, 0.0);";
    let output = evaluate(&device(), body, &input);
    let mut worst = 0f64;
    for ([x, c, y, d], [grid, lo, ..]) in input.iter().zip(&output) {
        // In parts, so that float64 does not round.
        let [x, y, grid] = [x, y, grid].map(|bits| i64::from(bits.to_bits() as i32));
        let whole = x * y - (grid << 32);
        let [c, d, lo] = [c, d, lo].map(|v| f64::from(*v));
        let error = whole as f64 / 2f64.powi(32) + (x as f64 * d + y as f64 * c) / 65_536.0 + c * d - lo;
        worst = worst.max(error.abs());
    }
    println!("products: {worst:.1e}");
    assert!(worst < 2f64.powi(-21), "{worst:e}");
}
