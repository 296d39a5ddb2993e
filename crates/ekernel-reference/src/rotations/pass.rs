//! One pair of signals through the layers on the sphere and on SO(3), and what follows on vectors.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use ekernel_core::{BackendError, Control, Domain, Input, Layer, Network, Node, PerAtom, Source};
use ekernel_harmonic::value_at_identity;
use ekernel_signals::Coefficients as Signal;

use super::{
    RotationMode,
    field::Field,
    rule::Rule,
    signals::{correlate, failed, inner},
};
use crate::pass::number;

/// A network with the rules its layers need.
pub(super) struct Walk {
    pub(super) network: Arc<Network>,
    mode: RotationMode,
    /// By the bandlimit of the domain; the grid of fast backends serves all layers under one lift and is kept by the
    /// bandlimit of the lift.
    rules: BTreeMap<usize, Rule>,
    /// Of every node on rotations, the key of its rule.
    keys: Vec<usize>,
}

/// Where the variances come from.
#[derive(Clone, Copy)]
pub(super) enum Variances<'a> {
    /// The pair is one signal with itself, and they are found on the way.
    OfThePair,
    /// Those of the first and the second signal, by [`number`] of the node.
    Of([&'a [f64]; 2]),
}

/// What a pair of signals is found to have in common.
pub(super) struct Passed {
    /// K and Θ at the nodes that are vectors.
    pub(super) vectors: Vec<Option<Field>>,
    /// The variances by [`number`] of the node, of a signal with itself.
    pub(super) variances: Vec<f64>,
    /// The first node at which a value is not finite, and the value.
    pub(super) bad: Option<(usize, f64)>,
}

impl Walk {
    pub(super) fn new(network: &Arc<Network>, mode: RotationMode) -> Result<Walk, BackendError> {
        let network = Arc::clone(network);
        let mut walk = Walk {
            network: Arc::clone(&network),
            mode,
            rules: BTreeMap::new(),
            keys: vec![0; network.nodes().len()],
        };
        let lifted = network.nodes().iter().filter(|node| matches!(node.layer, Layer::S2Conv(_)));
        // All lifts under one pooling share a grid, so the largest one decides.
        let largest = lifted.filter_map(|node| rotations(node.domain)).max().unwrap_or(1);
        for (i, node) in network.nodes().iter().enumerate() {
            let Some(bandlimit) = rotations(node.domain) else { continue };
            let key = match mode {
                RotationMode::Grid(_) => largest,
                RotationMode::RingRule => bandlimit,
            };
            walk.keys[i] = key;
            if let Entry::Vacant(entry) = walk.rules.entry(key) {
                let rule = match mode {
                    RotationMode::Grid(quadrature) => Rule::gauss_legendre(quadrature.nodes(key)?),
                    RotationMode::RingRule => Rule::pairs(key),
                };
                entry.insert(rule.map_err(failed)?);
            }
        }
        Ok(walk)
    }

    /// Number of points of the largest rule; 1 without rotations.
    pub(super) fn points(&self) -> usize {
        self.rules.values().map(Rule::len).max().unwrap_or(1)
    }

    /// Takes a pair of signals through all nodes that depend on them alone: of molecules, those at each atom.
    ///
    /// `same` says that both are one signal of a symmetric Gram matrix, for dropout.
    pub(super) fn signals(
        &self,
        pair: [&Signal; 2],
        variances: Variances<'_>,
        same: bool,
        control: &Control,
    ) -> Result<Passed, BackendError> {
        let nodes = self.network.nodes();
        let mut fields: Vec<Option<Field>> = vec![None; nodes.len()];
        let mut found = vec![f64::NAN; nodes.len() + 1];
        let mut bad = None;
        for (i, node) in nodes.iter().enumerate().filter(|(_, node)| self.is_at_atoms(node.domain)) {
            control.check()?;
            let from = number(node.inputs[0]);
            let q = match variances {
                Variances::OfThePair => [found[from]; 2],
                Variances::Of([v, vp]) => [v[from], vp[from]],
            };
            let (field, identity) = self.step(i, node, pair, &fields, q, same)?;
            if let Variances::OfThePair = variances {
                found[i + 1] = self.variance(node, pair[0], &found, identity, &field);
            }
            bad = bad.or_else(|| field.not_finite().map(|value| (i, value)));
            fields[i] = Some(field);
            self.forget(&mut fields, i);
        }
        let is_vector = |i: usize| rotations(nodes[i].domain).is_none();
        let vectors = fields.into_iter().enumerate().map(|(i, field)| field.filter(|_| is_vector(i)));
        Ok(Passed { vectors: vectors.collect(), variances: found, bad })
    }

    /// Whether signals alone decide about a node: everything on the sphere, and what comes before the sum over atoms.
    pub(super) fn is_at_atoms(&self, domain: Domain) -> bool {
        match self.network.input() {
            Input::Molecule { .. } => domain.per_atom().is_some(),
            Input::Sphere { .. } | Input::Image { .. } | Input::Vector { .. } => true,
        }
    }

    /// The field after a node and, of a truncation, the mean of the truncated K before weights at U = 1.
    fn step(
        &self,
        i: usize,
        node: &Node,
        [f, fp]: [&Signal; 2],
        fields: &[Option<Field>],
        q: [f64; 2],
        same: bool,
    ) -> Result<(Field, Option<f64>), BackendError> {
        let read = |source: &Source| match source {
            Source::Node(k) => fields[*k].as_ref(),
            Source::Input => None,
        };
        let inputs: Vec<&Field> = node.inputs.iter().filter_map(read).collect();
        let rule = |i: usize| &self.rules[&self.keys[i]];
        let field = match (&node.layer, inputs.first()) {
            (Layer::S2Conv(_), _) => {
                let bandlimit = rotations(node.domain).unwrap_or(1);
                let k = correlate(bandlimit, f, fp)?;
                Field::of(rule(i).evaluate(bandlimit, &k)?).affine(node)
            }
            (Layer::Flatten, _) => {
                let bandlimit = self.network.domain(node.inputs[0]);
                Field::of(vec![inner(sphere(bandlimit), f, fp)])
            }
            (Layer::So3Conv(conv), Some(field)) => {
                let kept = match (self.mode, conv.bandlimit) {
                    (RotationMode::Grid(_), None) => return Ok((field.affine(node), None)),
                    (_, Some(bandlimit)) => bandlimit,
                    (RotationMode::RingRule, None) => rotations(node.domain).unwrap_or(1),
                };
                let before = match node.inputs[0] {
                    Source::Node(k) => rule(k),
                    Source::Input => rule(i),
                };
                let k = before.project(kept, &field.nngp)?;
                let theta = before.project(kept, &field.ntk)?;
                let identity = value_at_identity(kept, &k).map_err(failed)?.re;
                let truncated =
                    Field { nngp: rule(i).evaluate(kept, &k)?, ntk: rule(i).evaluate(kept, &theta)? };
                return Ok((truncated.affine(node), Some(identity)));
            }
            (Layer::So3Pool, Some(field)) => {
                let Source::Node(k) = node.inputs[0] else { return Ok(((*field).clone(), None)) };
                Field { nngp: vec![rule(k).mean(&field.nngp)], ntk: vec![rule(k).mean(&field.ntk)] }
            }
            (_, Some(field)) => vector_step(node, &inputs, field, q, same),
            // Only s2_conv and flatten read the sphere, directly or through layers that do nothing.
            (_, None) => Field::of(vec![]),
        };
        Ok((field, None))
    }

    /// The variance of a signal after a node. On SO(3) it is a constant; of a vector it is K itself.
    fn variance(&self, node: &Node, f: &Signal, found: &[f64], identity: Option<f64>, field: &Field) -> f64 {
        let Some(bandlimit) = rotations(node.domain) else {
            return field.nngp.first().copied().unwrap_or(f64::NAN);
        };
        let q = found[number(node.inputs[0])];
        let affine = |v: f64| {
            let weights = node.layer.weights().copied().unwrap_or_default();
            weights.w_std * weights.w_std * v + weights.b_std.map_or(0.0, |b| b * b)
        };
        match &node.layer {
            Layer::S2Conv(_) => affine(inner(bandlimit, f, f)),
            Layer::So3Conv(_) => affine(identity.unwrap_or(q)),
            Layer::Activation(activation) => activation.variance(q),
            Layer::LayerNorm(_) => q / (q + ekernel_core::LayerNorm::EPSILON),
            Layer::Dropout(dropout) => q / dropout.keep_rate,
            Layer::Sum => node.inputs.iter().map(|&source| found[number(source)]).sum(),
            _ => q,
        }
    }

    /// Drops the fields on rotations that no later node reads.
    fn forget(&self, fields: &mut [Option<Field>], now: usize) {
        let last = crate::pass::last_readers(&self.network);
        for (i, field) in fields.iter_mut().enumerate() {
            if rotations(self.network.nodes()[i].domain).is_some() && last[i + 1] == Some(now) {
                *field = None;
            }
        }
    }
}

/// A layer that acts at each position alone.
pub(super) fn vector_step(node: &Node, inputs: &[&Field], field: &Field, q: [f64; 2], same: bool) -> Field {
    match &node.layer {
        Layer::Dense(_) => field.affine(node),
        Layer::Activation(activation) => field.activation(activation, q),
        Layer::LayerNorm(_) => field.layer_norm(q),
        Layer::Dropout(dropout) => field.dropout(dropout, same),
        Layer::Sum => Field::sum(inputs),
        _ => field.clone(),
    }
}

/// The bandlimit of a domain of rotations.
pub(super) fn rotations(domain: Domain) -> Option<usize> {
    match domain {
        Domain::Rotations { bandlimit } | Domain::Atoms(PerAtom::Rotations { bandlimit }) => Some(bandlimit),
        _ => None,
    }
}

/// The bandlimit of a sphere.
fn sphere(domain: Domain) -> usize {
    match domain {
        Domain::Sphere { bandlimit } | Domain::Atoms(PerAtom::Sphere { bandlimit }) => bandlimit,
        _ => 0,
    }
}
