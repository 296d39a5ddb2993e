// values: u (or −K, where it is smaller) and, where it is asked for, Θ at every point of a block of rings, [track][lane][ring][α][γ].

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
    if (lane >= job.lanes) {
        return;
    }
    let quarter = job.circle / 4u + 1u;
    let half = job.circle / 2u;
    load(lane);
    let end = min((part + 1u) * job.part_items, job.circle * quarter);
    for (var item = part * job.part_items + local; item < end; item += WORKGROUP) {
        let gamma = item % quarter;
        let line = (lane * job.rings + ring) * job.circle + item / quarter;
        sums(line, gamma);
        for (var i = 0u; i < 4u; i++) {
            let x = value(turn(i));
            var to = gamma;
            switch (i) {
                case 1u: { to = (job.circle - gamma) % job.circle; }
                case 2u: { to = half - gamma; }
                case 3u: { to = half + gamma; }
                default: {}
            }
            let at = line * job.circle + to;
            output[at] = select(x.defect, -x.cov, keeps_cov);
            if (job.tracks > 1u) {
                output[at + job.lanes * job.rings * job.circle * job.circle] = x.ntk;
            }
        }
    }
}
