//! From items to outputs, with all values kept for the way back.

use ekernel_core::{Activation, LayerNorm};

use crate::{
    batch::Batch,
    parameters::Parameters,
    program::{Kind, Program, Step, Weights},
    random::{Name, Purpose, Stream},
    rows::blocks,
    scalar::{Matrix, Scalar},
    taps::Taps,
};

/// All values of a pass.
pub(crate) struct Tape<T> {
    /// Value 0 is the input.
    pub(crate) values: Vec<Vec<T>>,
    /// Of dropout its factors, of normalisation 1/σ of each group; empty for other steps.
    pub(crate) extras: Vec<Vec<T>>,
}

/// Which dropout masks are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Masks {
    /// None: features are kept as they are.
    Off,
    /// Those of a network in this round, for each sample its own.
    Drawn(Name, u32),
}

/// Runs a network on a batch.
pub(crate) fn forward<T: Scalar>(
    program: &Program<T>,
    parameters: &Parameters<T>,
    batch: &Batch<T>,
    masks: Masks,
) -> Tape<T> {
    let mut tape = Tape { values: vec![batch.entries.clone()], extras: Vec::new() };
    for (index, step) in program.steps.iter().enumerate() {
        let below = program.shape(step.inputs[0]);
        let mut extra = Vec::new();
        let x = &tape.values[step.inputs[0]];
        let value = match &step.kind {
            Kind::Weights(weights) => weighted(weights, &parameters.0, batch, step, below, x),
            Kind::Bias { parameter, gain } => {
                let mut y = x.clone();
                let biases = &parameters.0[*parameter];
                for (label, range) in ranges(batch, step.per_atom).iter().enumerate() {
                    let biases = &biases[label * step.channels..][..step.channels];
                    let size = step.positions * step.channels;
                    for row in y[range.start * size..range.end * size].chunks_exact_mut(step.channels) {
                        row.iter_mut().zip(biases).for_each(|(y, b)| *y += *gain * *b);
                    }
                }
                y
            }
            Kind::Gather { taps, scale } => gathered(taps, *scale, below, x),
            Kind::Map(matrix) => mapped(matrix, step, below, x),
            Kind::Max(taps) => largest(taps, below, x).0,
            Kind::Flatten { scale } => x.iter().map(|x| *x * *scale).collect(),
            Kind::Normalize { mass } => {
                let (y, factors) = normalized(mass.as_deref(), below, x);
                extra = factors;
                y
            }
            Kind::Dropout { keep } => match masks {
                Masks::Off => x.clone(),
                Masks::Drawn(name, round) => {
                    let keys = if step.per_atom { &batch.item_keys } else { &batch.sample_keys };
                    let place = u64::from(round) << 20 | index as u64;
                    extra = mask(*keep, name, place, keys, below[0] * below[1]);
                    x.iter().zip(&extra).map(|(x, m)| *x * *m).collect()
                }
            },
            Kind::Activation(activation) => x.iter().map(|x| value(activation, *x)).collect(),
            Kind::Sum => {
                let mut sum = x.clone();
                for other in &step.inputs[1..] {
                    sum.iter_mut().zip(&tape.values[*other]).for_each(|(sum, x)| *sum += *x);
                }
                sum
            }
            Kind::AtomSum => {
                let mut sum = vec![T::default(); batch.samples * step.channels];
                for (label, range) in batch.ranges.iter().enumerate() {
                    for item in range.clone() {
                        let to =
                            &mut sum[batch.owners[item] * step.channels + label * below[1]..][..below[1]];
                        let from = &x[item * below[1]..][..below[1]];
                        to.iter_mut().zip(from).for_each(|(to, from)| *to += *from);
                    }
                }
                sum
            }
        };
        tape.values.push(value);
        tape.extras.push(extra);
    }
    tape
}

/// The items of each label; samples have one label.
pub(crate) fn ranges<T: Scalar>(batch: &Batch<T>, per_atom: bool) -> Vec<std::ops::Range<usize>> {
    if per_atom { batch.ranges.clone() } else { std::iter::once(0..batch.samples).collect() }
}

/// σ(x).
pub(crate) fn value<T: Scalar>(activation: &Activation, x: T) -> T {
    match activation {
        Activation::Relu if x < T::default() => T::default(),
        Activation::Relu => x,
        _ => T::of(activation.value(x.wide())),
    }
}

