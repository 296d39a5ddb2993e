// fold: values at the points of a ring to sums along γ, [track][lane][ring][α][order of γ].

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = invocation(workgroup, count, local);
    let width = 2u * job.bandlimit - 1u;
    if (at >= job.tracks * job.lanes * job.rings * job.circle * width) {
        return;
    }
    let order = at % width;
    let values = at / width * job.circle;
    var sum = 0.0;
    for (var start = 0u; start < job.circle; start += RUN) {
        var run = 0.0;
        for (var gamma = start; gamma < min(start + RUN, job.circle); gamma++) {
            run += input[values + gamma] * table[gamma * job.line + order];
        }
        sum += run;
    }
    output[at] = sum;
}
