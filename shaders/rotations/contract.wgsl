// contract: cos θ(U) = k/√(qq') of two lifted signals, c^l_mn = Σ_c a_{c,lm} a'_{c,ln}. Degree 0 holds the mean of
// cos θ; behind the last degree follows the mean of 1 − cos θ without cancellation: ½(|a_0 − a'_0|² + the other degrees of each). Many channels are
// added up in several dispatches.

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = invocation(workgroup, count, local);
    let len = rotation_len(job.bandlimit);
    if (at >= job.lanes * len) {
        return;
    }
    let lane = at / len;
    let index = at % len;
    let out = lane * job.spectrum_words + job.spectrum_at;
    let units = lanes[lane].xy * job.unit_words + job.at;
    let begins = job.first_channel == 0u;
    var sum = 0.0;
    if (!begins) {
        sum = output[out + index];
    }
    if (index == 0u) {
        var cosine = sum;
        var apart = first_units[units.x] + second_units[units.y];
        if (!begins) {
            apart = 2.0 * output[out + len];
        }
        for (var c = job.first_channel; c < job.end_channel; c++) {
            let a = first_units[units.x + 1u + c];
            let b = second_units[units.y + 1u + c];
            cosine += a * b;
            apart += (a - b) * (a - b);
        }
        output[out] = cosine;
        output[out + len] = 0.5 * apart;
        return;
    }
    let p = place(index);
    let middle = i32(p.l * p.l + p.l);
    let a = units.x + 1u + u32(middle + p.m) * job.channels;
    let b = units.y + 1u + u32(middle + p.n) * job.channels;
    for (var c = job.first_channel; c < job.end_channel; c++) {
        sum += first_units[a + c] * second_units[b + c];
    }
    output[out + index] = sum;
}
