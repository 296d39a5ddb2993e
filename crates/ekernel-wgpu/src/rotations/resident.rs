//! What lies on the device for a session: every unit as each stage sees it, in pages that a binding can hold; and what the host
//! keeps of the units.

use std::sync::Mutex;

use ekernel_core::BackendError;
use ekernel_cpu::float64::Variances;
use ekernel_harmonic::Harmonics;
use ekernel_pairs::{Unit, Units, Watch, Workers};

use super::{layout, stage::Stage};
use crate::{
    Device,
    resident::{OnDevice, PAGE_BYTES, Resident, upload},
};

/// Variances from here on are not given to the device: shaders would make numbers of what overflows.
const LARGEST: f64 = 1e36;

/// Units whose variances are found together.
const BATCH: usize = 8;

/// What the host keeps of a unit.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// What its signal was divided by on the device.
    pub(super) size: f64,
    /// Per stage the variance behind its last op, of the signal as it is.
    pub(super) outputs: Vec<f64>,
    /// Whether float32 holds the variances behind all ops.
    pub(super) fits: bool,
}

/// What lies on the device of a unit, per stage.
type Words = Vec<Vec<f32>>;

/// What units are made with.
pub(super) struct Maker<'a> {
    pub(super) units: &'a Units,
    pub(super) variances: &'a Variances,
}

impl Resident<Stage> {
    /// Prepares all units on all cores and uploads them.
    pub(super) fn new(
        device: &Device,
        maker: &Maker<'_>,
        watch: Watch<'_>,
    ) -> Result<(Resident<Stage>, Vec<Vec<Kept>>), BackendError> {
        let (units, plan) = (maker.units, maker.units.plan());
        let stages: Vec<Stage> =
            plan.rotations.iter().map(|stage| Stage::new(device, plan, stage)).collect::<Result<_, _>>()?;
        let most = stages.iter().map(|stage| stage.shape.passes.unit_words).max().unwrap_or(1);
        let per_page = (PAGE_BYTES.min(device.largest_binding()) / (4 * most as u64)).max(1) as usize;
        let on_device = |strategy| OnDevice { strategy, pages: vec![Vec::new(); units.sets()] };
        let mut stages: Vec<OnDevice<Stage>> = stages.into_iter().map(on_device).collect();
        let (of, mut begun) = ((0..units.sets()).map(|set| units.len(set)).sum::<usize>(), 0);
        let mut kept = vec![Vec::new(); units.sets()];
        for (set, kept) in kept.iter_mut().enumerate() {
            for start in (0..units.len(set)).step_by(per_page) {
                let end = (start + per_page).min(units.len(set));
                let starts: Vec<usize> = (start..end).step_by(BATCH).collect();
                let part = begun..begun + end - start;
                begun = part.end;
                let found = watch.part(part, of, |watch| {
                    Workers::new(0).map(starts.len(), watch, |at, watch| {
                        let batch = starts[at]..(starts[at] + BATCH).min(end);
                        let batch: Vec<Unit> = batch.map(|index| Unit { set, index }).collect();
                        maker.made(&stages, &batch, watch)
                    })
                })?;
                let mut words = Words::new();
                words.resize(stages.len(), Vec::new());
                for (unit, own) in found.into_iter().flatten() {
                    kept.push(unit);
                    words.iter_mut().zip(own).for_each(|(all, own)| all.extend(own));
                }
                for (stage, words) in stages.iter_mut().zip(words) {
                    stage.pages[set].push(upload(device, "ekernel.units", &words)?);
                }
            }
        }
        let readouts = stages.into_iter().map(Some).collect();
        Ok((Resident { device: device.clone(), readouts, per_page, spare: Mutex::default() }, kept))
    }

    /// Bytes of tables on the device.
    pub(super) fn table_bytes(&self) -> u64 {
        self.readouts.iter().flatten().map(|stage| stage.strategy.bytes()).sum()
    }
}

impl Maker<'_> {
    /// Units, each with its words for every stage.
    fn made(
        &self,
        stages: &[OnDevice<Stage>],
        units: &[Unit],
        watch: Watch<'_>,
    ) -> Result<Vec<(Kept, Words)>, BackendError> {
        let plan = self.units.plan();
        let signals: Vec<Harmonics> =
            units.iter().map(|unit| self.units.harmonics(*unit)).collect::<Result<_, _>>()?;
        let variances = self.variances.of(&signals, watch.control)?;
        let one = |(at, signal): (usize, &Harmonics)| {
            let size = if plan.is_homogeneous() { signal.inner(signal).sqrt() } else { 1.0 };
            let size = if size > 0.0 && size.is_finite() { size } else { 1.0 };
            let of_stage = || variances.iter().map(|variances| &variances[at]);
            let pack = |((stage, v), on_device): ((_, &Vec<f64>), &OnDevice<Stage>)| {
                let passes = &on_device.strategy.shape.passes;
                let mut own = vec![0.0; passes.unit_words];
                layout::pack(stage, passes, signal, (v, size), &mut own);
                own
            };
            let words = plan.rotations.iter().zip(of_stage()).zip(stages).map(pack).collect();
            let output = |v: &Vec<f64>| *v.last().expect("a stage has at least one op");
            // Comparing with NaN fails.
            let fits = of_stage().flatten().all(|v| v / (size * size) < LARGEST);
            (Kept { size, outputs: of_stage().map(output).collect(), fits }, words)
        };
        Ok(signals.iter().enumerate().map(one).collect())
    }
}
