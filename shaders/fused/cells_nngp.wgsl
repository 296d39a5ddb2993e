// Cells of a smooth chain without Θ.

var<workgroup> cells: array<f32, CELLS>;

fn cell(at: u32) -> Sums {
    return Sums(cells[at], 0.0);
}

fn store(at: u32, sums: Sums) {
    cells[at] = sums.cov;
}
