//! From a list of entries to a checked DAG.

use super::{Entry, Network, Node, Source, gaussian, input_place};
use crate::{
    ArchError, Domain, Input, PerAtom,
    error::{Place, nearest},
    layers::{Incoming, Layer, Parameterization},
};

/// Networks are walked through from the last layer to the first, a call for each, which a thread's stack must hold.
const MOST_LAYERS: usize = 1450;

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
        if entries.len() > MOST_LAYERS {
            return Err(ArchError::TooManyLayers { found: entries.len(), most: MOST_LAYERS });
        }
        let places: Vec<Place> = entries
            .iter()
            .enumerate()
            .map(|(i, e)| Place { index: i + 1, op: e.layer.name().into(), name: e.name.clone() })
            .collect();
        let reads = resolve(&entries, &places)?;
        let order = sorted(&reads, &places)?;
        unread(&reads, last, &places)?;
        // Entries are renumbered into an order in which each follows what it reads; the last entry stays last because
        // nothing reads it and everything leads to it.
        let mut position = vec![0; entries.len()];
        for (new, &old) in order.iter().enumerate() {
            position[old] = new;
        }
        let mut network = Network { input, entries: Vec::new(), nodes: Vec::new() };
        for &old in &order {
            let inputs: Vec<Source> = reads[old]
                .iter()
                .map(|source| match source {
                    Source::Input => Source::Input,
                    Source::Node(i) => Source::Node(position[*i]),
                })
                .collect();
            let node = checked(&network, entries[old].layer.clone(), inputs, places[old].clone())?;
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

/// What each entry reads, as positions of entries.
fn resolve(entries: &[Entry], places: &[Place]) -> Result<Vec<Vec<Source>>, ArchError> {
    for (i, entry) in entries.iter().enumerate().filter(|(_, e)| e.name.is_some()) {
        if let Some(other) = entries[..i].iter().position(|e| e.name == entry.name) {
            return Err(ArchError::DuplicateName {
                place: places[i].clone(),
                name: entry.name.clone().unwrap_or_default(),
                other: places[other].clone(),
            });
        }
    }
    let names = || std::iter::once("input").chain(entries.iter().filter_map(|e| e.name.as_deref()));
    let find = |i: usize, name: &String| {
        if name == "input" {
            return Ok(Source::Input);
        }
        entries.iter().position(|e| e.name.as_ref() == Some(name)).map(Source::Node).ok_or_else(|| {
            ArchError::UnknownInput {
                place: places[i].clone(),
                input: name.clone(),
                nearest: nearest(name, names()),
                known: names().collect::<Vec<_>>().join(", "),
            }
        })
    };
    let mut reads = Vec::with_capacity(entries.len());
    for (i, entry) in entries.iter().enumerate() {
        reads.push(match &entry.inputs {
            None => vec![i.checked_sub(1).map_or(Source::Input, Source::Node)],
            Some(names) => names.iter().map(|name| find(i, name)).collect::<Result<_, _>>()?,
        });
        let (found, is_sum) = (reads[i].len(), matches!(entry.layer, Layer::Sum));
        if found == 0 || (is_sum && found < 2) || (!is_sum && found > 1) {
            let needs = if is_sum { "at least 2 (inputs = [\"a\", \"b\"])" } else { "exactly 1" };
            return Err(ArchError::InputCount { place: places[i].clone(), needs, found });
        }
    }
    Ok(reads)
}

/// The entries in an order in which each follows what it reads (file order where that is free).
fn sorted(reads: &[Vec<Source>], places: &[Place]) -> Result<Vec<usize>, ArchError> {
    let ready = |i: usize, done: &[bool]| {
        reads[i].iter().all(|source| match source {
            Source::Input => true,
            Source::Node(j) => done[*j],
        })
    };
    let mut done = vec![false; reads.len()];
    let mut order = Vec::with_capacity(reads.len());
    while order.len() < reads.len() {
        match (0..reads.len()).find(|&i| !done[i] && ready(i, &done)) {
            Some(i) => {
                done[i] = true;
                order.push(i);
            }
            None => return Err(ArchError::Cycle { path: cycle(reads, &done, places) }),
        }
    }
    Ok(order)
}

/// The layers of one cycle among those not done: from any of them, walk to an input that is not done until one repeats.
fn cycle(reads: &[Vec<Source>], done: &[bool], places: &[Place]) -> String {
    let blocked = |i: usize| {
        reads[i].iter().find_map(|source| match source {
            Source::Node(j) if !done[*j] => Some(*j),
            _ => None,
        })
    };
    let mut path: Vec<usize> = done.iter().position(|d| !d).into_iter().collect();
    while let Some(next) = path.last().and_then(|&i| blocked(i)) {
        if let Some(start) = path.iter().position(|&i| i == next) {
            path.drain(..start);
            path.push(next);
            break;
        }
        path.push(next);
    }
    path.reverse();
    path.iter().map(|&i| places[i].to_string()).collect::<Vec<_>>().join(" → ")
}

fn unread(reads: &[Vec<Source>], last: usize, places: &[Place]) -> Result<(), ArchError> {
    match (0..last).find(|&i| !reads.iter().flatten().any(|source| *source == Source::Node(i))) {
        None if reads.iter().flatten().any(|source| *source == Source::Node(last)) => {
            Err(ArchError::Unread { place: places[last].clone() })
        }
        None => Ok(()),
        Some(i) => Err(ArchError::Unread { place: places[i].clone() }),
    }
}

/// One node, checked against the nodes before it.
fn checked(network: &Network, layer: Layer, inputs: Vec<Source>, place: Place) -> Result<Node, ArchError> {
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
    let known = |source: &Source| match source {
        Source::Input => Some(network.input.channels()),
        Source::Node(i) => network.nodes[*i].features,
    };
    let features_in = known(&inputs[0]);
    let features = match &layer {
        Layer::Flatten => features_in.map(|n| n * network.domain(inputs[0]).positions()),
        Layer::Sum => inputs.iter().map(known).reduce(|a, b| a.filter(|_| a == b)).flatten(),
        _ => match layer.weights() {
            Some(weights) => weights.width,
            None => features_in,
        },
    };
    let standard = layer.weights().is_some_and(|w| w.parameterization == Parameterization::Standard);
    if standard && features_in.is_none() {
        return Err(ArchError::WidthMissing { place, source_place: weighted_before(network, inputs[0]) });
    }
    let gaussian = gaussian::depends_on(network, &layer, &inputs, &place)?;
    Ok(Node { layer, inputs, domain, features, features_in, gaussian, place })
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
