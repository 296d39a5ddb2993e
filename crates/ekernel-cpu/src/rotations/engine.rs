//! Units prepared in one precision, and the readouts of pairs of them.

use ekernel_core::{
    BackendError, Control, KernelSet,
    plan::{Plan, Readout},
};

use ekernel_harmonic::Harmonics;
use ekernel_signals::refused;

use super::{
    pack::{Number, Pack, Signal},
    signal::Lifted,
    stage::{Stage, Workspace},
};
use crate::simd::Isa;

/// A signal on the sphere: a sample, or what an atom sees.
#[derive(Clone, Debug)]
pub(super) struct Unit<T> {
    /// Per stage.
    signals: Vec<Signal<T>>,
    /// Where a readout is the product of the signals themselves.
    harmonics: Option<Harmonics>,
}

/// The stages of a plan in precision `T`, `W` pairs at a time.
pub(super) struct Engine<T, const W: usize> {
    readouts: Vec<Readout>,
    stages: Vec<Stage<T>>,
    channels: usize,
}

impl<T: Number, const W: usize> Engine<T, W> {
    pub(super) fn new(plan: &Plan, isa: Isa) -> Result<Engine<T, W>, BackendError> {
        let channels = plan.input.channels();
        let ntk = plan.kinds == KernelSet::Both;
        let stages = plan.rotations.iter().map(|stage| Stage::new(stage, channels, isa, ntk));
        Ok(Engine {
            readouts: plan.atoms.as_ref().map_or(&plan.readouts, |atoms| &atoms.readouts).clone(),
            stages: stages.collect::<Result<_, _>>().map_err(refused("cpu"))?,
            channels,
        })
    }

    /// Room for a thread.
    pub(super) fn workspaces(&self) -> Vec<Workspace<T, W>> {
        self.stages.iter().map(Stage::workspace).collect()
    }

    /// Up to `W` units.
    pub(super) fn units(
        &self,
        harmonics: Vec<Harmonics>,
        workspaces: &mut [Workspace<T, W>],
        control: &Control,
    ) -> Result<Vec<Unit<T>>, BackendError> {
        let mut stages = Vec::with_capacity(self.stages.len());
        for (stage, workspace) in self.stages.iter().zip(workspaces) {
            let signal = |harmonics: &Harmonics| {
                let lifts: Vec<Lifted<T>> =
                    stage.fields.lifts().map(|bandlimit| Lifted::new(harmonics, bandlimit)).collect();
                let variances = stage.variances(lifts.iter().map(|lift| lift.variance));
                Signal { lifts, variances }
            };
            let mut signals: Vec<Signal<T>> = harmonics.iter().map(signal).collect();
            stage.complete(&mut signals, workspace, control)?;
            stages.push(signals.into_iter());
        }
        let keep = self.readouts.contains(&Readout::Sphere);
        Ok(harmonics
            .into_iter()
            .map(|harmonics| Unit {
                signals: stages.iter_mut().filter_map(Iterator::next).collect(),
                harmonics: keep.then_some(harmonics),
            })
            .collect())
    }

    /// The units in precision `T`, of those in float64: the variances are theirs.
    pub(super) fn narrowed<const V: usize>(
        &self,
        engine: &Engine<f64, V>,
        harmonics: &[Harmonics],
        units: &[Unit<f64>],
    ) -> Vec<Unit<T>> {
        let narrowed = |(harmonics, unit): (&Harmonics, &Unit<f64>)| Unit {
            signals: engine
                .stages
                .iter()
                .zip(&unit.signals)
                .map(|(stage, signal)| Signal {
                    lifts: stage.fields.lifts().map(|bandlimit| Lifted::new(harmonics, bandlimit)).collect(),
                    variances: signal.variances.clone(),
                })
                .collect(),
            harmonics: unit.harmonics.clone(),
        };
        harmonics.iter().zip(units).map(narrowed).collect()
    }

