//! A network of finite width: an architecture with a number of features for every layer.

use ekernel_core::{Network, Samples};
use ndarray::{Array2, Array3};

use crate::{
    batch::{Batch, Reader},
    compile::compile,
    error::FiniteError,
    forward::{Masks, Tape, forward},
    parameters::Parameters,
    program::Program,
    random::Name,
    scalar::Scalar,
    widths::Widths,
};

/// An architecture with a number of features for every layer, computed in `T`: f32 or f64.
///
/// A [`Name`] makes it one network: the same on every machine, for every number of threads and in every ensemble.
///
/// ```
/// use ekernel_core::{Dense, Activation, Input, Network, Samples};
/// use ekernel_finite::{FiniteNetwork, Name, Widths};
///
/// let network = Network::builder(Input::Vector { features: 3 })
///     .layer(Dense::new())
///     .layer(Activation::Relu)
///     .layer(Dense::new())
///     .build()?;
/// let finite = FiniteNetwork::<f64>::new(&network, Widths::all(64), 1)?;
/// assert_eq!(finite.parameters(), 3 * 64 + 64);
/// let samples = Samples::Vectors(ndarray::array![[1.0, 0.5, -1.0], [0.0, 2.0, 0.3]]);
/// let outputs = finite.outputs(Name { seed: 1, member: 0 }, &samples)?;
/// assert_eq!(outputs.dim(), (2, 1));
/// # Ok::<(), ekernel_finite::FiniteError>(())
/// ```
pub struct FiniteNetwork<T> {
    pub(crate) program: Program<T>,
    reader: Reader,
    network: Network,
}

impl<T: Scalar> FiniteNetwork<T> {
    /// A network of these widths; `places` is the most atoms of a molecule, each place of which has weights of its own where
    /// the architecture says `indexed`.
    ///
    /// # Errors
    /// A layer without a width or without a finite form, branches of different widths.
    pub fn new(network: &Network, widths: Widths, places: usize) -> Result<FiniteNetwork<T>, FiniteError> {
        FiniteNetwork::with_reader(network, widths, places, Reader::new(network)?)
    }

    fn with_reader(
        network: &Network,
        widths: Widths,
        places: usize,
        reader: Reader,
    ) -> Result<FiniteNetwork<T>, FiniteError> {
        Ok(FiniteNetwork { program: compile(network, widths, places)?, reader, network: network.clone() })
    }

    /// The same for the molecules of some samples: with a place for each atom of the largest.
    ///
    /// # Errors
    /// Those of [`FiniteNetwork::new`], and samples that the network does not read.
    pub fn fitting(
        network: &Network,
        widths: Widths,
        samples: &[&Samples],
    ) -> Result<FiniteNetwork<T>, FiniteError> {
        let reader = Reader::new(network)?;
        for samples in samples {
            network.input().check(samples)?;
        }
        let places = samples.iter().map(|samples| reader.places(samples)).max().unwrap_or(1);
        FiniteNetwork::with_reader(network, widths, places, reader)
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.program.parameter_count()
    }

    /// Number of output features.
    pub fn features(&self) -> usize {
        self.program.outputs()
    }

    /// The outputs of one network, `[sample][feature]`; dropout keeps everything.
    ///
    /// # Errors
    /// Samples that the network does not read.
    pub fn outputs(&self, name: Name, samples: &Samples) -> Result<Array2<f64>, FiniteError> {
        let batch = self.batch(samples)?;
        let tape = self.run(name, &batch);
        let outputs = tape.values.last().expect("a pass has values");
        let shape = (samples.len(), self.features());
        Ok(Array2::from_shape_fn(shape, |(i, o)| outputs[i * shape.1 + o].wide()))
    }

    /// The outputs of one layer of one network, `[item][position][feature]`: items are samples, or atoms by label.
    ///
    /// # Errors
    /// Samples that the network does not read.
    ///
    /// # Panics
    /// If there is no layer `node`.
    pub fn values(&self, name: Name, samples: &Samples, node: usize) -> Result<Array3<f64>, FiniteError> {
        let batch = self.batch(samples)?;
        let tape = self.run(name, &batch);
        let value = self.program.nodes[node];
        let [positions, features] = self.program.shape(value);
        let values = &tape.values[value];
        let shape = (values.len() / (positions * features), positions, features);
        Ok(Array3::from_shape_fn(shape, |(i, p, c)| values[(i * positions + p) * features + c].wide()))
    }

    /// All samples of a set.
    pub(crate) fn batch(&self, samples: &Samples) -> Result<Batch<T>, FiniteError> {
        self.network.input().check(samples)?;
        self.read(samples, 0)
    }

    /// All samples of a set that has been checked; its number names their dropout masks.
    pub(crate) fn read(&self, samples: &Samples, set: u64) -> Result<Batch<T>, FiniteError> {
        self.reader.read(samples, set, self.program.labels)
    }

    fn run(&self, name: Name, batch: &Batch<T>) -> Tape<T> {
        forward(&self.program, &Parameters::draw(&self.program, name), batch, Masks::Off)
    }
}
