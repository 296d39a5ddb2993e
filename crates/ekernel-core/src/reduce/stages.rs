//! Cuts a network into stages: for a sink, everything upstream that keeps offsets apart.
//!
//! A node may be needed on planes of several steps (below different strides) and with plain or cyclic offsets; each of
//! these is its own op. A circular window reads and, where its stride divides the extent, gives cyclic planes; all else gives
//! plain ones. Plain planes that a circular window reads are regrouped by a stage of their own ([`Sink::Rewrap`]).

use std::collections::HashMap;

use super::{
    limits::at_most,
    order::Make,
    pointwise::pointwise,
    wraps::{Wrap, Wraps, divides, window},
};
use crate::{
    ArchError, Layer, Network, Padding, Pool, PoolKind, Source, Window,
    plan::{Form, Graph, Node, Plan, PlaneOp, Planes, Sink, Stage},
};

/// Appends the stage that ends in a readout of `source`, after the stages it reads; returns its index.
pub(super) fn readout(
    network: &Network,
    wraps: &Wraps,
    source: Source,
    sink: Sink,
    (plan, laid_out): (&mut Plan, &mut usize),
) -> Result<usize, ArchError> {
    let cyclic = wraps.at(source) == Wrap::Cyclic;
    StageBuilder::stage(network, wraps, 0, (plan, laid_out), (source, cyclic), sink)
}

/// What identifies an op of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    source: Source,
    step: [usize; 2],
    cyclic: bool,
}

/// Where an op's values come from.
enum Origin<'a> {
    Input,
    /// The planes of a stage of its own, which regroups plain ones.
    Rewrap,
    /// Those of a local pool.
    Pool(&'a Pool),
    /// A window over the op of this key.
    Window(&'a Window, Key),
    /// The ops of these keys, position by position.
    Positions(Vec<Key>),
}

struct StageBuilder<'a> {
    network: &'a Network,
    wraps: &'a Wraps,
    /// Local pools and regroupings between this stage and its readout.
    nested: usize,
    plan: &'a mut Plan,
    /// Ops of all stages of the plan.
    laid_out: &'a mut usize,
    ops: Graph<PlaneOp, Planes>,
    made: HashMap<Key, usize>,
}

impl Make for StageBuilder<'_> {
    type Key = Key;

    fn is_made(&self, key: Key) -> bool {
        self.made.contains_key(&key)
    }

    fn needs(&self, key: Key) -> Vec<Key> {
        match self.origin(key) {
            Origin::Input | Origin::Rewrap | Origin::Pool(_) => vec![],
            Origin::Window(_, input) => vec![input],
            Origin::Positions(inputs) => inputs,
        }
    }

    fn make(&mut self, key: Key) -> Result<(), ArchError> {
        let (inputs, label) = match self.origin(key) {
            Origin::Input => (vec![self.push(PlaneOp::Correlate, vec![], key, "input")], ""),
            Origin::Rewrap => {
                let stage = self.earlier((key.source, false), Sink::Rewrap)?;
                (vec![self.push(PlaneOp::Pooled(stage), vec![], key, "rewrap")], "")
            }
            Origin::Pool(pool) => {
                let (below, label) = self.node(key.source);
                let area = pool.window.area() as f64;
                let scale = match pool.kind {
                    PoolKind::Mean => 1.0,
                    PoolKind::Sum => area * area,
                };
                // Offsets that can be counted at will follow the reader; a circular window wants them modulo the extent.
                let cyclic = match self.wraps.at(below) {
                    Wrap::Cyclic => true,
                    Wrap::Free => key.cyclic || pool.window.padding == Padding::Circular,
                    Wrap::Plain => pool.window.padding == Padding::Circular,
                };
                let stage = self.earlier((below, cyclic), Sink::LocalPool { window: pool.window, scale })?;
                (vec![self.push(PlaneOp::Pooled(stage), vec![], key, label)], "")
            }
            Origin::Window(window, input) => {
                let (_, label) = self.node(key.source);
                (vec![self.push(PlaneOp::BoxMean(*window), vec![self.made[&input]], key, label)], label)
            }
            Origin::Positions(inputs) => {
                (inputs.iter().map(|input| self.made[input]).collect(), self.node(key.source).1)
            }
        };
        let op = match key.source {
            Source::Node(i) if !label.is_empty() => match pointwise(&self.network.nodes()[i]) {
                None => inputs[0],
                Some(op) => self.push(PlaneOp::Pointwise(op), inputs, key, label),
            },
            _ => inputs[0],
        };
        self.made.insert(key, op);
        Ok(())
    }
}

