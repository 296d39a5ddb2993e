//! Images on a device: what lies there of every copy, and lanes of them.

use std::sync::{Arc, Mutex};

use ekernel_core::{BackendError, Plan};
use ekernel_cpu::{float64::Image, simd::Isa};
use ekernel_pairs::{Engine, Hints, Lane, Unit, Units, Watch, Workers};

use crate::{
    Device, GpuError, WgpuOptions,
    resident::{OnDevice, PAGE_BYTES, Resident, strategies, upload},
    run::{self, Chunked, Working, tile_pairs},
    strategy::Strategy,
};

/// `[set][unit]`: whether float32 cannot hold a copy's variances.
type Spoiled = Vec<Vec<bool>>;

/// The copies of all samples on a device.
pub(crate) struct Planes {
    plan: Arc<Plan>,
    options: WgpuOptions,
    units: Arc<Units>,
    spoiled: Spoiled,
    working: Working<Box<dyn Strategy>>,
}

impl Planes {
    /// Computes the maps of all copies on all cores and uploads them.
    pub(crate) fn new(
        device: &Device,
        options: WgpuOptions,
        units: &Arc<Units>,
        watch: Watch<'_>,
    ) -> Result<Planes, BackendError> {
        let plan = units.plan();
        let (resident, spoiled) =
            device.surviving(|device| resident(device, plan, &options, units, watch))?;
        let working = Working::new(resident, options.chunk_bytes);
        Ok(Planes { plan: Arc::clone(plan), options, units: Arc::clone(units), spoiled, working })
    }
}

/// What lies on the device, and which copies float32 cannot hold.
fn resident(
    device: &Device,
    plan: &Arc<Plan>,
    options: &WgpuOptions,
    units: &Units,
    watch: Watch<'_>,
) -> Result<(Resident<Box<dyn Strategy>>, Spoiled), GpuError> {
    let on_device = |strategy: Box<dyn Strategy>| OnDevice { strategy, pages: vec![vec![]; units.sets()] };
    let mut readouts: Vec<Option<OnDevice<Box<dyn Strategy>>>> =
        strategies(device, plan, options)?.into_iter().map(|strategy| strategy.map(on_device)).collect();
    let words = readouts.iter().flatten().map(|readout| readout.strategy.copy_words());
    let most = 4 * words.max().unwrap_or(1) as u64;
    let per_page = (PAGE_BYTES.min(device.largest_binding()) / most.max(1)).max(1) as usize;
    let isa = Isa::best();
    // Copies whose variances are found together.
    let batch = isa.lanes::<f64>();
    let (all, mut begun) = ((0..units.sets()).map(|set| units.len(set)).sum::<usize>(), 0);
    let mut spoiled = vec![Vec::new(); units.sets()];
    for (set, spoiled) in spoiled.iter_mut().enumerate() {
        for start in (0..units.len(set)).step_by(per_page) {
            let end = (start + per_page).min(units.len(set));
            let starts: Vec<usize> = (start..end).step_by(batch).collect();
            let prepare = |at: usize, watch: Watch<'_>| {
                let copies = starts[at]..(starts[at] + batch).min(end);
                let numbers = copies.map(|index| units.numbers(Unit { set, index })).collect();
                let images = Image::all(plan, isa, numbers, watch)?;
                let pack = |readout: &OnDevice<Box<dyn Strategy>>| {
                    let words = readout.strategy.copy_words();
                    let mut page = vec![0.0; images.len() * words];
                    let copies = images.iter().zip(page.chunks_exact_mut(words.max(1)));
                    copies.for_each(|(image, out)| readout.strategy.pack(image, out));
                    page
                };
                let pages: Vec<Vec<f32>> = readouts.iter().flatten().map(pack).collect();
                Ok((pages, images.iter().map(|image| image.spoils_float32(plan)).collect::<Vec<bool>>()))
            };
            let part = begun..begun + end - start;
            begun = part.end;
            let prepared = watch.part(part, all, |watch| Workers::new(0).map(starts.len(), watch, prepare));
            let prepared = prepared.map_err(|_| GpuError::Cancelled)?;
            let mut pages: Vec<Vec<f32>> = vec![Vec::new(); readouts.iter().flatten().count()];
            for (found, faint) in prepared {
                pages.iter_mut().zip(found).for_each(|(page, found)| page.extend(found));
                spoiled.extend(faint);
            }
            for (readout, page) in readouts.iter_mut().flatten().zip(pages) {
                readout.pages[set].push(upload(device, "ekernel.maps", &page)?);
            }
        }
    }
    Ok((Resident { device: device.clone(), readouts, per_page, spare: Mutex::default() }, spoiled))
}

impl Chunked for Planes {
    type Strategy = Box<dyn Strategy>;

    fn working(&self) -> &Working<Box<dyn Strategy>> {
        &self.working
    }

    fn upload(&self, device: &Device, watch: Watch<'_>) -> Result<Resident<Box<dyn Strategy>>, BackendError> {
        Ok(resident(device, &self.plan, &self.options, &self.units, watch)?.0)
    }

    fn value(
        &self,
        strategy: &Box<dyn Strategy>,
        words: &[u32],
        _: (usize, &run::Lane),
        device: &str,
    ) -> Result<[f64; 2], GpuError> {
        strategy.value(words, device)
    }
}

impl Engine for Planes {
    fn evaluate(
        &self,
        readout: usize,
        lanes: &[Lane],
        watch: Watch<'_>,
    ) -> Result<Vec<[f64; 2]>, BackendError> {
        let lanes: Vec<run::Lane> = lanes.iter().map(run::Lane::new).collect();
        self.run(readout, &lanes, watch)
    }

    fn spoils(&self, unit: Unit) -> bool {
        self.spoiled[unit.set][unit.index]
    }

    fn hints(&self, lanes_per_pair: f64) -> Hints {
        let resident = self.working.resident();
        Hints {
            pairs: tile_pairs(&resident.device, self.plan.cost().flops as f64, lanes_per_pair),
            width: 1,
            most: 256,
            concurrency: 1,
            held: resident.bytes(),
            per_tile: resident.working_bytes(self.working.chunk_bytes()),
        }
    }
}
