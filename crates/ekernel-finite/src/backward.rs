//! From gradients of the outputs to those of every step, last step first.

use ekernel_core::Activation;

use crate::{
    batch::Batch,
    forward::{Tape, largest, ranges},
    parameters::Parameters,
    program::{Kind, Program, Step, Weights},
    rows::blocks,
    scalar::{Matrix, Scalar},
    taps::Taps,
};

/// Takes what the way back finds at the steps with parameters.
pub(crate) trait Sink<T> {
    /// At a step with weights: its input, and the gradient of its output.
    fn weights(&mut self, weights: &Weights<T>, step: &Step<T>, below: [usize; 2], x: &[T], delta: &[T]);

    /// At a bias: the gradient of its output.
    fn bias(&mut self, parameter: usize, gain: T, step: &Step<T>, delta: &[T]);
}

/// Takes the gradient of the outputs, `[sample][output]`, back through all steps.
pub(crate) fn backward<T: Scalar>(
    program: &Program<T>,
    parameters: &Parameters<T>,
    batch: &Batch<T>,
    tape: &Tape<T>,
    outputs: Vec<T>,
    sink: &mut impl Sink<T>,
) {
    let mut deltas: Vec<Option<Vec<T>>> = vec![None; program.steps.len() + 1];
    deltas[program.steps.len()] = Some(outputs);
    // Behind the input, and behind steps of the input alone, there are no parameters.
    let mut wanted = vec![false; program.steps.len() + 1];
    for (index, step) in program.steps.iter().enumerate() {
        let own = matches!(step.kind, Kind::Weights(_) | Kind::Bias { .. });
        wanted[index + 1] = own || step.inputs.iter().any(|input| wanted[*input]);
    }
    for (index, step) in program.steps.iter().enumerate().rev() {
        let Some(delta) = deltas[index + 1].take() else { continue };
        let below = program.shape(step.inputs[0]);
        let x = &tape.values[step.inputs[0]];
        match &step.kind {
            Kind::Weights(weights) => sink.weights(weights, step, below, x, &delta),
            Kind::Bias { parameter, gain } => sink.bias(*parameter, *gain, step, &delta),
            _ => {}
        }
        if !step.inputs.iter().any(|input| wanted[*input]) {
            continue;
        }
        let back = match &step.kind {
            Kind::Weights(weights) => weighted(weights, &parameters.0, batch, step, below, &delta),
            Kind::Bias { .. } | Kind::Sum => delta,
            Kind::Gather { taps, scale } => spread(taps, *scale, below, &delta),
            Kind::Map(matrix) => mapped(matrix, step, below, &delta),
            Kind::Max(taps) => {
                let (_, from) = largest(taps, below, x);
                chosen(&from, step, below, &delta)
            }
            Kind::Flatten { scale } => delta.into_iter().map(|d| d * *scale).collect(),
            Kind::Normalize { mass } => {
                let (y, factors) = (&tape.values[index + 1], &tape.extras[index]);
                normalized(mass.as_deref(), below, y, factors, &delta)
            }
            Kind::Dropout { .. } if tape.extras[index].is_empty() => delta,
            Kind::Dropout { .. } => delta.iter().zip(&tape.extras[index]).map(|(d, m)| *d * *m).collect(),
            Kind::Activation(activation) => {
                delta.iter().zip(x).map(|(d, x)| *d * derivative(activation, *x)).collect()
            }
            Kind::AtomSum => {
                let mut back = Vec::with_capacity(batch.items() * below[1]);
                for (label, range) in batch.ranges.iter().enumerate() {
                    for item in range.clone() {
                        let at = batch.owners[item] * step.channels + label * below[1];
                        back.extend_from_slice(&delta[at..at + below[1]]);
                    }
                }
                back
            }
        };
        let inputs: Vec<usize> = step.inputs.iter().copied().filter(|input| wanted[*input]).collect();
        let (last, others) = inputs.split_last().expect("one is wanted");
        others.iter().for_each(|input| add(&mut deltas[*input], back.clone()));
        add(&mut deltas[*last], back);
    }
}

/// Adds a gradient to those that have come to a value before.
fn add<T: Scalar>(sum: &mut Option<Vec<T>>, delta: Vec<T>) {
    match sum {
        Some(sum) => sum.iter_mut().zip(&delta).for_each(|(sum, d)| *sum += *d),
        None => *sum = Some(delta),
    }
}

