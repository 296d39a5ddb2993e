//! What a network of finite width executes: a list of plain steps on arrays `[item][position][channel]`.

use ekernel_core::Activation;

use crate::taps::Taps;

/// The steps of a network, in order.
///
/// Value 0 is the input, value k + 1 the output of step k. Items are samples, or the atoms of molecules up to their sum.
#[derive(Clone, Debug)]
pub(crate) struct Program<T> {
    pub(crate) steps: Vec<Step<T>>,
    pub(crate) parameters: Vec<Parameter>,
    /// Positions and channels of the input.
    pub(crate) input: [usize; 2],
    /// Sets of weights of the layers per atom: of the places in a molecule, of the elements, or one.
    pub(crate) labels: usize,
    /// The number by which a sum over output features becomes the mean that the NNGP is.
    pub(crate) fan: f64,
    /// The value of each node of the network.
    pub(crate) nodes: Vec<usize>,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) struct Step<T> {
    pub(crate) kind: Kind<T>,
    /// The values it reads.
    pub(crate) inputs: Vec<usize>,
    /// Positions of its output.
    pub(crate) positions: usize,
    /// Channels of its output.
    pub(crate) channels: usize,
    /// Whether its output has an item for every atom.
    pub(crate) per_atom: bool,
}

/// What a step does.
#[derive(Clone, Debug)]
pub(crate) enum Kind<T> {
    /// Sums over taps and channels with weights.
    Weights(Weights<T>),
    /// Adds a bias to every position.
    Bias { parameter: usize, gain: T },
    /// The sum over taps, times a factor.
    Gather { taps: Taps, scale: T },
    /// A fixed matrix over positions, `[output][input]`.
    Map(Vec<T>),
    /// The largest value over taps.
    Max(Taps),
    /// Positions become channels, times a factor.
    Flatten { scale: T },
    /// Layer normalisation, over all positions with these masses or at each position.
    Normalize { mass: Option<Vec<T>> },
    /// Dropout.
    Dropout { keep: f64 },
    /// A pointwise nonlinearity.
    Activation(Activation),
    /// The sum of its inputs.
    Sum,
    /// The sum over the atoms of each label.
    AtomSum,
}

/// Weighted sums: each part writes its own output positions.
#[derive(Clone, Debug)]
pub(crate) struct Weights<T> {
    pub(crate) parameter: usize,
    pub(crate) parts: Vec<Part<T>>,
}

/// y\[start + p·m + k, o\] = gain · Σ_{s, c} W\[(s, c), (k, o)\] · x\[taps\[p\]\[s\], c\] for 0 ≤ k < m.
#[derive(Clone, Debug)]
pub(crate) struct Part<T> {
    pub(crate) taps: Taps,
    /// m.
    pub(crate) multiplicity: usize,
    /// The first output position.
    pub(crate) start: usize,
    /// Where W begins in the parameter.
    pub(crate) offset: usize,
    pub(crate) gain: T,
}

/// An array of weights or biases: one for each label, `size` numbers each, N(0, deviation²).
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) labels: usize,
    pub(crate) size: usize,
    pub(crate) deviation: f64,
}

impl<T> Program<T> {
    /// Positions and channels of a value.
    pub(crate) fn shape(&self, value: usize) -> [usize; 2] {
        match value.checked_sub(1) {
            None => self.input,
            Some(step) => [self.steps[step].positions, self.steps[step].channels],
        }
    }

    /// Number of features of the output.
    pub(crate) fn outputs(&self) -> usize {
        self.shape(self.steps.len())[1]
    }

    /// Number of parameters.
    pub(crate) fn parameter_count(&self) -> usize {
        self.parameters.iter().map(|parameter| parameter.labels * parameter.size).sum()
    }

    /// Numbers of all values of one item.
    pub(crate) fn numbers(&self) -> usize {
        (0..=self.steps.len()).map(|value| self.shape(value).iter().product::<usize>()).sum()
    }
}
