//! Training by gradient descent on the mean squared error.

use ekernel_core::{Group, GroupElement, Network, Samples};
use ndarray::{Array2, ArrayView2, Axis, stack};

use crate::{
    backward::{Sink, backward},
    batch::Batch,
    error::FiniteError,
    forward::{Masks, forward, ranges},
    network::FiniteNetwork,
    parameters::Parameters,
    program::{Step, Weights},
    random::{Name, Purpose, Stream},
    rows::blocks,
    scalar::{Matrix, Scalar},
    widths::Widths,
};

/// The rule of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// θ ← θ − η·g.
    Sgd,
    /// Adam (Kingma and Ba) with β = (0.9, 0.999) and ε = 1e-8.
    Adam,
}

/// Which turned copies of the training images are learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Augmentation {
    /// The images as they are.
    None,
    /// All copies of each image, in every epoch.
    Full(Group),
    /// One copy of each image, drawn in every epoch.
    Random(Group),
}

/// How networks are trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainOptions {
    /// The networks' widths; the outputs are one for each target.
    pub width: Option<usize>,
    /// The rule of a step.
    pub optimizer: Optimizer,
    /// The step η.
    pub rate: f64,
    /// Samples of a step; all of them if `None`.
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
    /// Copies of each sample, which follow one another in steps of the number of samples.
    copies: usize,
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
    /// Prepares training samples, shape (samples, …), with targets (samples, outputs).
    ///
    /// # Errors
    /// What the network or the samples do not allow; outputs that are not as many as the targets.
    ///
    /// # Panics
    /// If samples and targets differ in number, or the batch is 0.
    pub fn new(
        network: &Network,
        samples: &Samples,
        targets: ArrayView2<'_, f64>,
        options: TrainOptions,
    ) -> Result<Trainer<T>, FiniteError> {
        assert_eq!(samples.len(), targets.nrows(), "as many targets as samples");
        assert_ne!(options.batch, Some(0), "a step needs a sample");
        let widths = Widths { hidden: options.width, outputs: Some(targets.ncols()) };
        let finite = FiniteNetwork::fitting(network, widths, &[samples])?;
        if finite.features() != targets.ncols() {
            let (features, targets) = (finite.features(), targets.ncols());
            return Err(FiniteError::Outputs { features, targets });
        }
        let group = match options.augmentation {
            Augmentation::None => Group::C1,
            Augmentation::Full(group) | Augmentation::Random(group) => group,
        };
        let elements = group.elements();
        let copies = elements.iter().map(|element| finite.batch(&turned(samples, *element)));
        let inputs = Batch::joined(copies.collect::<Result<_, _>>()?);
        Ok(Trainer { finite, options, inputs, targets: targets.to_owned(), copies: elements.len() })
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

    /// Trains one epoch; returns the mean of ½(N − Y)² over its samples and outputs, each taken before its step.
    ///
    /// # Errors
    /// [`FiniteError::NotFinite`] of a loss that is not finite.
    pub fn epoch(&self, member: &mut Member<T>) -> Result<f64, FiniteError> {
        let order = self.order(member);
        let size = self.options.batch.unwrap_or(order.len());
        let outputs = self.targets.ncols();
        let (program, mut loss) = (&self.finite.program, 0.0);
        for indices in order.chunks(size) {
            let mut gradient = Gradient { sums: Parameters::zeros(program), items: Vec::new() };
            for part in indices.chunks(AT_ONCE) {
                let batch = self.inputs.pick(part);
                let masks = Masks::Drawn(member.name, 1 + member.steps);
                let tape = forward(program, &member.parameters, &batch, masks);
                let found = &tape.values[program.steps.len()];
                let mut delta = Vec::with_capacity(found.len());
                for (index, row) in part.iter().zip(found.chunks_exact(outputs)) {
                    let targets = self.targets.row(index % self.targets.nrows());
                    for (y, target) in row.iter().zip(targets) {
                        let error = y.wide() - target;
                        loss += 0.5 * error * error / (order.len() * outputs) as f64;
                        delta.push(T::of(error / (indices.len() * outputs) as f64));
                    }
                }
                gradient.items = vec![ranges(&batch, false), ranges(&batch, true)];
                backward(program, &member.parameters, &batch, &tape, delta, &mut gradient);
            }
            if !loss.is_finite() {
                return Err(FiniteError::NotFinite {
                    network: member.name.member,
                    what: format!("the loss in epoch {} at rate {}", member.epoch + 1, self.options.rate),
                    value: loss,
                    remedy: "a smaller rate would do",
                });
            }
            self.step(member, &gradient.sums);
        }
        member.epoch += 1;
        Ok(loss)
    }

    /// Outputs of a member, `[sample][output]`, without dropout.
    ///
    /// # Errors
    /// Samples that the network does not read.
    pub fn outputs(&self, member: &Member<T>, samples: &Samples) -> Result<Array2<f64>, FiniteError> {
        let all = self.finite.batch(samples)?;
        let indices: Vec<usize> = (0..samples.len()).collect();
        let outputs = self.finite.features();
        let mut found = Vec::with_capacity(samples.len() * outputs);
        for part in indices.chunks(AT_ONCE) {
            let tape = forward(&self.finite.program, &member.parameters, &all.pick(part), Masks::Off);
            found.extend(tape.values[self.finite.program.steps.len()].iter().map(|y| y.wide()));
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

    /// A member from [`Trainer::state`]; `None` if the numbers are not those of such a member.
    pub fn restored(&self, number: u64, state: &[f64]) -> Option<Member<T>> {
        let mut member = self.member(number);
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

    /// The samples of an epoch in the order in which they are learned.
    fn order(&self, member: &Member<T>) -> Vec<usize> {
        let samples = self.targets.nrows();
        let mut stream = Stream::new(member.name, Purpose::Order, member.epoch as u64, 0);
        let mut order: Vec<usize> = match self.options.augmentation {
            Augmentation::Random(_) => {
                (0..samples).map(|i| i + samples * stream.below(self.copies)).collect()
            }
            _ => (0..samples * self.copies).collect(),
        };
        // Fisher and Yates.
        for i in (1..order.len()).rev() {
            order.swap(i, stream.below(i + 1));
        }
        order
    }

    fn step(&self, member: &mut Member<T>, gradient: &Parameters<T>) {
        member.steps += 1;
        let rate = self.options.rate;
        let Some([first, second]) = &mut member.moments else {
            let pairs = member.parameters.0.iter_mut().flatten().zip(gradient.0.iter().flatten());
            pairs.for_each(|(theta, g)| *theta = *theta - T::of(rate) * *g);
            return;
        };
        let [b1, b2] = [0.9_f64, 0.999];
        let steps = f64::from(member.steps);
        let [c1, c2] = [1.0 - b1.powf(steps), 1.0 - b2.powf(steps)];
        let moments = first.0.iter_mut().flatten().zip(second.0.iter_mut().flatten());
        let all = member.parameters.0.iter_mut().flatten().zip(gradient.0.iter().flatten()).zip(moments);
        for ((theta, g), (first, second)) in all {
            let g = g.wide();
            let (m, v) = (b1 * first.wide() + (1.0 - b1) * g, b2 * second.wide() + (1.0 - b2) * g * g);
            (*first, *second) = (T::of(m), T::of(v));
            *theta = T::of(theta.wide() - rate * (m / c1) / ((v / c2).sqrt() + 1e-8));
        }
    }
}

/// Images turned by an element of a group; other samples as they are.
fn turned(samples: &Samples, element: GroupElement) -> Samples {
    let Samples::Images(images) = samples else { return samples.clone() };
    let turned: Vec<_> = images.outer_iter().map(|image| element.apply(image)).collect();
    let views: Vec<_> = turned.iter().map(|image| image.view()).collect();
    Samples::Images(
        stack(Axis(0), &views).expect("a group turns images of one shape into images of one shape"),
    )
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
