//! From a list of entries to a checked DAG.

use super::{
    gaussian::Regions,
    graph::{Entry, Network, Node, Source, input_place},
    order::{resolve, sorted, unread},
};
use crate::{
    ArchError, Domain, Input, PerAtom,
    error::Place,
    layers::{Incoming, Layer, Parameterization},
};

impl Network {
    /// Starts a network on this input.
    pub fn builder(input: Input) -> NetworkBuilder {
        NetworkBuilder::new(input)
    }
}

/// Collects layers; a layer reads the previous one unless [`NetworkBuilder::reads`] names others.
#[derive(Clone, Debug)]
pub struct NetworkBuilder {
    input: Input,
    entries: Vec<Entry>,
}

impl NetworkBuilder {
    /// A network on this input, without layers yet.
    pub fn new(input: Input) -> NetworkBuilder {
        NetworkBuilder { input, entries: Vec::new() }
    }

    /// Appends a layer.
    pub fn layer(self, layer: impl Into<Layer>) -> NetworkBuilder {
        self.entry(layer.into(), None, None)
    }

    /// Appends layers one after the other.
    pub fn serial(self, layers: impl IntoIterator<Item = Layer>) -> NetworkBuilder {
        layers.into_iter().fold(self, NetworkBuilder::layer)
    }

    /// Names the last layer, so that others can read it.
    pub fn named(mut self, name: &str) -> NetworkBuilder {
        if let Some(entry) = self.entries.last_mut() {
            entry.name = Some(name.to_owned());
        }
        self
    }

    /// Lets the last layer read the layers of these names; "input" is the network's input.
    pub fn reads<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> NetworkBuilder {
        if let Some(entry) = self.entries.last_mut() {
            entry.inputs = Some(names.into_iter().map(str::to_owned).collect());
        }
        self
    }

    pub(crate) fn entry(
        mut self,
        layer: Layer,
        name: Option<String>,
        inputs: Option<Vec<String>>,
    ) -> NetworkBuilder {
        self.entries.push(Entry { layer, name, inputs });
        self
    }

    /// Checks every edge and gives the network.
    ///
    /// Errors: see [`ArchError`]; each names the layer, what it found and what it needs.
    pub fn build(self) -> Result<Network, ArchError> {
        let NetworkBuilder { input, entries } = self;
        input.valid(&input_place())?;
        let Some(last) = entries.len().checked_sub(1) else { return Err(ArchError::Empty) };
        let places: Vec<Place> = entries
            .iter()
            .enumerate()
            .map(|(i, e)| Place { index: i + 1, op: e.layer.name().into(), name: e.name.clone() })
            .collect();
        let reads = resolve(&entries, &places)?;
        let order = sorted(&reads, &places)?;
        unread(&reads, &places)?;
        // Entries are renumbered into an order in which each follows what it reads; the last entry stays last because
        // nothing reads it and everything leads to it.
        let mut position = vec![0; entries.len()];
        for (new, &old) in order.iter().enumerate() {
            position[old] = new;
        }
        let mut network = Network { input, entries: Vec::new(), nodes: Vec::new() };
        let mut regions = Regions::default();
        for &old in &order {
            let inputs: Vec<Source> = reads[old]
                .iter()
                .map(|source| match source {
                    Source::Input => Source::Input,
                    Source::Node(i) => Source::Node(position[*i]),
                })
                .collect();
            let node =
                checked(&network, &mut regions, entries[old].layer.clone(), inputs, places[old].clone())?;
            network.nodes.push(node);
        }
        network.entries = entries;
        let domain = network.domain(network.output());
        let readouts = match domain {
            Domain::Vector => return Ok(network),
            Domain::Grid { .. } => "global_avg_pool, global_sum_pool or flatten",
            Domain::GroupGrid { .. } => "group_pool or flatten",
            Domain::Sphere { .. } => "s2_conv and so3_pool, or flatten",
            Domain::Rotations { .. } => "so3_pool",
            Domain::Atoms(PerAtom::Vector) => "atom_sum, which adds up the atoms",
            Domain::Atoms(PerAtom::Sphere { .. }) => {
                "s2_conv, so3_pool and atom_sum, or flatten and atom_sum"
            }
            Domain::Atoms(PerAtom::Rotations { .. }) => "so3_pool and atom_sum",
        };
        Err(ArchError::NoReadout { place: places[last].clone(), domain, readouts })
    }
}

