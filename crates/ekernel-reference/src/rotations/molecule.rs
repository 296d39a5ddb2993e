//! Samples of one or several signals: pairs of atoms, their sum, and the layers on molecules.

use ekernel_core::{BackendError, Control, Input, Layer, Source};
use ekernel_signals::Coefficients as Signal;

use super::{
    field::Field,
    pass::{Passed, Variances, Walk, vector_step},
};
use crate::pass::number;

/// What is kept of a sample with itself.
pub(super) struct Own {
    signals: Vec<Signal>,
    /// The atomic numbers of the atoms they are around, of molecules.
    charges: Vec<u8>,
    /// Of each signal the variances after every layer.
    each: Vec<Vec<f64>>,
    /// Of the molecule, at its own layers.
    whole: Vec<f64>,
    /// K and Θ at the output.
    pub(super) output: [f64; 2],
}

/// K and Θ at the output, or where the first value is not finite.
pub(super) enum Outcome {
    Finite([f64; 2]),
    Not { node: usize, value: f64 },
}

impl Walk {
    /// A sample with itself.
    pub(super) fn own(
        &self,
        signals: Vec<Signal>,
        charges: Vec<u8>,
        control: &Control,
    ) -> Result<Result<Own, Outcome>, BackendError> {
        let mut alone = Vec::with_capacity(signals.len());
        for f in &signals {
            let passed = self.signals([f, f], Variances::OfThePair, true, control)?;
            if let Some((node, value)) = passed.bad {
                return Ok(Err(Outcome::Not { node, value }));
            }
            alone.push(passed);
        }
        let each: Vec<Vec<f64>> = alone.iter().map(|passed| passed.variances.clone()).collect();
        let mut own = Own { signals, charges, each, whole: vec![], output: [f64::NAN; 2] };
        let sums = match self.sums([&own, &own], Some(&alone), control)? {
            Ok(sums) => sums,
            Err(bad) => return Ok(Err(bad)),
        };
        let mut whole = vec![f64::NAN; self.network.nodes().len() + 1];
        let outcome = self.whole(sums, &mut Whole::OfThePair(&mut whole), true);
        own.whole = whole;
        Ok(match outcome {
            Outcome::Finite(output) => Ok(Own { output, ..own }),
            bad @ Outcome::Not { .. } => Err(bad),
        })
    }

    /// Two samples, or two draws of one.
    pub(super) fn cross(
        &self,
        [first, second]: [&Own; 2],
        control: &Control,
    ) -> Result<Outcome, BackendError> {
        Ok(match self.sums([first, second], None, control)? {
            Ok(sums) => self.whole(sums, &mut Whole::Of([&first.whole, &second.whole]), false),
            Err(bad) => bad,
        })
    }

    /// The fields of the nodes on signals, added up over the pairs of atoms. `alone` holds each atom with itself if both
    /// samples are one.
    fn sums(
        &self,
        [first, second]: [&Own; 2],
        alone: Option<&[Passed]>,
        control: &Control,
    ) -> Result<Result<Vec<Option<Field>>, Outcome>, BackendError> {
        let pairs: Vec<(usize, usize)> = match self.network.input() {
            Input::Molecule { atoms, .. } => atoms.pairs(&first.charges, &second.charges).collect(),
            Input::Sphere { .. } | Input::Image { .. } | Input::Vector { .. } => vec![(0, 0)],
        };
        let mut sums: Vec<Option<Field>> = vec![None; self.network.nodes().len()];
        let mut add = |fields: &[Option<Field>]| {
            for (sum, field) in sums.iter_mut().zip(fields) {
                match (sum.as_mut(), field) {
                    (Some(sum), Some(field)) => sum.add(field),
                    (None, Some(field)) => *sum = Some(field.clone()),
                    (_, None) => {}
                }
            }
        };
        for (i, j) in pairs {
            match alone {
                Some(alone) if i == j => add(&alone[i].vectors),
                _ => {
                    let variances = Variances::Of([&first.each[i], &second.each[j]]);
                    let pair = [&first.signals[i], &second.signals[j]];
                    let passed = self.signals(pair, variances, false, control)?;
                    if let Some((node, value)) = passed.bad {
                        return Ok(Err(Outcome::Not { node, value }));
                    }
                    add(&passed.vectors);
                }
            }
        }
        Ok(Ok(sums))
    }

    /// The layers behind the sum over atoms; on signals there are none.
    fn whole(&self, mut fields: Vec<Option<Field>>, variances: &mut Whole<'_>, same: bool) -> Outcome {
        let nodes = self.network.nodes();
        for (i, node) in nodes.iter().enumerate().filter(|(_, node)| !self.is_at_atoms(node.domain)) {
            let read = |source: &Source| match source {
                Source::Node(k) => fields[*k].as_ref(),
                Source::Input => None,
            };
            let inputs: Vec<&Field> = node.inputs.iter().filter_map(read).collect();
            // The sum over no pair of atoms, where molecules share no element, is 0.
            let nothing = Field::of(vec![0.0]);
            let field = match (inputs.first(), &node.layer) {
                (Some(field), _) => *field,
                (None, Layer::AtomSum) => &nothing,
                (None, _) => continue,
            };
            let from = number(node.inputs[0]);
            let q = match variances {
                Whole::OfThePair(found) => [found[from]; 2],
                Whole::Of([v, vp]) => [v[from], vp[from]],
            };
            let field = match node.layer {
                Layer::AtomSum => field.clone(),
                _ => vector_step(node, &inputs, field, q, same),
            };
            if let Some(value) = field.not_finite() {
                return Outcome::Not { node: i, value };
            }
            if let Whole::OfThePair(found) = variances {
                found[i + 1] = field.nngp[0];
            }
            fields[i] = Some(field);
        }
        let last = fields.pop().flatten().expect("the output is a sum over atoms, or reads one");
        Outcome::Finite([last.nngp[0], last.ntk[0]])
    }
}

/// Where the variances of molecules come from.
enum Whole<'a> {
    OfThePair(&'a mut Vec<f64>),
    Of([&'a [f64]; 2]),
}
