// orders: the sum over degrees on each ring, coefficients of products of an order along γ and one along α,
// [lane][ring][order of γ][order of α].

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = invocation(workgroup, count, local);
    let width = 2u * job.bandlimit - 1u;
    if (at >= job.lanes * job.rings * width * width) {
        return;
    }
    let alpha = at % width;
    let gamma = at / width % width;
    let ring = at / (width * width) % job.rings;
    let lane = at / (width * width * job.rings);
    let m = (alpha + 1u) / 2u;
    let n = (gamma + 1u) / 2u;
    let sines = vec2<bool>(alpha > 0u && alpha % 2u == 0u, gamma > 0u && gamma % 2u == 0u);
    let across = sines.x != sines.y;
    let turned = select(i32(n), -i32(n), across);
    let signs = vec2<f32>(select(1.0, -1.0, all(sines)), select(1.0, -1.0, any(sines)));
    let base = lane * job.spectrum_words + job.spectrum_at;
    var sum = 0.0;
    for (var l = max(max(m, n), job.first_degree); l < job.bandlimit; l++) {
        let e = wigner(ring, l, m, n);
        let a = spectrum[base + rotation_index(l, i32(m), turned)];
        let b = spectrum[base + rotation_index(l, -i32(m), -turned)];
        sum += dot(signs * select(e, e.yx, sines.x), vec2<f32>(a, b));
    }
    output[at] = sum;
}
