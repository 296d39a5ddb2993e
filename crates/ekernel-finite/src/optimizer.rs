//! The rule of a step.

use crate::{parameters::Parameters, scalar::Scalar};

/// The rule of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// θ ← θ − η·g.
    Sgd,
    /// Adam (Kingma and Ba) with β = (0.9, 0.999) and ε = 1e-8.
    Adam,
}

impl Optimizer {
    /// Step number `step`, counted from 1, down the gradient; `moments` are Adam's means of gradients and of their squares.
    pub(crate) fn step<T: Scalar>(
        step: u32,
        rate: f64,
        parameters: &mut Parameters<T>,
        moments: Option<&mut [Parameters<T>; 2]>,
        gradient: &Parameters<T>,
    ) {
        let Some([first, second]) = moments else {
            let pairs = parameters.0.iter_mut().flatten().zip(gradient.0.iter().flatten());
            pairs.for_each(|(theta, g)| *theta = *theta - T::of(rate) * *g);
            return;
        };
        let [b1, b2] = [0.9_f64, 0.999];
        let [c1, c2] = [b1, b2].map(|b| 1.0 - b.powf(f64::from(step)));
        let moments = first.0.iter_mut().flatten().zip(second.0.iter_mut().flatten());
        let all = parameters.0.iter_mut().flatten().zip(gradient.0.iter().flatten()).zip(moments);
        for ((theta, g), (first, second)) in all {
            let g = g.wide();
            let (m, v) = (b1 * first.wide() + (1.0 - b1) * g, b2 * second.wide() + (1.0 - b2) * g * g);
            (*first, *second) = (T::of(m), T::of(v));
            *theta = T::of(theta.wide() - rate * (m / c1) / ((v / c2).sqrt() + 1e-8));
        }
    }
}
