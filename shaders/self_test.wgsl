// What every module relies on, in 64 invocations: whole numbers, roots, multiply-adds, and workgroup memory behind a barrier.

@group(0) @binding(0) var<storage, read_write> output: array<u32>;

var<workgroup> shared_cells: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) index: u32) {
    // A whole number beyond 24 bits, and a root that is a whole number.
    shared_cells[index] = index * 40503u + u32(fma(sqrt(f32(index * index)), 2.0, 0.5));
    workgroupBarrier();
    output[index] = shared_cells[63u - index] ^ (index << 24u);
}
