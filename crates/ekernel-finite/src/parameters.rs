//! The parameters of one network, drawn from its seed.

use crate::{
    program::{Parameter, Program},
    random::{Name, Purpose, Stream},
    scalar::Scalar,
};

/// The numbers of each parameter, `[parameter][label][entry]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameters<T>(pub(crate) Vec<Vec<T>>);

impl<T: Scalar> Parameters<T> {
    /// The network of this name.
    pub(crate) fn draw(program: &Program<T>, name: Name) -> Parameters<T> {
        let draw = |(which, parameter): (usize, &Parameter)| {
            let mut numbers = vec![T::default(); parameter.labels * parameter.size];
            for (label, numbers) in numbers.chunks_exact_mut(parameter.size).enumerate() {
                let mut stream = Stream::new(name, Purpose::Parameters, which as u64, label as u64);
                let set = |i: usize, x: f64| numbers[i] = T::of(parameter.deviation * x);
                stream.normals(set, parameter.size);
            }
            numbers
        };
        Parameters(program.parameters.iter().enumerate().map(draw).collect())
    }

    /// Zeros of the same shape.
    pub(crate) fn zeros(program: &Program<T>) -> Parameters<T> {
        let zeros = |parameter: &Parameter| vec![T::default(); parameter.labels * parameter.size];
        Parameters(program.parameters.iter().map(zeros).collect())
    }
}
