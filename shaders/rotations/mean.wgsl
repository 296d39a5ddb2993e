// mean: ΣK, Σu and ΣΘ over the points of a part of a ring, and how many points were added, which the host checks. The rings are
// added up on the host in float64. One workgroup a part.

var<workgroup> sums_of: array<vec4<f32>, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = workgroup_number(workgroup, groups);
    let part = number % job.parts;
    let ring = number / job.parts % job.rings;
    let lane = number / (job.parts * job.rings);
    let exists = lane < job.lanes;
    let quarter = job.circle / 4u + 1u;
    var total = vec4<f32>(0.0);
    if (exists) {
        load(lane);
        let end = min((part + 1u) * job.part_items, job.circle * quarter);
        for (var item = part * job.part_items + local; item < end; item += WORKGROUP) {
            let gamma = item % quarter;
            sums((lane * job.rings + ring) * job.circle + item / quarter, gamma);
            // On the axes the four points are two.
            let weight = select(1.0, 0.5, gamma == 0u || 4u * gamma == job.circle);
            var four = vec4<f32>(0.0);
            for (var i = 0u; i < 4u; i++) {
                let x = value(turn(i));
                four += vec4<f32>(x.cov, x.defect, x.ntk, 1.0);
            }
            total += weight * four;
        }
    }
    sums_of[local] = total;
    workgroupBarrier();
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        if (local < half) {
            sums_of[local] += sums_of[local + half];
        }
        workgroupBarrier();
    }
    if (exists && local == 0u) {
        let at = 4u * ((lane * job.all_rings + job.first_ring + ring) * job.parts + part);
        let sum = sums_of[0];
        output[at] = sum.x;
        output[at + 1u] = sum.y;
        output[at + 2u] = sum.z;
        output[at + 3u] = sum.w;
    }
}
