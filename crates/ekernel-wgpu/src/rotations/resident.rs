//! What lies on the device for a session: every unit as each stage sees it, in pages that a binding can hold; and what the host
//! keeps of the units.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use ekernel_core::{BackendError, Control, Plan, Samples, plan::Readout};
use ekernel_harmonic::Harmonics;
use ekernel_signals::{Signals, refused};

use super::{layout, precise::Precise, stage::Stage};
use crate::{
    Device,
    resident::{OnDevice, PAGE_BYTES, Resident},
    threads::on_all_cores,
    watch::Watch,
};

/// Variances from here on are not given to the device: shaders would make numbers of what overflows.
const LARGEST: f64 = 1e36;

/// Samples that are prepared before they are uploaded.
const BATCH: usize = 256;

/// What the host keeps of a unit.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    /// What its signal was divided by on the device.
    pub(super) size: f64,
    /// Per stage, the variance behind each op, of the signal as it is.
    pub(super) variances: Vec<Vec<f64>>,
    /// Whether float32 holds all of them.
    pub(super) fits: bool,
    /// Where a readout is the product of the signals themselves.
    pub(super) harmonics: Option<Harmonics>,
}

/// What lies on the device of a unit, per stage.
type Words = Vec<Vec<f32>>;

/// What units are made with.
pub(super) struct Maker<'a> {
    pub(super) plan: &'a Plan,
    pub(super) readouts: &'a [Readout],
    pub(super) signals: &'a Signals,
    pub(super) precise: &'a [Precise],
    pub(super) sets: &'a [&'a Arc<Samples>],
}

impl Resident<Stage> {
    /// Prepares all samples on all cores and uploads them; the units of each set, sample after sample.
    pub(super) fn new(
        device: &Device,
        maker: &Maker<'_>,
        watch: Watch<'_>,
    ) -> Result<(Resident<Stage>, Vec<Vec<Unit>>), BackendError> {
        let plan = maker.plan;
        let stages: Vec<Stage> =
            plan.rotations.iter().map(|stage| Stage::new(device, plan, stage)).collect::<Result<_, _>>()?;
        let most = stages.iter().map(|stage| stage.shape.passes.unit_words).max().unwrap_or(1);
        let per_page = (PAGE_BYTES.min(device.largest_binding()) / (4 * most as u64)).max(1) as usize;
        let pages = || vec![Vec::new(); maker.sets.len()];
        let on_device = |strategy| OnDevice { strategy, pages: pages() };
        let mut stages: Vec<OnDevice<Stage>> = stages.into_iter().map(on_device).collect();
        let (done, of) = (AtomicUsize::new(0), maker.sets.iter().map(|set| set.len()).sum::<usize>());
        let mut all = Vec::new();
        for (set, samples) in maker.sets.iter().enumerate() {
            let mut units = Vec::new();
            let mut words: Vec<Vec<f32>> = vec![Vec::new(); stages.len()];
            for start in (0..samples.len()).step_by(BATCH) {
                let prepared = on_all_cores((samples.len() - start).min(BATCH), watch.control, |at| {
                    let made = maker.sample(&stages, samples, start + at, watch.control);
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    (watch.tell)(done as f64 / of as f64);
                    made
                })?;
                for (unit, own) in prepared.into_iter().flatten() {
                    units.push(unit);
                    words.iter_mut().zip(own).for_each(|(all, own)| all.extend(own));
                    if units.len().is_multiple_of(per_page) {
                        upload(device, &mut stages, set, &mut words)?;
                    }
                }
            }
            if !units.len().is_multiple_of(per_page) {
                upload(device, &mut stages, set, &mut words)?;
            }
            all.push(units);
        }
        let readouts = stages.into_iter().map(Some).collect();
        Ok((Resident { device: device.clone(), readouts, per_page, spare: Mutex::default() }, all))
    }

    /// Bytes of tables on the device.
    pub(super) fn table_bytes(&self) -> u64 {
        self.readouts.iter().flatten().map(|stage| stage.strategy.bytes()).sum()
    }
}

impl Maker<'_> {
    /// The units of a sample, each with its words for every stage.
    fn sample(
        &self,
        stages: &[OnDevice<Stage>],
        samples: &Samples,
        index: usize,
        control: &Control,
    ) -> Result<Vec<(Unit, Words)>, BackendError> {
        let one = |unit: usize| {
            let signal = self.signals.harmonics(samples, index, unit).map_err(refused("wgpu"))?;
            let size = if self.plan.is_homogeneous() { signal.inner(&signal).sqrt() } else { 1.0 };
            let size = if size > 0.0 && size.is_finite() { size } else { 1.0 };
            let mut variances = Vec::new();
            let mut words = Words::new();
            for ((plan, precise), on_device) in self.plan.rotations.iter().zip(self.precise).zip(stages) {
                let v = precise.variances(&signal, control)?;
                let passes = &on_device.strategy.shape.passes;
                let mut own = vec![0.0; passes.unit_words];
                layout::pack(plan, passes, &signal, (&v, size), &mut own);
                words.push(own);
                variances.push(v);
            }
            let harmonics = self.readouts.contains(&Readout::Sphere).then_some(signal);
            // Comparing with a value that is not a number fails.
            let fits = variances.iter().flatten().all(|v| v / (size * size) < LARGEST);
            Ok((Unit { size, variances, fits, harmonics }, words))
        };
        (0..self.signals.count(samples, index)).map(one).collect()
    }
}

/// A page of every stage.
fn upload(
    device: &Device,
    stages: &mut [OnDevice<Stage>],
    set: usize,
    words: &mut [Vec<f32>],
) -> Result<(), BackendError> {
    for (stage, words) in stages.iter_mut().zip(words) {
        let bytes = bytemuck::cast_slice(words);
        stage.pages[set].push(device.upload("ekernel.units", bytes, wgpu::BufferUsages::STORAGE)?);
        words.clear();
        // Frees the copy that the upload made.
        device.checked("an upload", 0, |_| device.queue().submit([]))?;
    }
    Ok(())
}
