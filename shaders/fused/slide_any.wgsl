// Sums over windows of any size up to REACH rows and columns, sliding down a strip of rows. The same as slide_3.wgsl, in
// loops.

struct Ring {
    // Sums of the last rows, the newest at the end.
    rows: array<Sums, REACH>,
    // Sums of the rows below the strip, read before another strip overwrites them.
    below: array<Sums, REACH>,
}

fn begin_strip(columns: Columns, strip: Strip, level: u32) -> Ring {
    var ring: Ring;
    let window = levels[level].window.x;
    let top = strip.first - levels[level].before.x;
    for (var y = 0; y < window - 1; y++) {
        push(&ring, row_of_any(columns, top + y, level));
        ring.below[y] = row_of_any(columns, strip.end + y, level);
    }
    return ring;
}

// The sums for windows of the row `row`, the next one.
fn next_window(ring: ptr<function, Ring>, columns: Columns, strip: Strip, row: i32, level: u32) -> Sums {
    let window = levels[level].window.x;
    let newest = row + window - 1 - levels[level].before.x;
    if (newest < strip.end) {
        push(ring, row_of_any(columns, newest, level));
    } else {
        push(ring, (*ring).below[min(newest - strip.end, REACH - 1)]);
    }
    var sums = (*ring).rows[REACH - 1];
    for (var y = 2; y <= window; y++) {
        sums = plus(sums, (*ring).rows[REACH - y]);
    }
    return sums;
}

fn push(ring: ptr<function, Ring>, sums: Sums) {
    for (var y = 0; y < REACH - 1; y++) {
        (*ring).rows[y] = (*ring).rows[y + 1];
    }
    (*ring).rows[REACH - 1] = sums;
}

fn row_of_any(columns: Columns, row: i32, level: u32) -> Sums {
    let base = row_start(row);
    var sums = nothing();
    for (var x = 0; x < levels[level].window.y; x++) {
        sums = plus(sums, cell(base + columns.at[x]));
    }
    return sums;
}
