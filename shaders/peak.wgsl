// The peak rate of a device: fused multiply-adds in eight independent chains and nothing else. `ekernel bench` and
// benches/wgpu.rs compare with it.

const ROUNDS: u32 = 256u;

@group(0) @binding(0) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let x = f32(id.x) * 1e-9;
    var a = vec4<f32>(x, x + 0.1, x + 0.2, x + 0.3);
    var b = vec4<f32>(x + 0.4, x + 0.5, x + 0.6, x + 0.7);
    let by = vec4<f32>(0.999 - x);
    let plus = vec4<f32>(0.001 + x);
    // 64 multiply-adds a round.
    for (var i = 0u; i < ROUNDS; i++) {
        a = fma(a, by, plus);
        b = fma(b, by, plus);
        a = fma(a, by, plus);
        b = fma(b, by, plus);
        a = fma(a, by, plus);
        b = fma(b, by, plus);
        a = fma(a, by, plus);
        b = fma(b, by, plus);
        a = fma(a, by, plus);
        b = fma(b, by, plus);
        a = fma(a, by, plus);
        b = fma(b, by, plus);
        a = fma(a, by, plus);
        b = fma(b, by, plus);
        a = fma(a, by, plus);
        b = fma(b, by, plus);
    }
    let sum = a + b;
    if (id.x < arrayLength(&output)) {
        output[id.x] = sum.x + sum.y + sum.z + sum.w;
    }
}
