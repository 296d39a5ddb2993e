//! Which nodes are Gaussian processes, and which of them depend on the same weights.
//!
//! A weighted layer's output is Gaussian in the limit, linear in its own weights. Sums add kernels only where the
//! branches are independent, that is where they depend linearly on weights of different layers: x + layer_norm(x) is not
//! covered.

use std::collections::BTreeSet;

use super::graph::{Network, Source};
use crate::{ArchError, Layer, error::Place};

/// Which nodes hang together through layers that are linear in the weights upstream: a node and its inputs share a region
/// unless it has weights of its own or ends Gaussianity. Nodes of different regions depend on different weights, which is
/// known without a walk; a tower of sums stays linear in its height.
#[derive(Default)]
pub(super) struct Regions {
    /// A node of the same region, itself where it stands for the region.
    parent: Vec<usize>,
}

impl Regions {
    /// Adds the next node; says whether it is Gaussian.
    pub(super) fn add(
        &mut self,
        network: &Network,
        layer: &Layer,
        inputs: &[Source],
        place: &Place,
    ) -> Result<bool, ArchError> {
        let node = self.parent.len();
        self.parent.push(node);
        if layer.weights().is_some() {
            return Ok(true);
        }
        if layer.needs_gaussian()
            && let Some(&source) = inputs.iter().find(|source| !is_gaussian(network, **source))
        {
            return Err(ArchError::NotGaussian {
                place: place.clone(),
                source_place: network.place(source),
                why: why_not(network, source),
            });
        }
        if layer.destroys_gaussian().is_some() || !is_gaussian(network, inputs[0]) {
            return Ok(false);
        }
        let mut apart = true;
        for source in inputs {
            if let Source::Node(i) = source {
                let (region, own) = (self.region(*i), self.region(node));
                apart &= region != own;
                self.parent[own] = region;
            }
        }
        if !apart {
            independent(network, inputs, place)?;
        }
        Ok(true)
    }

    fn region(&mut self, mut node: usize) -> usize {
        while self.parent[node] != node {
            self.parent[node] = self.parent[self.parent[node]];
            node = self.parent[node];
        }
        node
    }
}

fn is_gaussian(network: &Network, source: Source) -> bool {
    match source {
        Source::Input => false,
        Source::Node(i) => network.nodes[i].gaussian,
    }
}

/// Refuses branches that depend linearly on the same weights.
fn independent(network: &Network, inputs: &[Source], place: &Place) -> Result<(), ArchError> {
    let mut earlier: Vec<BTreeSet<usize>> = Vec::new();
    for &source in inputs {
        let weighted = weighted(network, source);
        for &shared in &weighted {
            if let Some(first) = earlier.iter().position(|set| set.contains(&shared)) {
                return Err(ArchError::SharedWeights {
                    place: place.clone(),
                    first_place: network.place(inputs[first]),
                    second_place: network.place(source),
                    shared: network.place(Source::Node(shared)),
                });
            }
        }
        earlier.push(weighted);
    }
    Ok(())
}

/// The weighted layers on which a Gaussian source depends linearly.
fn weighted(network: &Network, source: Source) -> BTreeSet<usize> {
    let (mut found, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![source]);
    while let Some(source) = open.pop() {
        let Source::Node(i) = source else { continue };
        if !seen.insert(i) {
            continue;
        }
        if network.nodes[i].layer.weights().is_some() {
            found.insert(i);
        } else {
            open.extend(&network.nodes[i].inputs);
        }
    }
    found
}

fn why_not(network: &Network, mut source: Source) -> String {
    loop {
        match source {
            Source::Input => return "the data are given, not random".to_owned(),
            Source::Node(i) => match network.nodes[i].layer.destroys_gaussian() {
                Some(why) => return why.to_owned(),
                None => source = network.nodes[i].inputs[0],
            },
        }
    }
}
