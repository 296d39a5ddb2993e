//! Signals side by side, one in each lane.

use ekernel_harmonic::LaneBuffer;

use super::{signal::Lifted, variable::Variable};
use crate::planes::Scalar;

/// A number type that both the planes and the transforms know.
pub(crate) trait Number: Scalar + ekernel_harmonic::Real {}

impl Number for f32 {}
impl Number for f64 {}

/// One signal, prepared for one stage.
#[derive(Clone, Debug)]
pub(super) struct Signal<T> {
    /// As each lift of the stage sees it.
    pub(super) lifts: Vec<Lifted<T>>,
    /// The variance behind each op of the stage.
    pub(super) variances: Vec<f64>,
    /// The variable in which the readout of the signal with itself is the shorter series.
    pub(super) variable: Variable,
}

/// Up to `W` signals, interleaved.
pub(super) struct Pack<'b, T, const W: usize> {
    pub(super) signals: Vec<&'b Signal<T>>,
    /// Per lift `[packed lm][channel][lane]`.
    pub(super) lifts: Vec<LaneBuffer<T, W>>,
}

impl<T> Signal<T> {
    /// The variable in which a pair is computed: one answer for the pair, whatever other pairs there are.
    pub(super) fn variable(&self, other: &Signal<T>) -> Variable {
        match (self.variable, other.variable) {
            (Variable::Cosine, Variable::Cosine) => Variable::Cosine,
            _ => Variable::Angle,
        }
    }
}

impl<'b, T: Number, const W: usize> Pack<'b, T, W> {
    pub(super) fn new(signals: Vec<&'b Signal<T>>) -> Pack<'b, T, W> {
        let count = signals.first().map_or(0, |signal| signal.lifts.len());
        let lifts = (0..count)
            .map(|lift| {
                let values = |signal: &&'b Signal<T>| &signal.lifts[lift].values;
                let mut buffer = LaneBuffer::zeros(values(&signals[0]).len());
                for (lane, signal) in signals.iter().enumerate() {
                    buffer.iter_mut().zip(values(signal)).for_each(|(to, from)| to[lane] = *from);
                }
                buffer
            })
            .collect();
        Pack { signals, lifts }
    }
}
