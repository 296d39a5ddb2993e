// Cells of a smooth chain: K and Θ, which are read at once.

var<workgroup> cells: array<vec2<f32>, CELLS>;

fn cell(at: u32) -> Sums {
    let known = cells[at];
    return Sums(known.x, known.y);
}

fn store(at: u32, sums: Sums) {
    cells[at] = vec2<f32>(sums.cov, sums.theta);
}
