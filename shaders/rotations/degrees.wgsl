// degrees: adds the rings of this block to coefficients, c^l_mn = (2l+1)/8π² ∫ f B^l_mn dU. The first block begins with 0; the
// order in which rings are added up does not depend on the blocks.

// The sum over the points of a ring of the values times two orders.
fn of_ring(ring: u32, alpha: u32, gamma: u32) -> f32 {
    let width = 2u * job.bandlimit - 1u;
    return input[(ring * width + gamma) * width + alpha];
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = invocation(workgroup, count, local);
    let len = rotation_len(job.bandlimit);
    if (at >= job.tracks * job.lanes * len) {
        return;
    }
    let index = at % len;
    let track_lane = at / len;
    var p = Place(0u, 0, 0);
    if (index > 0u) {
        p = place(index);
    }
    let m = u32(abs(p.m));
    let n = u32(abs(p.n));
    let cosines = vec2<u32>(max(2u * m, 1u) - 1u, max(2u * n, 1u) - 1u);
    let sines = vec2<u32>(2u * m, 2u * n);
    let across = (p.m < 0) != (p.n < 0);
    // The products for two orders: cosines and sines of both, or cosines of one and sines of the other.
    let one = vec2<u32>(cosines.x, select(cosines.y, sines.y, across));
    let other = vec2<u32>(sines.x, select(sines.y, cosines.y, across));
    let signs = vec2<f32>(select(1.0, -1.0, across && p.m < 0), select(-1.0, 1.0, across && p.m >= 0));
    let lane = track_lane % job.lanes;
    let track = track_lane / job.lanes;
    let out = lane * job.spectrum_words + job.spectrum_at + track * len + index;
    var sum = 0.0;
    if (job.first_ring > 0u) {
        sum = output[out];
    }
    for (var ring = 0u; ring < job.rings; ring++) {
        let e = wigner(ring, p.l, m, n);
        let weights = signs * select(e, e.yx, p.m < 0);
        let weight = table[(job.table_ring + ring + 1u) * table_words() - 1u];
        let row = track_lane * job.rings + ring;
        let share = weights.x * of_ring(row, one.x, one.y) + weights.y * of_ring(row, other.x, other.y);
        sum += f32(2u * p.l + 1u) * weight * share;
    }
    output[out] = sum;
}
