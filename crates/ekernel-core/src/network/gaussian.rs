//! Which nodes are Gaussian processes, and on whose weights they depend linearly.
//!
//! A weighted layer's output is Gaussian in the limit, linear in its own weights. Sums add kernels only where the
//! branches are independent, that is where these sets are disjoint: x + layer_norm(x) is not covered.

use std::collections::BTreeSet;

use super::{Network, Source};
use crate::{ArchError, error::Place, layers::Layer};

/// The set of weighted layers on which the new node depends linearly; `None` if it is not Gaussian.
pub(super) fn depends_on(
    network: &Network,
    layer: &Layer,
    inputs: &[Source],
    place: &Place,
) -> Result<Option<BTreeSet<usize>>, ArchError> {
    if layer.weights().is_some() {
        return Ok(Some(BTreeSet::from([network.nodes.len()])));
    }
    if layer.needs_gaussian() {
        for &source in inputs {
            if set(network, source).is_none() {
                return Err(ArchError::NotGaussian {
                    place: place.clone(),
                    source_place: network.place(source),
                    why: why_not(network, source),
                });
            }
        }
    }
    if layer.destroys_gaussian().is_some() {
        return Ok(None);
    }
    let Some(mut all) = set(network, inputs[0]).cloned() else { return Ok(None) };
    for (i, &source) in inputs.iter().enumerate().skip(1) {
        for &weighted in set(network, source).into_iter().flatten() {
            if !all.insert(weighted) {
                let first =
                    inputs[..i].iter().find(|s| set(network, **s).is_some_and(|x| x.contains(&weighted)));
                return Err(ArchError::SharedWeights {
                    place: place.clone(),
                    first_place: network.place(*first.unwrap_or(&inputs[0])),
                    second_place: network.place(source),
                    shared: network.place(Source::Node(weighted)),
                });
            }
        }
    }
    Ok(Some(all))
}

fn set(network: &Network, source: Source) -> Option<&BTreeSet<usize>> {
    match source {
        Source::Input => None,
        Source::Node(i) => network.nodes[i].gaussian.as_ref(),
    }
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
