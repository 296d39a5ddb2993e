//! The functions of shaders/ on a device, against float64: the bounds that their comments state.

mod device;

use device::device;
use ekernel_wgpu::{Device, wgpu};

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
    let Some(device) = device() else { return };
    // Pixels have both signs, standard deviations one.
    for (function, low) in [("exact_product", -16_000.0), ("exact_product_positive", 0.0)] {
        let pairs = spread(4000, low, 16_000.0).zip(spread(4000, low * 1.02, 16_000.0).skip(7)).enumerate();
        let input: Vec<[f32; 4]> = pairs
            .map(|(i, (a, b))| {
                let ([x, c], [y, d]) = (words(a, i), words(b, i + 31));
                [x, c, y, d]
            })
            .collect();
        let body = format!(
            "let p = {function}(bitcast<vec2<i32>>(x.xy), bitcast<vec2<i32>>(x.zw));
            output[id.x] = vec4<f32>(bitcast<f32>(p.grid), p.lo, 0.0, 0.0);"
        );
        let output = evaluate(&device, &body, &input);
        let mut worst = 0f64;
        for ([x, c, y, d], [grid, lo, ..]) in input.iter().zip(&output) {
            // In parts, so that float64 does not round.
            let [x, y, grid] = [x, y, grid].map(|bits| i64::from(bits.to_bits() as i32));
            let whole = x * y - (grid << 32);
            let [c, d, lo] = [c, d, lo].map(|v| f64::from(*v));
            let error = whole as f64 / 2f64.powi(32) + (x as f64 * d + y as f64 * c) / 65_536.0 + c * d - lo;
            worst = worst.max(error.abs());
        }
        println!("{function}: {worst:.1e}");
        assert!(worst < 2f64.powi(-21), "{function}: {worst:e}");
    }
}

/// The largest error of a function of (x, y), relative to `exact` where it is not 0, else absolute.
fn worst(device: &Device, call: &str, input: &[[f32; 4]], exact: impl Fn(f64, f64) -> f64) -> f64 {
    let body = format!("output[id.x] = vec4<f32>({call}, 0.0, 0.0, 0.0);");
    let output = evaluate(device, &body, input);
    let error = |(x, y): (&[f32; 4], &[f32; 4])| {
        let exact = exact(f64::from(x[0]), f64::from(x[1]));
        (f64::from(y[0]) - exact).abs() / if exact == 0.0 { 1.0 } else { exact.abs() }
    };
    let worst = input.iter().zip(&output).map(error).fold(0.0, f64::max);
    println!("{call}: {worst:.1e}");
    worst
}

#[test]
fn exponentials_keep_their_digits() {
    let Some(device) = device() else { return };
    // Below e^−80 devices without subnormal numbers lose digits: SwiftShader a fifth at e^−86.
    let wide: Vec<[f32; 4]> = spread(20_000, -80.0, 86.0).map(|x| [x, 0.0, 0.0, 0.0]).collect();
    let near: Vec<[f32; 4]> = (0..20_000)
        .map(|i| 10f64.powf(-f64::from(i) / 2_000.0) as f32)
        .map(|x| [if x.to_bits() % 2 == 0 { x } else { -x }, 0.0, 0.0, 0.0])
        .collect();
    assert!(worst(&device, "exponential(x.x)", &wide, |x, _| x.exp()) < 1.3e-7);
    assert!(worst(&device, "exponential(x.x)", &near, |x, _| x.exp()) < 1.3e-7);
    assert!(worst(&device, "exponential_less_one(x.x)", &wide, |x, _| x.exp_m1()) < 2e-7);
    assert!(worst(&device, "exponential_less_one(x.x)", &near, |x, _| x.exp_m1()) < 2e-7);
    // Below the range of float32.
    let far = [[-90.0, 0.0, 0.0, 0.0], [-1e30, 0.0, 0.0, 0.0]];
    assert!(worst(&device, "exponential(x.x)", &far, |_, _| 0.0) == 0.0);
    assert!(worst(&device, "exponential_less_one(x.x)", &far, |_, _| -1.0) < 1e-7);
}

#[test]
fn angles_keep_their_digits() {
    let Some(device) = device() else { return };
    let mut plane: Vec<[f32; 4]> = spread(20_000, -1.0, 1.0)
        .zip(spread(20_000, -1.0, 1.0).skip(3))
        .map(|(y, x)| [y, x, 0.0, 0.0])
        .collect();
    plane.extend((0..2_000).map(|i| [10f64.powf(-f64::from(i) / 100.0) as f32, 0.7, 0.0, 0.0]));
    assert!(worst(&device, "arc_tangent(x.x, x.y)", &plane, f64::atan2) < 3e-7);
    let right = "right_angle(x.x, abs(x.y), sqrt(x.x * x.x + x.y * x.y))";
    assert!(worst(&device, right, &plane, |y, x| y.atan2(x.abs())) < 4e-7);
    let cosines: Vec<[f32; 4]> = spread(20_000, 0.0, 2.0).map(|d| [d, 0.0, 0.0, 0.0]).collect();
    // Absolute errors: the fits are weighted by √d.
    let body = "let c = arc_cosine(x.x); output[id.x] = vec4<f32>(c.angle, c.sector, 0.0, 0.0);";
    let output = evaluate(&device, body, &cosines);
    let mut errors = [0f64; 2];
    for (x, y) in cosines.iter().zip(&output) {
        let d = f64::from(x[0]);
        let theta = 2.0 * (d / 2.0).sqrt().asin();
        let sector = if d < 0.02 {
            // d^(1/2) R(d) by its series, where the closed form cancels.
            d.sqrt() * 2.0 * 2f64.sqrt() / 3.0 * (1.0 + d / 20.0 + 9.0 * d * d / 1120.0)
                / std::f64::consts::PI
        } else {
            (theta.sin() - theta * theta.cos()) / (std::f64::consts::PI * d)
        };
        for (error, (found, exact)) in
            errors.iter_mut().zip([(y[0], theta / std::f64::consts::PI), (y[1], sector)])
        {
            *error = error.max((f64::from(found) - exact).abs());
        }
    }
    println!("arc_cosine: {:.1e} {:.1e}", errors[0], errors[1]);
    assert!(errors[0] < 1.5e-7 && errors[1] < 1.5e-7, "{errors:?}");
}
