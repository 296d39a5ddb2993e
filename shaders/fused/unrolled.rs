//! Code that is written out row by row and column by column.
//!
//! Written out, every row of cells is at a fixed distance from the first one and every sum stays in a register, on all
//! drivers. Compilers decide by themselves whether they unroll a loop.

use std::fmt::Write;

/// Sums over windows of one size, sliding down a strip of rows: what `slide_any.wgsl` does in loops.
pub(super) fn slide([rows, cols]: [usize; 2]) -> String {
    let above = rows - 1;
    let fields = |name: &str, count: usize, ty: &str| -> String {
        (0..count).fold(String::new(), |all, i| all + &format!("    {name}{i}: {ty},\n"))
    };
    let list = |count: usize, item: &dyn Fn(usize) -> String| -> String {
        (0..count).map(item).collect::<Vec<_>>().join(", ")
    };
    let columns = list(cols, &|x| format!("column_at(left + {x}, pack)"));
    let cells = chain(cols, &|x| format!("cell(row + columns.at{x})"));
    let first = list(above, &|y| format!("row_sum(row_at(strip, {y}), columns)"));
    let below = list(above, &|y| {
        format!("row_sum(row_at(strip, i32(select(0u, STRIP_ROWS + {y}u, BLOCKS > 1u))), columns)")
    });
    let mut behind = String::new();
    for y in 0..above {
        let _ = writeln!(behind, "        if (newest == STRIP_ROWS + {y}u) {{ added = (*ring).below{y}; }}");
    }
    let sum = chain(rows, &|y| if y == above { "added".to_owned() } else { format!("(*ring).row{y}") });
    let shift: String = (0..above)
        .map(|y| match y + 1 {
            next if next == above => format!("    (*ring).row{y} = added;\n"),
            next => format!("    (*ring).row{y} = (*ring).row{next};\n"),
        })
        .collect();
    format!(
        "
struct Columns {{
{}}}

fn columns_of(left: i32, pack: u32) -> Columns {{
    return Columns({columns});
}}

fn row_sum(row: u32, columns: Columns) -> Sums {{
    return {cells};
}}

// Sums of the last rows, and of the rows below the strip, read before another strip overwrites them.
struct Ring {{
{}{}}}

fn begin_strip(columns: Columns, strip: Strip, level: u32) -> Ring {{
    return Ring({first}, {below});
}}

// The sums for windows of the row `row` of the strip, the next one.
fn next_window(ring: ptr<function, Ring>, columns: Columns, strip: Strip, row: u32, level: u32) -> Sums {{
    var added: Sums;
    let newest = row + {above}u;
    if (BLOCKS == 1u || newest < STRIP_ROWS) {{
        added = row_sum(row_at(strip, i32(newest)), columns);
    }} else {{
{behind}    }}
    let sums = {sum};
{shift}    return sums;
}}
",
        fields("at", cols, "u32"),
        fields("row", above, "Sums"),
        fields("below", above, "Sums"),
    )
}

/// The sum of some terms.
fn chain(count: usize, term: &dyn Fn(usize) -> String) -> String {
    (0..count - 1).rev().fold(term(count - 1), |sum, i| format!("plus({}, {sum})", term(i)))
}

/// One layer on one strip: `rows` rows at a time are computed, then stored.
pub(super) fn layer(rows: usize) -> String {
    let (mut compute, mut keep) = (String::new(), String::new());
    for i in 0..rows {
        let _ = write!(
            compute,
            "        let window{i} = next_window(&ring, columns, strip, row + {i}u, level);
        let at{i} = row_table[place.table + row + {i}u];
        let out{i} = behind(
            window{i}, first_maps[first + at{i}.x], second_maps[second + (at{i}.y >> 2u)], unit, level, obtuse,
        );
"
        );
        let _ = writeln!(keep, "        store(own + {i}u * STRIDE, masked(out{i}, place.here, at{i}.y));");
    }
    format!(
        "
// Rows of a strip that are computed between two barriers.
const ROWS_OF_BLOCK: u32 = {rows}u;

// Zeros where the row or the column has no position.
fn masked(sums: Sums, here: i32, row: u32) -> Sums {{
    if (MASKED) {{
        return part(sums, here & ((i32(row) << 31u) >> 31u));
    }}
    return sums;
}}

fn layer(level: u32, lane: vec4<u32>, place: Place, obtuse: bool) {{
    let unit = unit_of(lane, level);
    let columns = columns_of(place.column - levels[level].before.y, place.pack);
    let top = place.row - levels[level].before.x;
    let strip = Strip(u32(top) * STRIDE, top);
    let first = place.first + levels[level].map;
    let second = place.second + levels[level].map;
    var ring = begin_strip(columns, strip, level);
    for (var block = 0u; block < BLOCKS; block++) {{
        let row = block * ROWS_OF_BLOCK;
        let own = place.own + row * STRIDE;
{compute}        workgroupBarrier();
{keep}    }}
    workgroupBarrier();
}}
"
    )
}
