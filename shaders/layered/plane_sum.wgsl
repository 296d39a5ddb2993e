// plane_sum: ΣK and ΣΘ over each plane, and how many elements were added, which the host checks. One workgroup a plane; the
// planes are added up on the host in float64.

const PLANE_RUN: u32 = 16u;

var<workgroup> cov_sums: array<f32, WORKGROUP>;
var<workgroup> ntk_sums: array<f32, WORKGROUP>;
var<workgroup> counts: array<u32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let positions = u32(op.extent.x * op.extent.y);
    let plane = op.start + workgroup.y * groups.x + workgroup.x;
    let exists = plane < op.lanes * op.rows * op.cols;
    var cov = 0.0;
    var ntk = 0.0;
    var count = 0u;
    if (exists) {
        // Short runs are added up first, so that rounding errors do not add up along the plane.
        for (var start = local; start < positions; start += WORKGROUP * PLANE_RUN) {
            var run_cov = 0.0;
            var run_ntk = 0.0;
            for (var i = 0u; i < PLANE_RUN; i++) {
                let at = start + i * WORKGROUP;
                if (at >= positions) {
                    break;
                }
                let p = place(plane * positions + at);
                if (p.exists) {
                    run_cov += input[p.index];
                    if (op.has_ntk != 0u) {
                        run_ntk += input_ntk(p);
                    }
                    count++;
                }
            }
            cov += run_cov;
            ntk += run_ntk;
        }
    }
    cov_sums[local] = cov;
    ntk_sums[local] = ntk;
    counts[local] = count;
    workgroupBarrier();
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        if (local < half) {
            cov_sums[local] += cov_sums[local + half];
            ntk_sums[local] += ntk_sums[local + half];
            counts[local] += counts[local + half];
        }
        workgroupBarrier();
    }
    if (exists && local == 0u) {
        let lane = plane / (op.rows * op.cols);
        let of_lane = plane % (op.rows * op.cols);
        let row = op.base.x + of_lane / op.cols;
        let col = op.base.y + of_lane % op.cols;
        let at = 3u * (lane * op.planes + row * op.all_cols + col);
        output[at] = cov_sums[0];
        output[at + 1u] = ntk_sums[0];
        output[at + 2u] = f32(counts[0]);
    }
}