fn weighted<T: Scalar>(
    weights: &Weights<T>,
    parameters: &[Vec<T>],
    batch: &Batch<T>,
    step: &Step<T>,
    below: [usize; 2],
    x: &[T],
) -> Vec<T> {
    let ranges = ranges(batch, step.per_atom);
    let items = ranges.last().map_or(0, |range| range.end);
    let mut y = vec![T::default(); items * step.positions * step.channels];
    let numbers = &parameters[weights.parameter];
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for block in blocks(weights, step, below, &ranges, numbers.len()) {
        let (count, [a, b]) = (block.count(), block.rows.cols());
        let w = Matrix::new(&numbers[block.place], a, b);
        block.rows.gather(x, block.items.clone(), &mut inputs);
        outputs.resize(count * b, T::default());
        T::product(&mut outputs, Matrix::new(&inputs, count, a), w, block.gain, true);
        block.rows.write(&outputs, block.items, &mut y);
    }
    y
}

fn gathered<T: Scalar>(taps: &Taps, scale: T, [positions, channels]: [usize; 2], x: &[T]) -> Vec<T> {
    let items = x.len() / (positions * channels).max(1);
    let mut y = vec![T::default(); items * taps.positions() * channels];
    let mut out = y.chunks_exact_mut(channels);
    for x in x.chunks_exact(positions * channels) {
        for (position, y) in (0..taps.positions()).zip(&mut out) {
            for tap in taps.at(position).iter().filter(|tap| **tap != Taps::OUTSIDE) {
                let row = &x[*tap as usize * channels..][..channels];
                y.iter_mut().zip(row).for_each(|(y, x)| *y += *x);
            }
            y.iter_mut().for_each(|y| *y *= scale);
        }
    }
    y
}

fn mapped<T: Scalar>(matrix: &[T], step: &Step<T>, [positions, channels]: [usize; 2], x: &[T]) -> Vec<T> {
    let items = x.len() / (positions * channels).max(1);
    let mut y = vec![T::default(); items * step.positions * channels];
    let matrix = Matrix::new(matrix, step.positions, positions);
    for (x, y) in x.chunks_exact(positions * channels).zip(y.chunks_exact_mut(step.positions * channels)) {
        T::product(y, matrix, Matrix::new(x, positions, channels), T::of(1.0), true);
    }
    y
}

/// The largest values, and the positions that they come from.
pub(crate) fn largest<T: Scalar>(
    taps: &Taps,
    [positions, channels]: [usize; 2],
    x: &[T],
) -> (Vec<T>, Vec<u32>) {
    let (mut y, mut from) = (Vec::new(), Vec::new());
    for x in x.chunks_exact(positions * channels) {
        for position in 0..taps.positions() {
            for channel in 0..channels {
                let at = |tap: u32| x[tap as usize * channels + channel];
                let inside = taps.at(position).iter().copied().filter(|tap| *tap != Taps::OUTSIDE);
                // NaN stays NaN: a comparison with it is false, so it is never passed over for a number.
                let best = inside.reduce(|best, tap| if at(tap) <= at(best) { best } else { tap });
                from.push(best.unwrap_or(Taps::OUTSIDE));
                y.push(best.map_or(T::default(), at));
            }
        }
    }
    (y, from)
}

/// (x − mean)/√(variance + ε) over the channels of each position, or over all with the masses of the positions.
fn normalized<T: Scalar>(mass: Option<&[T]>, [positions, channels]: [usize; 2], x: &[T]) -> (Vec<T>, Vec<T>) {
    let group = if mass.is_some() { positions * channels } else { channels };
    let (mut y, mut factors) = (Vec::with_capacity(x.len()), Vec::new());
    for x in x.chunks_exact(group) {
        let average = |f: &dyn Fn(f64) -> f64| -> f64 {
            let rows = x.chunks_exact(channels).enumerate();
            let mean = |row: &[T]| row.iter().map(|x| f(x.wide())).sum::<f64>() / channels as f64;
            rows.map(|(p, row)| mass.map_or(1.0, |mass| mass[p].wide()) * mean(row)).sum()
        };
        let mean = average(&|x| x);
        let factor = (average(&|x| (x - mean) * (x - mean)) + LayerNorm::EPSILON).sqrt().recip();
        y.extend(x.iter().map(|x| T::of((x.wide() - mean) * factor)));
        factors.push(T::of(factor));
    }
    (y, factors)
}

/// 0 or 1/ρ for each feature.
fn mask<T: Scalar>(keep: f64, name: Name, place: u64, keys: &[u64], size: usize) -> Vec<T> {
    let mut mask = Vec::with_capacity(keys.len() * size);
    for key in keys {
        let mut stream = Stream::new(name, Purpose::Mask, place, *key);
        mask.extend((0..size).map(|_| T::of(if stream.uniform() < keep { 1.0 / keep } else { 0.0 })));
    }
    mask
}
