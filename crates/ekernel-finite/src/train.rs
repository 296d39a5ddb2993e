//! Training by gradient descent on the mean squared error.

use ekernel_core::{Network, Samples};
use ndarray::{Array2, ArrayView2};

use crate::{
    augmentation::Augmentation,
    backward::{Sink, backward},
    batch::Batch,
    error::FiniteError,
    forward::{Masks, forward, ranges},
    network::FiniteNetwork,
    optimizer::Optimizer,
    parameters::Parameters,
    program::{Step, Weights},
    random::Name,
    rows::blocks,
    scalar::{Matrix, Scalar},
    widths::Widths,
};

/// How networks are trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainOptions {
    /// The networks' widths; the outputs are one for each target.
    pub width: Option<usize>,
    /// The rule of a step.
    pub optimizer: Optimizer,
    /// The step η.
    pub rate: f64,
    /// Samples of a step, each with its copies; all of them if `None`.
    pub batch: Option<usize>,
    /// Copies.
    pub augmentation: Augmentation,
    /// The seed of all members.
    pub seed: u64,
}

/// Training samples with targets, prepared for the members of an ensemble.
pub struct Trainer<T> {
    finite: FiniteNetwork<T>,
    options: TrainOptions,
    /// All samples that are learned, copies included.
    inputs: Batch<T>,
    /// `[sample][output]`; copies have the targets of their sample.
    targets: Array2<f64>,
}

/// One network in training.
#[derive(Clone, Debug, PartialEq)]
pub struct Member<T> {
    name: Name,
    /// Epochs done.
    pub epoch: usize,
    steps: u32,
    parameters: Parameters<T>,
    /// Adam's means of gradients and of their squares.
    moments: Option<[Parameters<T>; 2]>,
}

/// Samples whose values are held at once where no gradients are needed.
const AT_ONCE: usize = 32;

impl<T: Scalar> Trainer<T> {
    /// Prepares training samples, shape (samples, …), with targets (samples, outputs), for networks that will read
    /// `others` too.
    ///
    /// # Errors
    /// What the network or the samples do not allow; outputs that are not as many as the targets; copies of what cannot
    /// be turned.
    ///
    /// # Panics
    /// If samples and targets differ in number, or the batch is 0.
    pub fn new(
        network: &Network,
        samples: &Samples,
        targets: ArrayView2<'_, f64>,
        others: &[&Samples],
        options: TrainOptions,
    ) -> Result<Trainer<T>, FiniteError> {
        assert_eq!(samples.len(), targets.nrows(), "as many targets as samples");
        assert_ne!(options.batch, Some(0), "a step needs a sample");
        let widths = Widths { hidden: options.width, outputs: Some(targets.ncols()) };
        let finite = FiniteNetwork::fitting(network, widths, &[&[samples], others].concat())?;
        if finite.features() != targets.ncols() {
            let (features, targets) = (finite.features(), targets.ncols());
            return Err(FiniteError::Outputs { features, targets });
        }
        let copies = options.augmentation.copies(samples)?;
        let copies = copies.iter().map(|copy| finite.batch(copy));
        let inputs = Batch::joined(copies.collect::<Result<_, _>>()?);
        Ok(Trainer { finite, options, inputs, targets: targets.to_owned() })
    }

    /// A member of the ensemble before training; members are independent of each other's number.
    pub fn member(&self, number: u64) -> Member<T> {
        let name = Name { seed: self.options.seed, member: number };
        let program = &self.finite.program;
        let zeros = || Parameters::zeros(program);
        Member {
            name,
            epoch: 0,
            steps: 0,
            parameters: Parameters::draw(program, name),
            moments: (self.options.optimizer == Optimizer::Adam).then(|| [zeros(), zeros()]),
        }
    }

    /// Number of parameters of a member.
    pub fn parameters(&self) -> usize {
        self.finite.parameters()
    }

    /// Number of outputs of a member.
    pub fn features(&self) -> usize {
        self.finite.features()
    }

    /// Bytes that all members share, and bytes of each member in training.
    pub fn memory(&self) -> [u64; 2] {
        let program = &self.finite.program;
        let values = self.inputs.items().div_ceil(self.inputs.samples.max(1)) * AT_ONCE * program.numbers();
        let arrays = if self.options.optimizer == Optimizer::Adam { 4 } else { 2 };
        let of = |numbers: usize| (numbers * T::BYTES) as u64;
        [of(self.inputs.entries.len()), of(3 * values + arrays * program.parameter_count())]
    }

    /// Trains one epoch; returns the mean of ½(N − Y)² over its samples and outputs, each taken before its step.
    ///
    /// # Errors
    /// [`FiniteError::NotFinite`] of a loss, or of a parameter after the last step, that is not finite.
    pub fn epoch(&self, member: &mut Member<T>) -> Result<f64, FiniteError> {
        let (samples, outputs) = self.targets.dim();
        let size = self.options.batch.unwrap_or(samples);
        let steps = self.options.augmentation.steps(member.name, member.epoch, samples, size);
        let learned: usize = steps.iter().map(Vec::len).sum();
        let (program, mut loss) = (&self.finite.program, 0.0);
        for indices in &steps {
            let mut gradient = Gradient { sums: Parameters::zeros(program), items: Vec::new() };
            for part in indices.chunks(AT_ONCE) {
                let batch = self.inputs.pick(part);
                let masks = Masks::Drawn(member.name, 1 + member.steps);
                let tape = forward(program, &member.parameters, &batch, masks);
                let found = &tape.values[program.steps.len()];
                let mut delta = Vec::with_capacity(found.len());
                for (index, row) in part.iter().zip(found.chunks_exact(outputs)) {
                    let targets = self.targets.row(index % samples);
                    for (y, target) in row.iter().zip(targets) {
                        let error = y.wide() - target;
                        loss += 0.5 * error * error / (learned * outputs) as f64;
                        delta.push(T::of(error / (indices.len() * outputs) as f64));
                    }
                }
                gradient.items = vec![ranges(&batch, false), ranges(&batch, true)];
                backward(program, &member.parameters, &batch, &tape, delta, &mut gradient);
            }
            if !loss.is_finite() {
                return Err(FiniteError::NotFinite {
                    network: member.name.member,
                    what: format!("the loss in epoch {} at rate {:?}", member.epoch + 1, self.options.rate),
                    value: loss,
                    remedy: "a smaller rate would do",
                });
            }
            member.steps += 1;
            let Member { steps, parameters, moments, .. } = member;
            Optimizer::step(*steps, self.options.rate, parameters, moments.as_mut(), &gradient.sums);
        }
        member.epoch += 1;
        self.ensure_finite(member)?;
        Ok(loss)
    }

