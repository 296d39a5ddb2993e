//! How many features each layer of a finite network has.

use ekernel_core::{Layer, Network, Source, Weights};

use crate::error::FiniteError;

/// The numbers of features of weighted layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// One number for all hidden layers; each layer's own `width` if `None`.
    pub hidden: Option<usize>,
    /// Features of the last weighted layers; if `None` their own `width`, or 1 where it is absent or `hidden` is given.
    pub outputs: Option<usize>,
}

impl Widths {
    /// One number for all hidden layers, one output.
    pub fn all(width: usize) -> Widths {
        Widths { hidden: Some(width), outputs: None }
    }

    /// One number for all hidden layers, and this many outputs where their number does not change the kernel: where
    /// no normalisation and no more weights read them.
    pub fn with_outputs(network: &Network, width: usize, outputs: usize) -> Widths {
        let outputs = (!Last::of(network).wide).then_some(outputs);
        Widths { hidden: Some(width), outputs }
    }

    /// Each layer's own `width`.
    pub fn own() -> Widths {
        Widths { hidden: None, outputs: None }
    }
}

/// The features of the weighted layers of a network, by node; 0 for other nodes.
pub(crate) fn features(network: &Network, widths: Widths) -> Result<Vec<usize>, FiniteError> {
    let most = Weights::MOST_FEATURES;
    if [widths.hidden, widths.outputs].contains(&Some(0)) {
        return Err(FiniteError::WidthZero { most });
    }
    let last = Last::of(network);
    let mut features = vec![0; network.nodes().len()];
    for (i, node) in network.nodes().iter().enumerate() {
        let Some(weights) = node.layer.weights() else { continue };
        let hidden = widths.hidden.or(weights.width);
        let found = match (last.is_last[i], last.wide) {
            (true, false) => Some(match (widths.outputs, widths.hidden) {
                (Some(outputs), _) => outputs,
                (None, Some(_)) => 1,
                (None, None) => weights.width.unwrap_or(1),
            }),
            (true, true) => widths.outputs.or(hidden),
            (false, _) => hidden,
        };
        features[i] = found.ok_or_else(|| FiniteError::WidthMissing { place: node.place.clone() })?;
    }
    Ok(features)
}

/// The weighted layers between which and the output there are no other weights.
struct Last {
    is_last: Vec<bool>,
    /// Whether few outputs would change the kernel: a normalisation over them follows, or more weights read them.
    wide: bool,
}

impl Last {
    fn of(network: &Network) -> Last {
        let nodes = network.nodes();
        let mut is_last = vec![false; nodes.len()];
        let (mut seen, mut wide) = (vec![false; nodes.len()], false);
        let mut open = vec![network.output()];
        while let Some(source) = open.pop() {
            let Source::Node(i) = source else { continue };
            if std::mem::replace(&mut seen[i], true) {
                continue;
            }
            wide |= matches!(nodes[i].layer, Layer::LayerNorm(_));
            match nodes[i].layer.weights() {
                Some(_) => is_last[i] = true,
                None => open.extend(&nodes[i].inputs),
            }
        }
        // Nodes that hidden weights read: a walk from every hidden weighted layer down to the next weights.
        let reads = |i: usize| nodes[i].inputs.iter().copied();
        let weighted = (0..nodes.len()).filter(|i| nodes[*i].layer.weights().is_some());
        let mut open: Vec<Source> = weighted.flat_map(reads).collect();
        let mut seen = vec![false; nodes.len()];
        while let Some(source) = open.pop() {
            let Source::Node(i) = source else { continue };
            if std::mem::replace(&mut seen[i], true) {
                continue;
            }
            match nodes[i].layer.weights() {
                Some(_) => wide |= is_last[i],
                None => open.extend(&nodes[i].inputs),
            }
        }
        Last { is_last, wide }
    }
}