/// σ'(x).
fn derivative<T: Scalar>(activation: &Activation, x: T) -> T {
    match activation {
        Activation::Relu => T::of(if x > T::default() { 1.0 } else { 0.0 }),
        _ => T::of(activation.derivative(x.wide())),
    }
}

fn weighted<T: Scalar>(
    weights: &Weights<T>,
    parameters: &[Vec<T>],
    batch: &Batch<T>,
    step: &Step<T>,
    below: [usize; 2],
    delta: &[T],
) -> Vec<T> {
    let ranges = ranges(batch, step.per_atom);
    let items = ranges.last().map_or(0, |range| range.end);
    let mut back = vec![T::default(); items * below[0] * below[1]];
    let numbers = &parameters[weights.parameter];
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for block in blocks(weights, step, below, &ranges, numbers.len()) {
        let (count, [a, b]) = (block.count(), block.rows.cols());
        let w = Matrix::new(&numbers[block.place], a, b).t();
        block.rows.outputs(delta, block.items.clone(), &mut outputs);
        inputs.resize(count * a, T::default());
        T::product(&mut inputs, Matrix::new(&outputs, count, b), w, block.gain, true);
        block.rows.scatter(&inputs, block.items, &mut back);
    }
    back
}

fn spread<T: Scalar>(taps: &Taps, scale: T, [positions, channels]: [usize; 2], delta: &[T]) -> Vec<T> {
    let out = taps.positions() * channels;
    let mut back = vec![T::default(); delta.len() / out * positions * channels];
    for (delta, back) in delta.chunks_exact(out).zip(back.chunks_exact_mut(positions * channels)) {
        for (position, row) in delta.chunks_exact(channels).enumerate() {
            for tap in taps.at(position).iter().filter(|tap| **tap != Taps::OUTSIDE) {
                let to = &mut back[*tap as usize * channels..][..channels];
                to.iter_mut().zip(row).for_each(|(to, d)| *to += scale * *d);
            }
        }
    }
    back
}

fn mapped<T: Scalar>(matrix: &[T], step: &Step<T>, [positions, channels]: [usize; 2], delta: &[T]) -> Vec<T> {
    let out = step.positions * channels;
    let mut back = vec![T::default(); delta.len() / out * positions * channels];
    let matrix = Matrix::new(matrix, step.positions, positions).t();
    for (delta, back) in delta.chunks_exact(out).zip(back.chunks_exact_mut(positions * channels)) {
        T::product(back, matrix, Matrix::new(delta, step.positions, channels), T::of(1.0), true);
    }
    back
}

fn chosen<T: Scalar>(from: &[u32], step: &Step<T>, [positions, channels]: [usize; 2], delta: &[T]) -> Vec<T> {
    let out = step.positions * channels;
    let mut back = vec![T::default(); delta.len() / out * positions * channels];
    for (item, (delta, from)) in delta.chunks_exact(out).zip(from.chunks_exact(out)).enumerate() {
        let back = &mut back[item * positions * channels..][..positions * channels];
        for (at, (d, tap)) in delta.iter().zip(from).enumerate() {
            if *tap != Taps::OUTSIDE {
                back[*tap as usize * channels + at % channels] += *d;
            }
        }
    }
    back
}

/// factor·(δ − mean of δ − y·mean of δy), means over channels and, with masses m, δ/m over positions.
fn normalized<T: Scalar>(
    mass: Option<&[T]>,
    [positions, channels]: [usize; 2],
    y: &[T],
    factors: &[T],
    delta: &[T],
) -> Vec<T> {
    let group = if mass.is_some() { positions * channels } else { channels };
    let mut back = Vec::with_capacity(delta.len());
    for ((y, delta), factor) in y.chunks_exact(group).zip(delta.chunks_exact(group)).zip(factors) {
        let factor = factor.wide();
        let [mut sum, mut product] = [0.0, 0.0];
        for (y, d) in y.iter().zip(delta) {
            sum += d.wide() / channels as f64;
            product += d.wide() * y.wide() / channels as f64;
        }
        for (at, (y, d)) in y.iter().zip(delta).enumerate() {
            let share = mass.map_or(1.0, |mass| mass[at / channels].wide());
            back.push(T::of(factor * (d.wide() - share * (sum + y.wide() * product))));
        }
    }
    back
}
