//! Units prepared in one precision, and the readouts of pairs of them.

use ekernel_core::{BackendError, Control, KernelSet, plan::Plan};
use ekernel_harmonic::Harmonics;
use ekernel_pairs::Watch;
use ekernel_signals::refused;

use super::{
    pack::{Number, Pack, Signal},
    signal::Lifted,
    stage::{Stage, Workspace},
    variable::Variable,
};
use crate::simd::Isa;

/// Signals side by side in float64: a register of AVX-512.
pub(crate) const WIDE: usize = 8;

/// A signal on the sphere, a sample or what an atom sees, per stage.
#[derive(Clone, Debug)]
pub(super) struct Unit<T>(Vec<Signal<T>>);

/// The stages of a plan in precision `T`, `W` pairs at a time.
pub(super) struct Engine<T, const W: usize> {
    stages: Vec<Stage<T>>,
    channels: usize,
}

/// The variances of signals behind every op of a plan on SO(3).
pub struct Variances(Engine<f64, WIDE>);

impl<T: Number, const W: usize> Engine<T, W> {
    pub(super) fn new(plan: &Plan, isa: Isa) -> Result<Engine<T, W>, BackendError> {
        let channels = plan.input.channels();
        let ntk = plan.kinds == KernelSet::Both;
        let stages = plan.rotations.iter().map(|stage| Stage::new(stage, channels, isa, ntk));
        Ok(Engine { stages: stages.collect::<Result<_, _>>().map_err(refused("cpu"))?, channels })
    }

    /// Room for a thread.
    fn workspaces(&self) -> Vec<Workspace<T, W>> {
        self.stages.iter().map(Stage::workspace).collect()
    }

    /// The variances of each signal behind each op, `[stage][signal][op]`.
    fn variances(
        &self,
        harmonics: &[Harmonics],
        control: &Control,
    ) -> Result<Vec<Vec<Vec<f64>>>, BackendError> {
        let mut found = vec![Vec::with_capacity(harmonics.len()); self.stages.len()];
        for ((stage, mut workspace), found) in self.stages.iter().zip(self.workspaces()).zip(&mut found) {
            for chunk in harmonics.chunks(W) {
                let signal = |harmonics: &Harmonics| {
                    let lifts = lifts(stage, harmonics);
                    let variances = stage.variances(lifts.iter().map(|lift| lift.variance));
                    Signal { lifts, variances, variable: Variable::Angle }
                };
                let mut signals: Vec<Signal<T>> = chunk.iter().map(signal).collect();
                stage.complete(&mut signals, &mut workspace, control)?;
                found.extend(signals.into_iter().map(|signal| signal.variances));
            }
        }
        Ok(found)
    }

    /// Units, with variances that were found in float64.
    pub(super) fn units(
        &self,
        harmonics: &[Harmonics],
        variances: &Variances,
        control: &Control,
    ) -> Result<Vec<Unit<T>>, BackendError> {
        let variances = variances.of(harmonics, control)?;
        let unit = |(at, harmonics): (usize, &Harmonics)| {
            let signal = |(stage, variances): (&Stage<T>, &Vec<Vec<f64>>)| Signal {
                lifts: lifts(stage, harmonics),
                variable: stage.shorter(&variances[at]),
                variances: variances[at].clone(),
            };
            Unit(self.stages.iter().zip(&variances).map(signal).collect())
        };
        Ok(harmonics.iter().enumerate().map(unit).collect())
    }

    /// (K, Θ) of each pair at a stage, each by itself whatever its neighbours.
    pub(super) fn evaluate(
        &self,
        stage: usize,
        pairs: &[[&Unit<T>; 2]],
        watch: Watch<'_>,
    ) -> Result<Vec<[f64; 2]>, BackendError> {
        let signals: Vec<[&Signal<T>; 2]> =
            pairs.iter().map(|units| units.map(|Unit(signals)| &signals[stage])).collect();
        let stage = &self.stages[stage];
        let mut workspace: Workspace<T, W> = stage.workspace();
        let mut values = vec![[f64::NAN; 2]; pairs.len()];
        let mut done = 0;
        for variable in [Variable::Angle, Variable::Cosine] {
            let is_of = |&at: &usize| signals[at][0].variable(signals[at][1]) == variable;
            let some: Vec<usize> = (0..pairs.len()).filter(is_of).collect();
            for chunk in some.chunks(W) {
                let pack = |side: usize| Pack::new(chunk.iter().map(|&at| signals[at][side]).collect());
                let found = stage.evaluate((&pack(0), &pack(1)), variable, &mut workspace, watch.control)?;
                chunk.iter().zip(found).for_each(|(&at, value)| values[at] = value);
                done += chunk.len();
                (watch.tell)(done as f64 / pairs.len() as f64);
            }
        }
        Ok(values)
    }

    /// Bytes of one unit.
    pub(super) fn unit_bytes(&self) -> u64 {
        let lifts = self.stages.iter().flat_map(|stage| stage.fields.lifts());
        let lifted: u64 = lifts.map(|bandlimit| Lifted::<T>::bytes(bandlimit, self.channels)).sum();
        let ops: usize = self.stages.iter().map(|stage| stage.plan.ops.len()).sum();
        lifted + (ops * size_of::<f64>() + size_of::<Unit<T>>()) as u64
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

impl Variances {
    /// For the stages of a plan.
    ///
    /// # Errors
    /// Sizes that the transforms refuse.
    pub fn new(plan: &Plan, isa: Isa) -> Result<Variances, BackendError> {
        Ok(Variances(Engine::new(plan, isa)?))
    }

    /// Those of each signal behind each op, `[stage][signal][op]`.
    ///
    /// # Errors
    /// [`BackendError::Cancelled`].
    pub fn of(&self, harmonics: &[Harmonics], control: &Control) -> Result<Vec<Vec<Vec<f64>>>, BackendError> {
        self.0.variances(harmonics, control)
    }

    /// Bytes of its tables.
    pub(super) fn table_bytes(&self) -> u64 {
        self.0.table_bytes()
    }
}

/// A signal as each lift of a stage sees it.
fn lifts<T: Number>(stage: &Stage<T>, harmonics: &Harmonics) -> Vec<Lifted<T>> {
    stage.fields.lifts().map(|bandlimit| Lifted::new(harmonics, bandlimit)).collect()
}
