// lines: the sum over the orders along α, [field][lane][ring][α][order of γ].

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = invocation(workgroup, count, local);
    let width = 2u * job.bandlimit - 1u;
    if (at >= job.lanes * job.rings * job.circle * width) {
        return;
    }
    let gamma = at % width;
    let line = at / width;
    let alpha = line % job.circle;
    let orders = (line / job.circle * width + gamma) * width;
    var sum = 0.0;
    for (var order = 0u; order < width; order++) {
        sum += input[orders + order] * table[alpha * job.line + order];
    }
    output[(job.at * job.lanes * job.rings * job.circle + line) * job.line + gamma] = sum;
}
