// Sums over windows of 3×3, sliding down a strip of rows: each row of three cells is added up once.

struct Ring {
    // Sums of the last two rows.
    a: Sums,
    b: Sums,
    // Sums of the two rows below the strip, read before another strip overwrites them.
    below: Sums,
    further: Sums,
}

fn begin_strip(columns: Columns, strip: Strip, level: u32) -> Ring {
    let top = strip.first - levels[level].before.x;
    return Ring(
        row_of_three(columns, top),
        row_of_three(columns, top + 1),
        row_of_three(columns, strip.end),
        row_of_three(columns, strip.end + 1),
    );
}

// The sums for windows of the row `row`, the next one.
fn next_window(ring: ptr<function, Ring>, columns: Columns, strip: Strip, row: i32, level: u32) -> Sums {
    let newest = row + 2 - levels[level].before.x;
    var c: Sums;
    if (newest < strip.end) {
        c = row_of_three(columns, newest);
    } else if (newest == strip.end) {
        c = (*ring).below;
    } else {
        c = (*ring).further;
    }
    let a = (*ring).a;
    let b = (*ring).b;
    (*ring).a = b;
    (*ring).b = c;
    return plus(a, plus(b, c));
}

fn row_of_three(columns: Columns, row: i32) -> Sums {
    let base = row_start(row);
    return plus(cell(base + columns.at[0]), plus(cell(base + columns.at[1]), cell(base + columns.at[2])));
}
