// pooled: the sums of a local pool times numbers.x = scale/|w|², as this op carries them. Pooled defects ū are those of
// K = mm' − ū, m the window mean of s. With α = (m² − v)/m² the defect behind the pool is
// √(vv') − K = ū − mm'·(α + α' − αα')/(1 + ss'/mm'), a difference of defects instead of kernels.

// A difference below this fraction of the minuend is rounding and counts as zero. Windows that hold the same values in another
// order are exactly parallel or opposite, and would otherwise have an angle that is off by 4e-4; nearly parallel ones are rare.
const ROUNDING: f32 = 4.8e-7;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let p = place(invocation(workgroup, count, local));
    if (!p.exists) {
        return;
    }
    var x = op.numbers.x * input[p.index];
    if (op.pooled != 0u) {
        let m = maps_at(p, op.special);
        if (op.defect != 0u) {
            let a = maps_at(p, op.second_special);
            let s = maps_at(p, op.std_after);
            // √((1−α)(1−α')), not computed from α, which loses its digits near 1.
            let means = m.x * m.y;
            let root = select(0.0, s.x * s.y / means, means > 0.0);
            let gap = means * (a.x + a.y - a.x * a.y) / (1.0 + root);
            let opposite = 2.0 * s.x * s.y;
            let left = x - gap;
            x = select(0.0, left, left > ROUNDING * gap);
            x = select(x, opposite, abs(left - opposite) < ROUNDING * (gap + gap + opposite));
        } else {
            x = m.x * m.y - x;
        }
    } else if (op.input_defect != op.defect) {
        let s = maps_at(p, op.std_after);
        x = max(s.x * s.y - x, 0.0);
    }
    store(p, x);
    if (op.has_ntk != 0u) {
        store_ntk(p, op.numbers.x * input_ntk(p));
    }
}
