//! Prepared samples and tiles.

use std::{ops::Range, sync::Arc, thread};

use ekernel_core::{BackendError, Control, KernelSet, Kernels, Network, Pairs, Prepared, Progress, Samples};
use ekernel_signals::Signals;
use ndarray::Array2;

use super::{
    RotationMode,
    molecule::{Outcome, Own},
    pass::Walk,
    signals::failed,
};

/// A session for samples that have been checked.
pub(crate) fn prepare(
    network: &Arc<Network>,
    kinds: KernelSet,
    mode: RotationMode,
    limit: u64,
    pairs: &Pairs,
    control: &Control,
) -> Result<Box<dyn Prepared>, BackendError> {
    let walk = Walk::new(network, mode)?;
    // All fields of a pair may be alive, and two are being made: 16 bytes per point each.
    let per_pair = 16 * walk.points() as u64 * (network.nodes().len() as u64 + 2);
    let held = held(network, pairs);
    if per_pair.saturating_add(held) > limit {
        return Err(BackendError::Memory {
            what: "the reference, with its kernels on all of SO(3),".to_owned(),
            needed: per_pair.saturating_add(held),
            available: limit,
            remedy: "use the cpu backend, a lower bandlimit, fewer nodes or a larger memory limit".to_owned(),
        });
    }
    let mut session =
        SphereSession { walk, kinds, first: Vec::new(), second: None, memory: [held, per_pair], limit };
    let sets = if pairs.is_symmetric() { 1 } else { 2 };
    let of = pairs.first().len() + if sets == 2 { pairs.second().len() } else { 0 };
    session.first = session.own(pairs.first(), 0, of, control)?;
    if sets == 2 {
        session.second = Some(session.own(pairs.second(), session.first.len(), of, control)?);
    }
    Ok(Box::new(session))
}

struct SphereSession {
    walk: Walk,
    kinds: KernelSet,
    first: Vec<Own>,
    second: Option<Vec<Own>>,
    memory: [u64; 2],
    limit: u64,
}

impl SphereSession {
    fn own(
        &self,
        samples: &Samples,
        before: usize,
        of: usize,
        control: &Control,
    ) -> Result<Vec<Own>, BackendError> {
        let signals = Signals::new(self.walk.network.input()).map_err(failed)?;
        let mut all = Vec::with_capacity(samples.len());
        for i in 0..samples.len() {
            let found = signals.all(samples, i).map_err(failed)?;
            match self.walk.own(found, signals.charges(samples, i), control)? {
                Ok(own) => all.push(own),
                Err(outcome) => {
                    self.finite(outcome, [i, i])?;
                }
            }
            control.report(Progress::Prepared { done: before + i + 1, of });
        }
        Ok(all)
    }

    fn finite(&self, outcome: Outcome, [row, col]: [usize; 2]) -> Result<[f64; 2], BackendError> {
        match outcome {
            Outcome::Finite(output) => Ok(output),
            Outcome::Not { node, value } => {
                let place = &self.walk.network.nodes()[node].place;
                let reason = format!(
                    "it first appears at {place}; the expectation does not exist or overflows there, smaller inputs or a smaller w_std upstream would do"
                );
                Err(BackendError::NotFinite { row, col, value, reason })
            }
        }
    }

    fn entry(&self, i: usize, j: usize, control: &Control) -> Result<[f64; 2], BackendError> {
        let (second, [a, b]) = match &self.second {
            Some(second) => (second, [i, j]),
            None if i == j => return Ok(self.first[i].output),
            None => (&self.first, [i.min(j), i.max(j)]),
        };
        let outcome = self.walk.cross([&self.first[a], &second[b]], control)?;
        self.finite(outcome, [i, j])
    }
}

impl Prepared for SphereSession {
    fn tile(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        control: &Control,
    ) -> Result<Kernels, BackendError> {
        let shape = (rows.len(), cols.len());
        let (mut nngp, mut ntk) = (Array2::zeros(shape), Array2::zeros(shape));
        for (a, i) in rows.enumerate() {
            for (b, j) in cols.clone().enumerate() {
                control.check()?;
                [nngp[[a, b]], ntk[[a, b]]] = self.entry(i, j, control)?;
            }
        }
        Ok(Kernels { nngp, ntk: (self.kinds == KernelSet::Both).then_some(ntk) })
    }

    fn tile_shape(&self) -> [usize; 2] {
        [2, 2]
    }

    fn concurrency(&self) -> usize {
        let [held, per_pair] = self.memory;
        let fit = self.limit.saturating_sub(held) / per_pair.max(1);
        let cores = thread::available_parallelism().map_or(1, |n| n.get());
        cores.min(usize::try_from(fit).unwrap_or(cores)).max(1)
    }

    fn memory(&self) -> [u64; 2] {
        self.memory
    }
}

/// Bytes kept of all samples: complex coefficients of every signal, and its variances.
fn held(network: &Network, pairs: &Pairs) -> u64 {
    let input = network.input();
    let signal = 16 * input.channels() as u64 * input.domain().positions() as u64;
    let each = signal + 8 * (network.nodes().len() as u64 + 1);
    let count = |samples: &Samples| match samples {
        Samples::Molecules(molecules) => molecules.iter().map(|m| m.atoms() as u64 + 1).sum(),
        Samples::Vectors(_) | Samples::Images(_) | Samples::Spheres(_) => 2 * samples.len() as u64,
    };
    let second = if pairs.is_symmetric() { 0 } else { count(pairs.second()) };
    (count(pairs.first()) + second).saturating_mul(each)
}
