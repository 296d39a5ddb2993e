// How planes lie in workgroup memory. On each axis a run of cells holds one or two segments: the plane of an offset d, or a
// piece of it with what its windows reach. Offsets d and d − n share a run, because together they have n positions at
// the end of the chain, so that every workgroup has the same work. Cells between segments stay zero.

struct Segment {
    // Cells of the run.
    cell: i32,
    cells: i32,
    // The plane's position, counted from where the plane begins, of the first cell.
    begin: i32,
    offset: i32,
    // Positions behind the chain that this segment computes.
    begins: i32,
    ends: i32,
    spare: vec2<i32>,
}

// A cell's position in the plane, in the first and in the second image; −1 if it has none at this level.
struct Position {
    plane: i32,
    first: i32,
    second: i32,
    answers: bool,
}

fn modulo(a: i32, n: i32) -> i32 {
    return ((a % n) + n) % n;
}

fn position_in(segment: Segment, cell: i32, extent: i32) -> Position {
    let at = segment.begin + cell - segment.cell;
    if (CIRCULAR) {
        let here = cell >= segment.cell && cell < segment.cell + segment.cells;
        let answers = here && at >= segment.begins && at < segment.ends;
        return Position(
            select(-1, modulo(at, extent), here),
            modulo(at, extent),
            modulo(at + segment.offset, extent),
            answers,
        );
    }
    let here = cell >= segment.cell && cell < segment.cell + segment.cells && at < extent - abs(segment.offset);
    let answers = here && at >= segment.begins && at < segment.ends;
    return Position(
        select(-1, at, here),
        at + max(-segment.offset, 0),
        at + max(segment.offset, 0),
        answers,
    );
}

// The one of the run's two segments that holds the cell.
fn position_of(segments: array<Segment, 2>, cell: i32, extent: i32) -> Position {
    if (cell < segments[1].cell) {
        return position_in(segments[0], cell, extent);
    }
    return position_in(segments[1], cell, extent);
}
