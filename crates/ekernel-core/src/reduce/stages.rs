//! Cuts a network into stages: for a sink, everything upstream that keeps offsets apart.
//!
//! A node may be needed on planes of several steps (below different strides) and with plain or cyclic offsets; each of
//! these is its own op. A circular window reads and, where its stride divides the extent, gives cyclic planes; all else gives
//! plain ones. Plain planes that a circular window reads are regrouped by a stage of their own ([`Sink::Rewrap`]).

use super::{input_extent, pointwise};
use crate::{
    Network, Padding, PoolKind, Source, Window,
    layers::Layer,
    plan::{Form, Op, Plan, PlaneOp, Sink, Stage},
};

/// Appends the stage that ends in `sink` on the planes of `source`, after the stages it reads; returns its index.
pub(super) fn chain(network: &Network, source: Source, sink: Sink, plan: &mut Plan) -> usize {
    let cyclic = match sink {
        Sink::LocalPool { window, .. } if window.padding == Padding::Circular => true,
        Sink::Rewrap => false,
        _ => wrap(network, source) == Wrap::Cyclic,
    };
    let mut builder = StageBuilder { network, plan, ops: Vec::new(), made: Vec::new() };
    builder.op(Key { source, step: [1, 1], cyclic });
    let StageBuilder { ops, .. } = builder;
    let extent = ops.last().map_or([1, 1], |op| op.extent);
    let output = match &sink {
        Sink::Mean { .. } | Sink::Diagonal => [1, 1],
        Sink::LocalPool { window, .. } => window.output(extent),
        Sink::Rewrap => extent,
    };
    let output_cyclic = match &sink {
        Sink::LocalPool { window, .. } => cyclic && divides(window, extent),
        Sink::Rewrap => true,
        Sink::Mean { .. } | Sink::Diagonal => false,
    };
    plan.stages.push(Stage { ops, sink, output, output_cyclic, offsets: [vec![], vec![]] });
    plan.stages.len() - 1
}

/// How a node's offsets can be counted.
#[derive(Clone, Copy, PartialEq)]
enum Wrap {
    /// Plain or modulo the extent, at will.
    Free,
    /// Modulo the extent.
    Cyclic,
    /// Plain.
    Plain,
}

fn wrap(network: &Network, source: Source) -> Wrap {
    let Source::Node(i) = source else { return Wrap::Free };
    let node = &network.nodes()[i];
    let extent = network.domain(node.inputs[0]).extent().unwrap_or([1, 1]);
    match window(&node.layer) {
        None => node.inputs.iter().map(|input| wrap(network, *input)).fold(Wrap::Free, |a, b| match (a, b) {
            (Wrap::Plain, _) | (_, Wrap::Plain) => Wrap::Plain,
            (Wrap::Cyclic, _) | (_, Wrap::Cyclic) => Wrap::Cyclic,
            (Wrap::Free, Wrap::Free) => Wrap::Free,
        }),
        Some(window) if window.padding == Padding::Circular && divides(window, extent) => Wrap::Cyclic,
        Some(window) if is_pool(&node.layer) && divides(window, extent) => wrap(network, node.inputs[0]),
        Some(_) => Wrap::Plain,
    }
}

/// Whether output offsets D modulo the output extent are input offsets s·D modulo the input extent.
fn divides(window: &Window, extent: [usize; 2]) -> bool {
    let output = window.output(extent);
    (0..2).all(|axis| output[axis] * window.strides[axis] == extent[axis])
}

/// The window of a layer that looks at more than one position.
fn window(layer: &Layer) -> Option<&Window> {
    let window = match layer {
        Layer::Conv(conv) => &conv.window,
        Layer::Lift(lift) => &lift.window,
        Layer::GroupConv(conv) => &conv.window,
        Layer::Pool(pool) => &pool.window,
        _ => return None,
    };
    (window.size != [1, 1] || window.strides != [1, 1]).then_some(window)
}

fn is_pool(layer: &Layer) -> bool {
    matches!(layer, Layer::Pool(_))
}

/// What identifies an op of a stage.
#[derive(Clone, Copy, PartialEq)]
struct Key {
    source: Source,
    step: [usize; 2],
    cyclic: bool,
}

struct StageBuilder<'a> {
    network: &'a Network,
    plan: &'a mut Plan,
    ops: Vec<PlaneOp>,
    made: Vec<(Key, usize)>,
}

impl StageBuilder<'_> {
    /// The op that gives the planes of a source, with the wrapping asked for or, where a plain reader meets cyclic
    /// planes, the planes as they are (the reader takes its part of them).
    fn op(&mut self, wanted: Key) -> usize {
        let natural = wrap(self.network, wanted.source);
        let key = Key { cyclic: wanted.cyclic || natural == Wrap::Cyclic, ..wanted };
        if let Some((_, op)) = self.made.iter().find(|(made, _)| *made == key) {
            return *op;
        }
        let op = if key.cyclic && natural == Wrap::Plain {
            let stage = chain(self.network, key.source, Sink::Rewrap, self.plan);
            self.push(Op::Pooled(stage), vec![], key, "rewrap")
        } else {
            match key.source {
                Source::Input => {
                    let extent = input_extent(self.network.input());
                    self.push_at(Op::Correlate, vec![], extent, key, "input")
                }
                Source::Node(i) => self.node(i, key),
            }
        };
        self.made.push((key, op));
        op
    }

    fn node(&mut self, i: usize, key: Key) -> usize {
        let node = &self.network.nodes()[i];
        let label = node.place.op.as_str();
        if let (Layer::Pool(pool), Some(_)) = (&node.layer, window(&node.layer)) {
            let scale = match pool.kind {
                PoolKind::Mean => 1.0,
                PoolKind::Sum => (pool.window.area() * pool.window.area()) as f64,
            };
            let sink = Sink::LocalPool { window: pool.window, scale };
            let stage = chain(self.network, node.inputs[0], sink, self.plan);
            return self.push(Op::Pooled(stage), vec![], key, label);
        }
        let inputs: Vec<usize> = match window(&node.layer) {
            None => node.inputs.iter().map(|&source| self.op(Key { source, ..key })).collect(),
            Some(window) => {
                let step = [key.step[0] * window.strides[0], key.step[1] * window.strides[1]];
                let cyclic = window.padding == Padding::Circular;
                let input = self.op(Key { source: node.inputs[0], step, cyclic });
                vec![self.push(Op::BoxMean(*window), vec![input], key, label)]
            }
        };
        match pointwise(node) {
            None => inputs[0],
            Some(op) => self.push(op, inputs, key, label),
        }
    }

    fn push(&mut self, op: Op, inputs: Vec<usize>, key: Key, label: &str) -> usize {
        let extent = self.network.domain(key.source).extent().unwrap_or([1, 1]);
        self.push_at(op, inputs, extent, key, label)
    }

    fn push_at(&mut self, op: Op, inputs: Vec<usize>, extent: [usize; 2], key: Key, label: &str) -> usize {
        self.ops.push(PlaneOp {
            op,
            inputs,
            extent,
            step: key.step,
            cyclic: key.cyclic,
            form: Form::Cov,
            label: label.to_owned(),
        });
        self.ops.len() - 1
    }
}
