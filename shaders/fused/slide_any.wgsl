// Sums over windows of any size up to REACH rows and columns, sliding down a strip of rows.

// The largest window, in rows and columns.
const REACH: i32 = 9;

struct Columns {
    at: array<u32, REACH>,
}

fn columns_of(left: i32, pack: u32) -> Columns {
    var columns: Columns;
    for (var x = 0; x < REACH; x++) {
        columns.at[x] = column_at(left + x, pack);
    }
    return columns;
}

struct Ring {
    // Sums of the last rows, the newest at the end.
    rows: array<Sums, REACH>,
    // Sums of the rows below the strip, read before another strip overwrites them.
    below: array<Sums, REACH>,
}

fn begin_strip(columns: Columns, strip: Strip, level: u32) -> Ring {
    var ring: Ring;
    for (var y = 0; y < levels[level].window.x - 1; y++) {
        push(&ring, row_of_any(columns, row_at(strip, y), level));
        ring.below[y] = row_of_any(columns, row_at(strip, i32(STRIP_ROWS) + y), level);
    }
    return ring;
}

// The sums for windows of the row `row` of the strip, the next one.
fn next_window(ring: ptr<function, Ring>, columns: Columns, strip: Strip, row: u32, level: u32) -> Sums {
    let window = levels[level].window.x;
    let newest = i32(row) + window - 1;
    if (newest < i32(STRIP_ROWS)) {
        push(ring, row_of_any(columns, row_at(strip, newest), level));
    } else {
        push(ring, (*ring).below[min(newest - i32(STRIP_ROWS), REACH - 1)]);
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

fn row_of_any(columns: Columns, row: u32, level: u32) -> Sums {
    var sums = nothing();
    for (var x = 0; x < levels[level].window.y; x++) {
        sums = plus(sums, cell(row + columns.at[x]));
    }
    return sums;
}
