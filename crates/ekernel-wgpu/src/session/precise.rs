//! Pairs that float32 would spoil, in float64 on the host.

use std::panic::resume_unwind;

use ekernel_core::{
    BackendError, Control, Element,
    plan::{Readout, Scalar},
};

use super::{Job, WgpuSession, mean};
use crate::{
    device::lock,
    host::{Maps, Pair},
};

impl WgpuSession<'_> {
    /// The head's results of some pairs, computed in float64 on all cores.
    pub(super) fn precise(
        &self,
        jobs: &[Job],
        again: Vec<usize>,
        control: &Control,
    ) -> Result<Vec<(usize, Scalar)>, BackendError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(again.len());
        let share = again.len().div_ceil(threads.max(1)).max(1);
        let compute = |part: &[usize]| -> Result<Vec<(usize, Scalar)>, BackendError> {
            let one = |&at: &usize| {
                control.check()?;
                Ok((at, self.plan.run_head(&self.precise_readouts(&jobs[at]), jobs[at].same)))
            };
            part.iter().map(one).collect()
        };
        let parts: Vec<Result<Vec<(usize, Scalar)>, BackendError>> = std::thread::scope(|scope| {
            let running: Vec<_> =
                again.chunks(share).map(|part| scope.spawn(move || compute(part))).collect();
            running
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        Ok(parts.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
    }

    fn precise_readouts(&self, job: &Job) -> Vec<Scalar> {
        let [first, second] = job.samples.map(|(set, index)| self.precise_maps(set, index));
        let own = |side: usize, maps: &[(Vec<f64>, Maps)]| -> Vec<f64> {
            let key = job.samples[side];
            if !self.plan.needs_self {
                return vec![0.0; self.plan.readouts.len()];
            }
            if let Some(own) = lock(&self.precise_own).get(&key) {
                return own.clone();
            }
            let own: Vec<f64> =
                self.precise_pair([maps, maps], true).into_iter().map(|value| value[0]).collect();
            lock(&self.precise_own).insert(key, own.clone());
            own
        };
        let own = [own(0, &first), own(1, &second)];
        let values = self.precise_pair([&first, &second], job.same);
        let scalar = |(i, [nngp, ntk]): (usize, [f64; 2])| Scalar { nngp, ntk, v: own[0][i], vp: own[1][i] };
        values.into_iter().enumerate().map(scalar).collect()
    }

    /// Numbers and maps of every copy of a sample.
    fn precise_maps(&self, set: usize, index: usize) -> Vec<(Vec<f64>, Maps)> {
        let copy = |g: &Element| {
            let image = self.image(set, index, *g);
            let maps = Maps::new(&self.plan, &image);
            (image.features, maps)
        };
        self.elements.iter().map(copy).collect()
    }

    fn precise_pair(&self, [first, second]: [&[(Vec<f64>, Maps)]; 2], same: bool) -> Vec<[f64; 2]> {
        let readout = |readout: &Readout| match readout {
            Readout::Vector => {
                let [x, y] = [&first[0].0, &second[0].0];
                [x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>() / x.len() as f64, 0.0]
            }
            Readout::Planes { stage, orbit } => {
                let block = |(h, g): (&Element, &Element)| {
                    let [one, two] = [&first[self.element(h)], &second[self.element(g)]];
                    let twins = one.0 == two.0;
                    Pair::new(&self.plan, [&one.1, &two.1], twins, same && h == g).readout(*stage)
                };
                mean(&self.blocks(orbit).map(block).collect::<Vec<_>>())
            }
            Readout::Rotations { .. } | Readout::Sphere | Readout::Atoms { .. } => [0.0; 2],
        };
        self.plan.readouts.iter().map(readout).collect()
    }
}