    /// Reports parameters and moments that are not finite.
    fn ensure_finite(&self, member: &Member<T>) -> Result<(), FiniteError> {
        let all = std::iter::once(&member.parameters).chain(member.moments.iter().flatten());
        let mut values = all.flat_map(|parameters| parameters.0.iter().flatten()).map(|x| x.wide());
        match values.find(|x| !x.is_finite()) {
            Some(value) => Err(self.not_finite(member, "a parameter", value)),
            None => Ok(()),
        }
    }

    fn not_finite(&self, member: &Member<T>, what: &str, value: f64) -> FiniteError {
        let (what, remedy) = match member.epoch {
            0 => (format!("{what} before training"), "smaller inputs or a smaller w_std upstream would do"),
            epoch => {
                let rate = self.options.rate;
                (format!("{what} after epoch {epoch} at rate {rate:?}"), "a smaller rate would do")
            }
        };
        FiniteError::NotFinite { network: member.name.member, what, value, remedy }
    }

    /// Outputs of a member, `[sample][output]`, without dropout.
    ///
    /// # Errors
    /// Samples that the network does not read; [`FiniteError::NotFinite`] of an output that is not finite.
    pub fn outputs(&self, member: &Member<T>, samples: &Samples) -> Result<Array2<f64>, FiniteError> {
        let all = self.finite.batch(samples)?;
        let indices: Vec<usize> = (0..samples.len()).collect();
        let outputs = self.finite.features();
        let mut found = Vec::with_capacity(samples.len() * outputs);
        for part in indices.chunks(AT_ONCE) {
            let tape = forward(&self.finite.program, &member.parameters, &all.pick(part), Masks::Off);
            found.extend(tape.values[self.finite.program.steps.len()].iter().map(|y| y.wide()));
        }
        if let Some(value) = found.iter().find(|y| !y.is_finite()) {
            return Err(self.not_finite(member, "an output", *value));
        }
        Ok(Array2::from_shape_vec((samples.len(), outputs), found).expect("as many outputs"))
    }

    /// The state of a member as numbers, for files: epoch, steps, then parameters and moments.
    pub fn state(&self, member: &Member<T>) -> Vec<f64> {
        let mut state = vec![member.epoch as f64, f64::from(member.steps)];
        let moments = member.moments.iter().flatten();
        for parameters in std::iter::once(&member.parameters).chain(moments) {
            state.extend(parameters.0.iter().flatten().map(|x| x.wide()));
        }
        state
    }

    /// A member from [`Trainer::state`]; `None` if the numbers are not those of such a member, or not finite.
    pub fn restored(&self, number: u64, state: &[f64]) -> Option<Member<T>> {
        let mut member = self.member(number);
        if state.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let [epoch, steps, rest @ ..] = state else { return None };
        let moments = member.moments.iter_mut().flatten();
        let mut rest = rest.iter();
        for parameters in std::iter::once(&mut member.parameters).chain(moments) {
            for to in parameters.0.iter_mut().flatten() {
                *to = T::of(*rest.next()?);
            }
        }
        (member.epoch, member.steps) = (*epoch as usize, *steps as u32);
        rest.next().is_none().then_some(member)
    }
}

/// Adds up gradients by parameters.
struct Gradient<T> {
    sums: Parameters<T>,
    /// Items of each label: of samples, of atoms.
    items: Vec<Vec<std::ops::Range<usize>>>,
}

impl<T: Scalar> Sink<T> for Gradient<T> {
    fn weights(&mut self, weights: &Weights<T>, step: &Step<T>, below: [usize; 2], x: &[T], delta: &[T]) {
        let ranges = &self.items[usize::from(step.per_atom)];
        let sums = &mut self.sums.0[weights.parameter];
        let (mut a, mut d) = (Vec::new(), Vec::new());
        for block in blocks(weights, step, below, ranges, sums.len()) {
            let (count, [cols_a, cols_d]) = (block.count(), block.rows.cols());
            block.rows.gather(x, block.items.clone(), &mut a);
            block.rows.outputs(delta, block.items, &mut d);
            let a = Matrix::new(&a, count, cols_a).t();
            T::product(&mut sums[block.place], a, Matrix::new(&d, count, cols_d), block.gain, false);
        }
    }

    fn bias(&mut self, parameter: usize, gain: T, step: &Step<T>, delta: &[T]) {
        let size = step.positions * step.channels;
        for (label, range) in self.items[usize::from(step.per_atom)].iter().enumerate() {
            let sums = &mut self.sums.0[parameter][label * step.channels..][..step.channels];
            for row in delta[range.start * size..range.end * size].chunks_exact(step.channels) {
                sums.iter_mut().zip(row).for_each(|(sum, d)| *sum += gain * *d);
            }
        }
    }
}