impl<'a> StageBuilder<'a> {
    /// Appends the stage that ends in `sink` on the planes of `source`, cyclic ones or plain.
    fn stage(
        network: &'a Network,
        wraps: &'a Wraps,
        nested: usize,
        (plan, laid_out): (&'a mut Plan, &'a mut usize),
        (source, cyclic): (Source, bool),
        sink: Sink,
    ) -> Result<usize, ArchError> {
        at_most("local pools one behind the other", nested as u64, Plan::MOST_NESTED as u64)?;
        at_most("ops of a plan", *laid_out as u64, Plan::MOST_OPS as u64)?;
        let mut builder = StageBuilder {
            network,
            wraps,
            nested,
            plan,
            laid_out,
            ops: Graph::default(),
            made: HashMap::new(),
        };
        let root = builder.key(source, [1, 1], cyclic);
        builder.make_all(root)?;
        let StageBuilder { ops, plan, .. } = builder;
        let extent = extent(network, source);
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
        Ok(plan.stages.len() - 1)
    }

    /// A stage that this one reads.
    fn earlier(&mut self, planes: (Source, bool), sink: Sink) -> Result<usize, ArchError> {
        StageBuilder::stage(
            self.network,
            self.wraps,
            self.nested + 1,
            (self.plan, self.laid_out),
            planes,
            sink,
        )
    }

    /// The key of the op that gives the planes of a source, with the wrapping asked for or, where a plain reader meets
    /// cyclic planes, the planes as they are (the reader takes its part of them).
    fn key(&self, source: Source, step: [usize; 2], cyclic: bool) -> Key {
        Key { source, step, cyclic: cyclic || self.wraps.at(source) == Wrap::Cyclic }
    }

    fn origin(&self, key: Key) -> Origin<'a> {
        let network = self.network;
        if key.cyclic && self.wraps.at(key.source) == Wrap::Plain {
            return Origin::Rewrap;
        }
        let Source::Node(i) = key.source else { return Origin::Input };
        let node = &network.nodes()[i];
        match (&node.layer, window(&node.layer)) {
            (Layer::Pool(pool), Some(_)) => Origin::Pool(pool),
            (_, Some(window)) => {
                // Beyond the extent there are no offsets but 0.
                let step =
                    [0, 1].map(|a: usize| (key.step[a].saturating_mul(window.strides[a])).min(Window::MOST));
                Origin::Window(window, self.key(node.inputs[0], step, window.padding == Padding::Circular))
            }
            (_, None) => Origin::Positions(
                node.inputs.iter().map(|&source| self.key(source, key.step, key.cyclic)).collect(),
            ),
        }
    }

    /// What a node reads first, and its label.
    fn node(&self, source: Source) -> (Source, &'a str) {
        let network = self.network;
        let Source::Node(i) = source else { unreachable!("the input reads nothing") };
        let node = &network.nodes()[i];
        (node.inputs[0], node.place.op.as_str())
    }

    fn push(&mut self, op: PlaneOp, inputs: Vec<usize>, key: Key, label: &str) -> usize {
        *self.laid_out += 1;
        let extent = extent(self.network, key.source);
        let at = Planes { extent, step: key.step, cyclic: key.cyclic, form: Form::Cov };
        self.ops.push(Node { op, inputs, at, label: label.to_owned() })
    }
}

fn extent(network: &Network, source: Source) -> [usize; 2] {
    network.domain(source).extent().expect("stages are made of layers on pixels")
}
