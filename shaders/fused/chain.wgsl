// A chain of convolutions (stride 1), each followed by an activation, on planes in workgroup memory: from the pixels to the sum
// over each plane. kinked.wgsl and smooth.wgsl say what a cell holds and compute the next layer from it.
//
// A workgroup has ACROSS·PACK × STRIPS invocations; each has one column of a run of planes and goes down a strip of rows, in
// place: a row is overwritten when all windows that need it have been added up.

// Cells of a run.
override ROWS: u32 = 34u;
override COLS: u32 = 34u;
// Invocations across a run: its cells without the zeros around segments.
override ACROSS: u32 = 32u;
// Runs side by side in a workgroup, and one after the other.
override PACK: u32 = 1u;
override ITEMS: u32 = 1u;
override STRIPS: u32 = 4u;
override ROWS_PER_STRIP: u32 = 9u;
// Zero cells before the first segment, on rows and columns, and between segments.
override MARGIN_ROWS: u32 = 1u;
override MARGIN_COLS: u32 = 1u;
override GAP_COLS: u32 = 1u;
override LAST_ROW: u32 = 33u;
// Whether windows wrap within the cells.
override WRAP_ROWS: bool = false;
override WRAP_COLS: bool = false;
override CIRCULAR: bool = false;
override ROW_RUNS: u32 = 32u;
override COL_RUNS: u32 = 32u;
override LAYERS: u32 = 1u;
override CHANNELS: u32 = 3u;
// Words of a copy's maps, in pairs.
override COPY_PAIRS: u32 = 1u;
override NTK: bool = true;

override THREADS: u32 = ACROSS * PACK * STRIPS;
override CELLS: u32 = ROWS * COLS * PACK;
override NTK_CELLS: u32 = select(1u, CELLS, NTK);
override PARTS: u32 = (ROW_RUNS * COL_RUNS + PACK * ITEMS - 1u) / (PACK * ITEMS);

struct Level {
    // The convolution that leads to this level.
    window: vec2<i32>,
    before: vec2<i32>,
    // Positions of this level.
    extent: vec2<i32>,
    // Where its maps begin in a copy, in pairs.
    map: u32,
    // kinked: the exponent of the bias; smooth: the bits of what `dual` returns where the expectation does not exist.
    exponent: i32,
    numbers: vec4<f32>,
    more: vec4<f32>,
}

@group(0) @binding(0) var<storage, read> lanes: array<vec4<u32>>;
// Per copy: one pair for each level; the pixels, channel by channel; one pair for each level and position.
@group(0) @binding(1) var<storage, read> first_maps: array<vec2<i32>>;
@group(0) @binding(2) var<storage, read> second_maps: array<vec2<i32>>;
@group(1) @binding(0) var<storage, read> levels: array<Level>;
// Runs of the rows, then of the columns.
@group(1) @binding(1) var<storage, read> runs: array<array<Segment, 2>>;
// For each part of a lane: two sums, the exponent of their unit, the number of elements added.
@group(1) @binding(2) var<storage, read_write> results: array<vec4<u32>>;
// The first part of this dispatch and the end, counted over all parts of all lanes.
@group(1) @binding(3) var<uniform> job: vec4<u32>;

// Cell columns of a window's taps.
struct Columns {
    at: array<u32, REACH>,
}

// Cell rows of one invocation.
struct Strip {
    first: i32,
    end: i32,
}

// First cell of a row. A row that no counted window reaches is replaced by one that exists.
fn row_start(row: i32) -> u32 {
    if (WRAP_ROWS) {
        return u32(modulo(row, i32(ROWS))) * (COLS * PACK);
    }
    return u32(clamp(row, 0, i32(ROWS) - 1)) * (COLS * PACK);
}

fn columns_of(cell: i32, pack: u32, level: u32) -> Columns {
    var columns: Columns;
    let left = levels[level].before.y;
    for (var x = 0; x < REACH; x++) {
        let column = cell + x - left;
        let inside = select(clamp(column, 0, i32(COLS) - 1), modulo(column, i32(COLS)), WRAP_COLS);
        columns.at[x] = pack * COLS + u32(inside);
    }
    return columns;
}

// K⁰ of two pixels.
fn correlate(lane: vec4<u32>, row: Position, col: Position) -> Sums {
    let width = levels[0].extent.y;
    let first = lane.x * COPY_PAIRS + levels[0].map + u32(row.first * width + col.first) * CHANNELS;
    let second = lane.y * COPY_PAIRS + levels[0].map + u32(row.second * width + col.second) * CHANNELS;
    var sums = nothing();
    for (var c = 0u; c < CHANNELS; c++) {
        sums = plus(sums, pixels(first_maps[first + c], second_maps[second + c]));
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
    let pack = local.x / ACROSS;
    let strip_first = MARGIN_ROWS + local.y * ROWS_PER_STRIP;
    let strip = Strip(i32(strip_first), i32(min(strip_first + ROWS_PER_STRIP, LAST_ROW)));

    var sum = vec2<f32>(0.0);
    var count = 0u;
    for (var item = 0u; item < ITEMS; item++) {
        let number = ((group % PARTS) * ITEMS + item) * PACK + pack;
        let exists = number < ROW_RUNS * COL_RUNS;
        let rows = runs[min(number / COL_RUNS, ROW_RUNS - 1u)];
        let cols = runs[ROW_RUNS + number % COL_RUNS];
        var cell = i32(MARGIN_COLS + local.x % ACROSS);
        cell += select(0, i32(GAP_COLS), cell >= cols[0].cell + cols[0].cells);
        cell = min(cell, i32(COLS) - 1);

        for (var zero = index; zero < CELLS; zero += THREADS) {
            store(zero, nothing());
        }
        workgroupBarrier();
        let column = position_of(cols, cell, levels[0].extent.y);
        for (var row = strip.first; row < strip.end; row++) {
            let at = position_of(rows, row, levels[0].extent.x);
            if (exists && at.plane >= 0 && column.plane >= 0) {
                store(row_start(row) + pack * COLS + u32(cell), correlate(lane, at, column));
            }
        }
        workgroupBarrier();

        for (var level = 1u; level <= LAYERS; level++) {
            let unit = unit_of(lane, level);
            let extent = levels[level].extent;
            let columns = columns_of(cell, pack, level);
            let col = position_of(cols, cell, extent.y);
            let first_column = lane.x * COPY_PAIRS + levels[level].map + u32(col.first);
            let second_column = lane.y * COPY_PAIRS + levels[level].map + u32(col.second);
            var ring = begin_strip(columns, strip, level);
            var run = vec2<f32>(0.0);
            for (var i = 0u; i < ROWS_PER_STRIP; i++) {
                let row = strip.first + i32(i);
                let window = next_window(&ring, columns, strip, row, level);
                let at = position_of(rows, row, extent.x);
                let here = exists && row < strip.end && at.plane >= 0 && col.plane >= 0;
                var out: Sums;
                if (here) {
                    let a = first_maps[first_column + u32(at.first * extent.y)];
                    let b = second_maps[second_column + u32(at.second * extent.y)];
                    out = behind(window, a, b, unit, level);
                }
                if (level < LAYERS) {
                    workgroupBarrier();
                    if (here) {
                        store(row_start(row) + pack * COLS + u32(cell), out);
                    }
                } else if (here && at.answers && col.answers) {
                    run += answer(out);
                    count++;
                }
            }
            sum += run;
            workgroupBarrier();
        }
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
