//! Where planes lie, and how those of a stage add up.

use ekernel_core::{
    Padding, Window,
    plan::{Plan, PlaneNode, Sink},
};

/// The plane offset of an op when the sink's offset is D.
pub(super) fn offset(op: &PlaneNode, sink: [isize; 2]) -> [isize; 2] {
    [0, 1].map(|axis| {
        let d = sink[axis] * op.at.step[axis] as isize;
        if op.at.cyclic { d.rem_euclid(op.at.extent[axis] as isize) } else { d }
    })
}

/// What the sum over all planes of a readout stage is multiplied by.
pub(super) fn scale(plan: &Plan, stage: usize) -> f64 {
    let node = &plan.stages[stage];
    let positions = node.last().at.positions() as f64;
    match node.sink {
        Sink::Mean { scale } => scale / (positions * positions),
        _ => positions.recip(),
    }
}

/// How a stage's planes add up to coarser ones: the window, and (1/|w|²)·scale. A rewrap is a window of one position.
pub(super) fn gather(plan: &Plan, source: usize) -> (Window, f64) {
    let one = Window { size: [1, 1], strides: [1, 1], padding: Padding::Valid };
    match plan.stages[source].sink {
        Sink::LocalPool { window, scale } => (window, scale / (window.area() as f64 * window.area() as f64)),
        Sink::Rewrap | Sink::Mean { .. } | Sink::Diagonal => (one, 1.0),
    }
}
