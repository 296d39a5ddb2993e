//! Nodes and edges.

use crate::{Domain, Input, Layer, error::Place};

/// Where a layer reads from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The network's input.
    Input,
    /// The output of `network.nodes()[i]`.
    Node(usize),
}

/// One layer in its place in the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The layer.
    pub layer: Layer,
    /// What it reads; more than one where branches join.
    pub inputs: Vec<Source>,
    /// The domain of its output.
    pub domain: Domain,
    /// Number of output features per position, where known (read by the standard parameterisation).
    pub features: Option<usize>,
    /// Number of input features N_in, where known.
    pub features_in: Option<usize>,
    /// Whether the output is a Gaussian process.
    pub gaussian: bool,
    /// Position, op and name, for messages.
    pub place: Place,
}

/// A layer as written: its name and the names it reads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) layer: Layer,
    pub(crate) name: Option<String>,
    pub(crate) inputs: Option<Vec<String>>,
}

/// An architecture: a checked DAG of layers from one input to one vector output.
///
/// Made from an architecture file (`text.parse::<Network>()`) or by [`Network::builder`]; [`Network::to_toml`] writes
/// the file back.
///
/// ```
/// use ekernel_core::{Activation, Conv, Dense, GlobalPool, Input, Network};
///
/// let network = Network::builder(Input::Image { height: 32, width: 32, channels: 3 })
///     .layer(Conv::new([3, 3]))
///     .layer(Activation::Relu)
///     .layer(GlobalPool::mean())
///     .layer(Dense::new())
///     .build()?;
/// assert_eq!(network.to_toml().parse::<Network>()?, network);
/// # Ok::<(), ekernel_core::ArchError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub(super) input: Input,
    pub(super) entries: Vec<Entry>,
    pub(super) nodes: Vec<Node>,
}

impl Network {
    /// What the network reads.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// The layers, each after those it reads; the last one is the output.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The last layer.
    pub fn output(&self) -> Source {
        Source::Node(self.nodes.len() - 1)
    }

    /// The domain at a source.
    pub fn domain(&self, source: Source) -> Domain {
        match source {
            Source::Input => self.input.domain(),
            Source::Node(i) => self.nodes[i].domain,
        }
    }

    /// The place of a source, for messages.
    pub fn place(&self, source: Source) -> Place {
        match source {
            Source::Input => input_place(),
            Source::Node(i) => self.nodes[i].place.clone(),
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// The place of a network's input.
pub(super) fn input_place() -> Place {
    Place { index: 0, op: "input".into(), name: Some("input".into()) }
}
