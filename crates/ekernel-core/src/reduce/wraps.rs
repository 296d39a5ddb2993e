//! How the offsets of each layer can be counted: plain, modulo the extent, or both.

use crate::{Layer, Network, Padding, Source, Window};

/// How a node's offsets can be counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wrap {
    /// Plain or modulo the extent, at will.
    Free,
    /// Modulo the extent.
    Cyclic,
    /// Plain.
    Plain,
}

/// [`Wrap`] of every node.
pub(super) struct Wraps(Vec<Wrap>);

impl Wraps {
    pub(super) fn new(network: &Network) -> Wraps {
        let mut wraps = Wraps(Vec::with_capacity(network.nodes().len()));
        for node in network.nodes() {
            let first = wraps.at(node.inputs[0]);
            let extent = network.domain(node.inputs[0]).extent();
            let wrap = match window(&node.layer).zip(extent) {
                None => node.inputs.iter().fold(Wrap::Free, |all, input| match (all, wraps.at(*input)) {
                    (Wrap::Plain, _) | (_, Wrap::Plain) => Wrap::Plain,
                    (Wrap::Cyclic, _) | (_, Wrap::Cyclic) => Wrap::Cyclic,
                    (Wrap::Free, Wrap::Free) => Wrap::Free,
                }),
                Some((window, extent)) if !divides(window, extent) => Wrap::Plain,
                Some((window, _)) if window.padding == Padding::Circular => Wrap::Cyclic,
                // A pool takes its taps from the planes as they come.
                Some(_) if matches!(node.layer, Layer::Pool(_)) => first,
                Some(_) => Wrap::Plain,
            };
            wraps.0.push(wrap);
        }
        wraps
    }

    pub(super) fn at(&self, source: Source) -> Wrap {
        match source {
            Source::Input => Wrap::Free,
            Source::Node(i) => self.0[i],
        }
    }
}

/// Whether output offsets D modulo the output extent are input offsets s·D modulo the input extent.
pub(super) fn divides(window: &Window, extent: [usize; 2]) -> bool {
    let output = window.output(extent);
    (0..2).all(|axis| output[axis] * window.strides[axis] == extent[axis])
}

/// The window of a layer that looks at more than one position.
pub(super) fn window(layer: &Layer) -> Option<&Window> {
    layer.window().filter(|window| window.size != [1, 1] || window.strides != [1, 1])
}