    /// Fixes how readouts are computed, by all units there are.
    pub(super) fn tune<'u>(&mut self, units: impl Iterator<Item = &'u Unit<T>>)
    where
        T: 'u,
    {
        let mut largest: Vec<Vec<f64>> =
            self.stages.iter().map(|stage| stage.fields.lifts().map(|_| 0.0).collect()).collect();
        for unit in units {
            for (largest, signal) in largest.iter_mut().zip(&unit.signals) {
                for (largest, lift) in largest.iter_mut().zip(&signal.lifts) {
                    *largest = largest.max(lift.variance);
                }
            }
        }
        self.stages.iter_mut().zip(largest).for_each(|(stage, largest)| stage.tune(largest.into_iter()));
    }

    /// `[pair][readout]`: (K, Θ), each pair by itself whatever its neighbours.
    pub(super) fn evaluate(
        &self,
        pairs: &[(&Unit<T>, &Unit<T>)],
        workspaces: &mut [Workspace<T, W>],
        control: &Control,
    ) -> Result<Vec<Vec<[f64; 2]>>, BackendError> {
        let mut values = Vec::with_capacity(pairs.len());
        for chunk in pairs.chunks(W) {
            let start = values.len();
            values.resize(start + chunk.len(), Vec::with_capacity(self.readouts.len()));
            for readout in &self.readouts {
                let found = match readout {
                    Readout::Rotations { stage } => {
                        let first =
                            Pack::new(chunk.iter().map(|(first, _)| &first.signals[*stage]).collect());
                        let second =
                            Pack::new(chunk.iter().map(|(_, second)| &second.signals[*stage]).collect());
                        self.stages[*stage].evaluate(&first, &second, &mut workspaces[*stage], control)?
                    }
                    Readout::Sphere => {
                        chunk.iter().map(|(first, second)| [inner(first, second), 0.0]).collect()
                    }
                    Readout::Vector | Readout::Planes { .. } | Readout::Atoms { .. } => {
                        vec![[f64::NAN; 2]; chunk.len()]
                    }
                };
                values[start..].iter_mut().zip(found).for_each(|(values, value)| values.push(value));
            }
        }
        Ok(values)
    }

    /// Bytes of one unit.
    pub(super) fn unit_bytes(&self) -> u64 {
        let keep = self.readouts.contains(&Readout::Sphere);
        let lifts = self.stages.iter().flat_map(|stage| stage.fields.lifts());
        let lifted: u64 = lifts.map(|bandlimit| Lifted::<T>::bytes(bandlimit, self.channels)).sum();
        let ops: usize = self.stages.iter().map(|stage| stage.plan.ops.len()).sum();
        let largest = self.stages.iter().flat_map(|stage| stage.fields.lifts()).max().unwrap_or(0);
        let harmonics = if keep { Lifted::<f64>::bytes(largest, self.channels) } else { 0 };
        lifted + harmonics + (ops * size_of::<f64>()) as u64
    }

    /// Bytes of the tables of its transforms, which all threads share.
    pub(super) fn table_bytes(&self) -> u64 {
        let transforms = self.stages.iter().flat_map(|stage| stage.transforms.iter().flatten());
        transforms.map(|transform| transform.table_bytes() as u64).sum()
    }

    /// Bytes of working memory of a thread: transforms, and two packs.
    pub(super) fn thread_bytes(&self) -> u64 {
        let stages: u64 = self.stages.iter().map(Stage::workspace_bytes::<W>).sum();
        stages + 2 * W as u64 * self.unit_bytes()
    }

    /// Arithmetic operations per pair of units, where they are counted.
    pub(super) fn operations(&self) -> Option<u64> {
        self.stages.iter().map(Stage::operations).sum()
    }

    /// Points of the largest grid.
    pub(super) fn points(&self) -> usize {
        self.stages.iter().map(|stage| stage.plan.points()).max().unwrap_or(1)
    }
}

fn inner<T>(first: &Unit<T>, second: &Unit<T>) -> f64 {
    match (&first.harmonics, &second.harmonics) {
        (Some(first), Some(second)) => first.inner(second),
        _ => f64::NAN,
    }
}
