// A chain of convolutions (stride 1), each followed by an activation, on planes in workgroup memory: from the pixels to the sum
// over each plane. kinked.wgsl and smooth.wgsl say what a cell holds and compute the next layer from it.
//
// A workgroup has ACROSS·PACK × STRIPS invocations; each has one column of a run of planes and goes down a strip of rows, some
// rows at a time: it holds what it computes in registers until all windows that need the rows have been added up, and then
// overwrites them. `layer` is written by unrolled.rs.

// Cells of a run.
override ROWS: u32 = 34u;
override COLS: u32 = 34u;
// Invocations across a run: its cells without the zeros around segments.
override ACROSS: u32 = 32u;
// Runs side by side in a workgroup, and one after the other.
override PACK: u32 = 1u;
override ITEMS: u32 = 1u;
override STRIPS: u32 = 4u;
// Blocks of rows in a strip.
override BLOCKS: u32 = 1u;
// Zero cells before the first segment, on rows and columns, and between segments.
override MARGIN_ROWS: u32 = 1u;
override MARGIN_COLS: u32 = 1u;
override GAP_COLS: u32 = 1u;
override LAST_ROW: u32 = 33u;
// Rows of cells that are held: those of a run, and of all strips.
override HELD: u32 = 37u;
// Whether cells around segments are zeros that windows add up.
override MASKED: bool = true;
// Whether windows wrap within the cells.
override WRAP_ROWS: bool = false;
override WRAP_COLS: bool = false;
override CIRCULAR: bool = false;
override ROW_RUNS: u32 = 32u;
override COL_RUNS: u32 = 32u;
override LAYERS: u32 = 1u;
override CHANNELS: u32 = 3u;
// Entries of a copy's maps.
override COPY_ENTRIES: u32 = 1u;
override NTK: bool = true;
// Whether K may be negative behind the activations, as behind a leaky ReLU.
override NEGATIVE: bool = false;

override THREADS: u32 = ACROSS * PACK * STRIPS;
override CELLS: u32 = HELD * COLS * PACK;
override NTK_CELLS: u32 = select(1u, CELLS, NTK);
override STRIDE: u32 = COLS * PACK;
override STRIP_ROWS: u32 = ROWS_OF_BLOCK * BLOCKS;
override TABLE: u32 = STRIP_ROWS * STRIPS;
override TABLES: u32 = TABLE * PACK;
override PARTS: u32 = (ROW_RUNS * COL_RUNS + PACK * ITEMS - 1u) / (PACK * ITEMS);

struct Level {
    // The convolution that leads to this level.
    window: vec2<i32>,
    before: vec2<i32>,
    // Positions of this level.
    extent: vec2<i32>,
    // Where its maps begin in a copy, in entries.
    map: u32,
    // kinked: the exponent of the bias; smooth: the bits of what `dual` returns where the expectation does not exist.
    exponent: i32,
    numbers: vec4<f32>,
    more: vec4<f32>,
}

@group(0) @binding(0) var<storage, read> lanes: array<vec4<u32>>;
// Per copy: an entry for each level; the pixels, channel by channel; an entry for each level and position.
@group(0) @binding(1) var<storage, read> first_maps: array<Entry>;
@group(0) @binding(2) var<storage, read> second_maps: array<Entry>;
@group(1) @binding(0) var<storage, read> levels: array<Level>;
// Runs of the rows, then of the columns.
@group(1) @binding(1) var<storage, read> runs: array<array<Segment, 2>>;
// For each part of a lane: two sums, the exponent of their unit, the number of elements added.
@group(1) @binding(2) var<storage, read_write> results: array<vec4<u32>>;
// The first part of this dispatch and the end, counted over all parts of all lanes.
@group(1) @binding(3) var<uniform> job: vec4<u32>;

// What all columns share of a row: its place in a map of the first image; four times that in a map of the second one, plus 1 if
// the row has positions, plus 2 if these are summed over at the end.
var<workgroup> row_table: array<vec2<u32>, TABLES>;

// Where the window of an invocation's first row begins: its cell, and its row.
struct Strip {
    cell: u32,
    row: i32,
}

// What an invocation computes of a run.
struct Place {
    // Its column and its first row of cells, the cell there, and its run among those side by side.
    column: i32,
    row: i32,
    own: u32,
    pack: u32,
    // The first of its rows in the table.
    table: u32,
    // Its column in the maps of both images.
    first: u32,
    second: u32,
    // Whether the column has positions (all bits or none), and whether these are summed over at the end.
    here: i32,
    answers: bool,
}

fn column_at(column: i32, pack: u32) -> u32 {
    if (WRAP_COLS) {
        return pack * COLS + u32(modulo(column, i32(COLS)));
    }
    return pack * COLS + u32(column);
}

