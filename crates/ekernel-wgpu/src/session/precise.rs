//! Pairs that float32 would spoil, in float64 on the host.

use std::sync::Arc;

use ekernel_core::{
    BackendError, Control, GroupElement,
    plan::{Readout, Scalar},
};

use super::{Job, WgpuSession, mean};
use crate::host::{Copies, Maps, Pair};

impl WgpuSession {
    /// The head's result of a pair.
    ///
    /// Errors: [`BackendError::Cancelled`].
    pub(super) fn precise(&self, job: &Job, control: &Control) -> Result<Scalar, BackendError> {
        let first = self.copies(job.samples[0], control)?;
        let second = self.copies(job.samples[1], control)?;
        let own = [
            self.precise_own(job.samples[0], &first, control)?,
            self.precise_own(job.samples[1], &second, control)?,
        ];
        let values = self.precise_pair([&first, &second], job.same, control)?;
        let scalar = |(i, [nngp, ntk]): (usize, [f64; 2])| Scalar { nngp, ntk, v: own[0][i], vp: own[1][i] };
        let readouts: Vec<Scalar> = values.into_iter().enumerate().map(scalar).collect();
        Ok(self.plan.run_head(&readouts, job.same))
    }

    /// A sample's values with itself, zeros where the head does not need them.
    fn precise_own(
        &self,
        key: (usize, usize),
        copies: &Copies,
        control: &Control,
    ) -> Result<Vec<f64>, BackendError> {
        if !self.plan.needs_self {
            return Ok(vec![0.0; self.plan.readouts.len()]);
        }
        self.delicate_samples.own(key, || {
            let values = self.precise_pair([copies, copies], true, control)?;
            Ok(values.into_iter().map(|value| value[0]).collect())
        })
    }

    /// Numbers and maps of every copy of a sample.
    fn copies(&self, (set, index): (usize, usize), control: &Control) -> Result<Arc<Copies>, BackendError> {
        self.delicate_samples.copies((set, index), || {
            let copy = |g: &GroupElement| {
                let image = self.image(set, index, *g, control)?;
                let maps = Maps::new(&self.plan, &image);
                Ok((image.features, maps))
            };
            self.elements.iter().map(copy).collect()
        })
    }

    fn precise_pair(
        &self,
        [first, second]: [&Copies; 2],
        same: bool,
        control: &Control,
    ) -> Result<Vec<[f64; 2]>, BackendError> {
        let readout = |readout: &Readout| -> Result<[f64; 2], BackendError> {
            Ok(match readout {
                Readout::Vector => {
                    let [x, y] = [&first[0].0, &second[0].0];
                    [x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>() / x.len() as f64, 0.0]
                }
                Readout::Planes { stage, orbit } => {
                    let block = |(h, g): (&GroupElement, &GroupElement)| {
                        let [one, two] = [&first[self.element(h)], &second[self.element(g)]];
                        let twins = one.0 == two.0;
                        let maps = [&one.1, &two.1];
                        Pair::new(&self.plan, maps, twins, same && h == g, control).readout(*stage)
                    };
                    mean(&self.blocks(orbit).map(block).collect::<Result<Vec<_>, _>>()?)
                }
                Readout::Rotations { .. } | Readout::Sphere | Readout::Atoms { .. } => [0.0; 2],
            })
        };
        self.plan.readouts.iter().map(readout).collect()
    }
}
