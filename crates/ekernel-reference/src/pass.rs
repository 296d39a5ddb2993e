//! One pair of samples through all layers.

use ekernel_core::{BackendError, Control, Input, Network, Samples, Source};
use ndarray::Array2;

use crate::{
    field::{Field, features},
    layers::{self, Incoming},
};

/// The kernels of sample `i` with itself after every layer: `[0]` at the input, `[k + 1]` after `network.nodes()[k]`.
///
/// Dropout sees one draw of its masks. All layers are kept, 16 bytes per pair of positions each. Networks on the sphere are
/// refused: see [`rotation_kernel`](crate::rotation_kernel).
pub fn self_fields(network: &Network, samples: &Samples, i: usize) -> Result<Vec<Field>, BackendError> {
    checked(network, "the samples", samples)?;
    let f = features(samples, i);
    let mut fields = Vec::new();
    run(network, [&f, &f], Variances::OfThePair, &Control::new(), |_, field| fields.push(field.clone()))?;
    Ok(fields)
}

/// The kernels of sample `i` of one set with sample `j` of another after every layer: `[0]` at the input, `[k + 1]` after
/// `network.nodes()[k]`.
///
/// Dropout sees two draws of its masks, also where both samples are equal.
pub fn cross_fields(
    network: &Network,
    (first, i): (&Samples, usize),
    (second, j): (&Samples, usize),
) -> Result<Vec<Field>, BackendError> {
    checked(network, "the first samples", first)?;
    checked(network, "the second samples", second)?;
    let control = Control::new();
    let [f, fp] = [features(first, i), features(second, j)];
    let own = [Own::of(network, &f, &control)?, Own::of(network, &fp, &control)?];
    let mut fields = Vec::new();
    let variances = Variances::Of([&own[0].variances, &own[1].variances]);
    run(network, [&f, &fp], variances, &control, |_, field| fields.push(field.clone()))?;
    Ok(fields)
}

fn checked(network: &Network, set: &'static str, samples: &Samples) -> Result<(), BackendError> {
    network.ensure_kernel()?;
    samples.validate().map_err(|source| BackendError::Samples { set, source })?;
    network.input().check(samples)?;
    match network.input() {
        Input::Vector { .. } | Input::Image { .. } => Ok(()),
        Input::Sphere { .. } | Input::Molecule { .. } => Err(BackendError::Device {
            device: "reference".to_owned(),
            problem: "the sphere and SO(3) have infinitely many positions, so their kernels are no tensors"
                .to_owned(),
            remedy: "ask rotation_kernel for single values".to_owned(),
        }),
    }
}

/// What is kept of a sample with itself.
pub(crate) struct Own {
    /// The diagonal of K after every layer, numbered as in [`self_fields`].
    pub(crate) variances: Vec<Vec<f64>>,
    /// K and Θ at the output.
    pub(crate) output: [f64; 2],
}

impl Own {
    pub(crate) fn of(network: &Network, f: &Array2<f64>, control: &Control) -> Result<Own, BackendError> {
        let mut variances = Vec::with_capacity(network.nodes().len() + 1);
        let keep = |_: usize, field: &Field| variances.push(field.diagonal());
        let output = run(network, [f, f], Variances::OfThePair, control, keep)?;
        Ok(Own { variances, output })
    }
}

/// Where the variances come from.
#[derive(Clone, Copy)]
pub(crate) enum Variances<'a> {
    /// The pair is one sample with itself: they are the diagonal of its own K.
    OfThePair,
    /// Those of the first and the second sample after every layer.
    Of([&'a [Vec<f64>]; 2]),
}

/// Takes a pair through all layers, shows every field to `see` and gives K and Θ at the output.
///
/// A field is dropped after its last reader, see [`crate::memory`].
pub(crate) fn run(
    network: &Network,
    [f, fp]: [&Array2<f64>; 2],
    variances: Variances<'_>,
    control: &Control,
    mut see: impl FnMut(usize, &Field),
) -> Result<[f64; 2], BackendError> {
    let input = Field::input(network.input().domain(), f, fp);
    see(0, &input);
    let last = last_readers(network);
    let mut fields = vec![Some(input)];
    for (k, node) in network.nodes().iter().enumerate() {
        control.check()?;
        let read: Vec<&Field> = node.inputs.iter().filter_map(|s| fields[number(*s)].as_ref()).collect();
        let from = number(node.inputs[0]);
        let own = read[0].diagonal();
        let incoming = Incoming {
            variances: match variances {
                Variances::OfThePair => [&own, &own],
                Variances::Of([v, vp]) => [&v[from], &vp[from]],
            },
            same: matches!(variances, Variances::OfThePair),
            fields: read,
        };
        let field = layers::apply(network, node, &incoming);
        see(k + 1, &field);
        fields.push(Some(field));
        for input in node.inputs.iter().map(|source| number(*source)) {
            if last[input] == Some(k) {
                fields[input] = None;
            }
        }
    }
    let output = fields.pop().flatten();
    Ok(output.map_or([f64::NAN; 2], |field| [field.nngp[[0, 0]], field.ntk[[0, 0]]]))
}

/// The number of a source among the fields: 0 is the input, k + 1 is node k.
pub(crate) fn number(source: Source) -> usize {
    match source {
        Source::Input => 0,
        Source::Node(k) => k + 1,
    }
}

/// For every field, the node that reads it last; none reads the output.
pub(crate) fn last_readers(network: &Network) -> Vec<Option<usize>> {
    let mut last = vec![None; network.nodes().len() + 1];
    for (k, node) in network.nodes().iter().enumerate() {
        for source in &node.inputs {
            last[number(*source)] = Some(k);
        }
    }
    last
}