impl Network {
    /// The same network with this number of output features in every weighted layer.
    ///
    /// # Errors
    /// Those of [`NetworkBuilder::build`]: a width beyond [`Weights::MOST_FEATURES`](crate::Weights::MOST_FEATURES), or 0.
    pub fn with_width(&self, width: usize) -> Result<Network, ArchError> {
        let entry = |entry: &Entry| Entry { layer: entry.layer.clone().with_width(width), ..entry.clone() };
        NetworkBuilder { input: self.input.clone(), entries: self.entries.iter().map(entry).collect() }
            .build()
    }

    /// Refuses a network with a layer whose kernel has no closed form.
    ///
    /// # Errors
    /// [`ArchError::NoKernel`].
    pub fn ensure_kernel(&self) -> Result<(), ArchError> {
        match self.nodes.iter().find(|node| matches!(node.layer, Layer::MaxPool(_))) {
            None => Ok(()),
            Some(node) => Err(ArchError::NoKernel { place: node.place.clone() }),
        }
    }
}

/// One node, checked against the nodes before it.
fn checked(
    network: &Network,
    regions: &mut Regions,
    layer: Layer,
    inputs: Vec<Source>,
    place: Place,
) -> Result<Node, ArchError> {
    if let Some(weights) = layer.weights() {
        weights.check(&place)?;
    }
    let source = network.place(inputs[0]);
    let domain =
        layer.output(&Incoming { place: &place, source: &source, domain: network.domain(inputs[0]) })?;
    for other in &inputs[1..] {
        if network.domain(*other) != domain {
            return Err(ArchError::Branches {
                place,
                first_place: source,
                first: domain,
                second_place: network.place(*other),
                second: network.domain(*other),
            });
        }
    }
    let features_in = features(network, &inputs, &place)?;
    let features = match (&layer, layer.weights()) {
        // At most 2²⁷ features at 2³⁶ positions.
        (Layer::Flatten, _) => features_in.map(|n| n * network.domain(inputs[0]).positions()),
        (_, Some(weights)) => weights.width,
        (_, None) => features_in,
    };
    let standard = layer.weights().is_some_and(|w| w.parameterization == Parameterization::Standard);
    if standard && features_in.is_none() {
        return Err(ArchError::WidthMissing { place, source_place: weighted_before(network, inputs[0]) });
    }
    let gaussian = regions.add(network, &layer, &inputs, &place)?;
    Ok(Node { layer, inputs, domain, features, features_in, gaussian, place })
}

/// Number of features of what a layer reads, where known; refuses branches of different numbers.
fn features(network: &Network, inputs: &[Source], place: &Place) -> Result<Option<usize>, ArchError> {
    let known = |source: &Source| match source {
        Source::Input => Some(network.input.channels()),
        Source::Node(i) => network.nodes[*i].features,
    };
    let mut found: Option<(Source, usize)> = None;
    for &source in inputs {
        let Some(second) = known(&source) else { continue };
        match found {
            Some((before, first)) if first != second => {
                return Err(ArchError::Widths {
                    place: place.clone(),
                    first_place: weighted_before(network, before),
                    first,
                    second_place: weighted_before(network, source),
                    second,
                });
            }
            Some(_) => {}
            None => found = Some((source, second)),
        }
    }
    Ok(found.map(|(_, features)| features))
}

/// The closest weighted layer upstream whose width is what a standard layer lacks.
fn weighted_before(network: &Network, mut source: Source) -> Place {
    while let Source::Node(i) = source {
        if network.nodes[i].layer.weights().is_some() {
            break;
        }
        source = network.nodes[i].inputs[0];
    }
    network.place(source)
}
