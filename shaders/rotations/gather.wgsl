// gather: sums along γ to sums along γ and α, [track][lane][ring][order of γ][order of α].

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = invocation(workgroup, count, local);
    let width = 2u * job.bandlimit - 1u;
    if (at >= job.tracks * job.lanes * job.rings * width * width) {
        return;
    }
    let order = at % width;
    let gamma = at / width % width;
    let ring = at / (width * width);
    var sum = 0.0;
    for (var start = 0u; start < job.circle; start += RUN) {
        var run = 0.0;
        for (var alpha = start; alpha < min(start + RUN, job.circle); alpha++) {
            run += input[(ring * job.circle + alpha) * width + gamma] * table[alpha * job.line + order];
        }
        sum += run;
    }
    output[at] = sum;
}