// First cell of the row `row` of a strip's windows.
fn row_at(strip: Strip, row: i32) -> u32 {
    if (WRAP_ROWS) {
        return u32(modulo(strip.row + row, i32(ROWS))) * STRIDE;
    }
    return strip.cell + u32(row) * STRIDE;
}

// K⁰ of two pixels.
fn correlate(lane: vec4<u32>, place: Place, row: vec2<u32>) -> Sums {
    let pixels_at = lane.xy * COPY_ENTRIES + levels[0].map;
    let column = vec2<u32>(place.first, place.second) - lane.xy * COPY_ENTRIES;
    let at = pixels_at + (column + vec2<u32>(row.x, row.y >> 2u)) * CHANNELS;
    var sums = nothing();
    for (var c = 0u; c < CHANNELS; c++) {
        sums = plus(sums, pixels(first_maps[at.x + c], second_maps[at.y + c]));
    }
    return sums;
}

// The sum over all invocations.
fn sum_of_all(index: u32, own: Sums) -> Sums {
    store(index, own);
    workgroupBarrier();
    for (var n = THREADS; n > 1u; n = (n + 1u) / 2u) {
        let half = (n + 1u) / 2u;
        if (index < n - half) {
            store(index, plus(cell(index), cell(index + half)));
        }
        workgroupBarrier();
    }
    let total = cell(0u);
    workgroupBarrier();
    return total;
}

@compute @workgroup_size(ACROSS * PACK, STRIPS)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let group = job.x + workgroup.y * groups.x + workgroup.x;
    let lane_index = group / PARTS;
    if (group >= job.y) {
        return;
    }
    let lane = lanes[lane_index];
    // Without runs side by side the compiler knows that all invocations have the same run.
    let pack = select(0u, local.x / ACROSS, PACK > 1u);
    let width = u32(levels[0].extent.y);

    var sum = vec2<f32>(0.0);
    var count = 0u;
    for (var item = 0u; item < ITEMS; item++) {
        let begin = ((group % PARTS) * ITEMS + item) * PACK;
        for (var i = index; i < TABLES; i += THREADS) {
            let number = begin + select(0u, i / TABLE, PACK > 1u);
            let row = MARGIN_ROWS + i % TABLE;
            let at = position_of(runs[min(number / COL_RUNS, ROW_RUNS - 1u)], i32(row), levels[0].extent.x);
            let here = number < ROW_RUNS * COL_RUNS && row < LAST_ROW && at.plane >= 0;
            let flags = u32(here) + 2u * u32(here && at.answers);
            row_table[i] = vec2<u32>(u32(at.first) * width, 4u * u32(at.second) * width + flags);
        }
        let cols = runs[ROW_RUNS + (begin + pack) % COL_RUNS];
        var place: Place;
        place.column = i32(MARGIN_COLS + local.x - pack * ACROSS);
        place.column += select(0, i32(GAP_COLS), place.column >= cols[0].cell + cols[0].cells);
        place.column = min(place.column, i32(COLS) - 1);
        place.row = i32(MARGIN_ROWS + local.y * STRIP_ROWS);
        place.own = u32(place.row) * STRIDE + pack * COLS + u32(place.column);
        place.pack = pack;
        place.table = pack * TABLE + local.y * STRIP_ROWS;
        let column = position_of(cols, place.column, levels[0].extent.y);
        place.first = lane.x * COPY_ENTRIES + u32(column.first);
        place.second = lane.y * COPY_ENTRIES + u32(column.second);
        place.here = select(0, -1, column.plane >= 0);
        place.answers = column.answers;

        for (var zero = index; zero < CELLS; zero += THREADS) {
            store(zero, nothing());
        }
        workgroupBarrier();
        for (var i = 0u; i < STRIP_ROWS; i++) {
            let row = row_table[place.table + i];
            if (place.here != 0 && (row.y & 1u) != 0u) {
                store(place.own + i * STRIDE, correlate(lane, place, row));
            }
        }
        workgroupBarrier();

        // Pixels may be negative; behind a ReLU K is not.
        layer(1u, lane, place, true);
        for (var level = 2u; level <= LAYERS; level++) {
            layer(level, lane, place, NEGATIVE);
        }

        var run = vec2<f32>(0.0);
        for (var i = 0u; i < STRIP_ROWS; i++) {
            if (place.answers && (row_table[place.table + i].y & 2u) != 0u) {
                run += answer(cell(place.own + i * STRIDE));
                count++;
            }
        }
        sum += run;
        workgroupBarrier();
    }

    let total = answer(sum_of_all(index, of_answer(sum)));
    let all = answer(sum_of_all(index, of_answer(vec2<f32>(f32(count), 0.0))));
    if (index == 0u) {
        results[lane_index * PARTS + group % PARTS] = vec4<u32>(
            bitcast<u32>(total.x),
            bitcast<u32>(total.y),
            bitcast<u32>(exponent(lane, LAYERS)),
            u32(all.x),
        );
    }
}
