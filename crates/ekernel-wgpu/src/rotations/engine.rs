//! Spheres and molecules on a device, and lanes of their units.

use std::sync::Arc;

use ekernel_core::{BackendError, Plan, plan::Readout};
use ekernel_cpu::{float64::Variances, simd::Isa};
use ekernel_pairs::{Engine, Hints, Lane, Unit, Units, Watch};

use super::{
    resident::{Kept, Maker},
    stage::Stage,
};
use crate::{
    Device, GpuError, WgpuOptions,
    resident::Resident,
    run::{self, Chunked, Working, tile_pairs},
};

/// The units of all samples on a device.
pub(crate) struct Rotations {
    units: Arc<Units>,
    variances: Variances,
    /// `[set][unit]`
    kept: Vec<Vec<Kept>>,
    working: Working<Stage>,
}

impl Rotations {
    pub(crate) fn new(
        device: &Device,
        options: WgpuOptions,
        units: &Arc<Units>,
        watch: Watch<'_>,
    ) -> Result<Rotations, BackendError> {
        let variances = Variances::new(units.plan(), Isa::best())?;
        let maker = Maker { units, variances: &variances };
        let (resident, kept) = device.surviving(|device| Resident::<Stage>::new(device, &maker, watch))?;
        let working = Working::new(resident, options.chunk_bytes);
        Ok(Rotations { units: Arc::clone(units), variances, kept, working })
    }

    fn plan(&self) -> &Plan {
        self.units.plan()
    }
}

impl Chunked for Rotations {
    type Strategy = Stage;

    fn working(&self) -> &Working<Stage> {
        &self.working
    }

    fn upload(&self, device: &Device, watch: Watch<'_>) -> Result<Resident<Stage>, BackendError> {
        let maker = Maker { units: &self.units, variances: &self.variances };
        Ok(Resident::<Stage>::new(device, &maker, watch)?.0)
    }

    fn value(
        &self,
        stage: &Stage,
        words: &[u32],
        (index, lane): (usize, &run::Lane),
        device: &str,
    ) -> Result<[f64; 2], GpuError> {
        let [first, second] = lane.places.map(|(set, unit)| &self.kept[set][unit]);
        let [v, vp] = [first, second].map(|unit| unit.outputs[index]);
        let size = first.size * second.size;
        let value = stage.value(words, v.sqrt() * vp.sqrt() / size, device)?;
        Ok(value.map(|x| x * size))
    }
}

impl Engine for Rotations {
    fn evaluate(
        &self,
        readout: usize,
        lanes: &[Lane],
        watch: Watch<'_>,
    ) -> Result<Vec<[f64; 2]>, BackendError> {
        let plan = self.plan();
        let readouts = plan.unit_readouts();
        let Readout::Rotations { stage } = readouts[readout] else {
            unreachable!("engines are asked for readouts of stages alone")
        };
        // Dropout keeps K of different positions, and shaders need no flags.
        let lane = |lane: &Lane| run::Lane { flags: 0, ..run::Lane::new(lane) };
        self.run(stage, &lanes.iter().map(lane).collect::<Vec<_>>(), watch)
    }

    fn spoils(&self, unit: Unit) -> bool {
        !self.kept[unit.set][unit.index].fits
    }

    fn hints(&self, lanes_per_pair: f64) -> Hints {
        let resident = self.working.resident();
        let kept = self.kept.iter().flatten().count();
        let flops = self.plan().cost().flops as f64 * lanes_per_pair;
        Hints {
            pairs: tile_pairs(&resident.device, flops, lanes_per_pair),
            width: 1,
            most: 256,
            concurrency: 1,
            held: resident.bytes()
                + resident.table_bytes()
                + (kept * (size_of::<Kept>() + size_of::<f64>() * self.plan().rotations.len())) as u64,
            per_tile: resident.working_bytes(self.working.chunk_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use ekernel_core::{Control, KernelSet, Network, Pairs, Samples, plan::Quadrature};
    use ekernel_pairs::Workers;
    use ekernel_testnets::gpu;
    use ndarray::Array4;

    use super::*;
    use crate::WgpuBackend;

    /// A truncation on a grid as coarse as the signals, whose working buffers are all of one size, fits into what it says it needs.
    #[test]
    fn working_buffers_are_counted() {
        let Some(adapter) = gpu::adapter() else { return };
        let Ok(choice) = adapter.parse();
        let device = gpu::opened(Device::open_blocking(&choice));
        let layers = ["s2_conv'", "erf'", "so3_conv'\nbandlimit = 2", "relu'", "so3_pool'"];
        let layers = layers.map(|layer| format!("[[layers]]\nop = '{layer}\n")).concat();
        let text = format!("[input]\nspace = 'sphere'\nbandlimit = 3\nchannels = 1\n{layers}");
        let network: Network = text.parse().expect("a network");
        let plan = Plan::with_quadrature(&network, KernelSet::Both, Quadrature::Nodes(3)).expect("a plan");
        let options = WgpuOptions { chunk_bytes: 1, ..WgpuOptions::default() };
        let backend = WgpuBackend::from_plan(plan, options, device.clone()).expect("shaders");
        let signals = Array4::from_shape_fn((3, 6, 5, 1), |(n, r, c, _)| (1.0 + (n * r + c) as f64).sin());
        let control = Control::new();
        let watch = Watch::silent(&control);
        let plan = Arc::new(WgpuBackend::plan(&backend).clone());
        let pairs = Pairs::within(Samples::Spheres(signals));
        let units = Arc::new(Units::new(&plan, pairs, false, Workers::one(), watch).expect("signals"));
        let engine = Rotations::new(&device, options, &units, watch).expect("prepared");
        let needed = engine.working.resident().working_bytes(engine.working.chunk_bytes());
        assert!(engine.hints(1.0).per_tile >= needed);
        device.limit_memory(needed);
        let pair = |i: usize| [Unit { set: 0, index: i / 3 }, Unit { set: 0, index: i % 3 }];
        let lanes: Vec<Lane> =
            (0..9).map(|i| Lane { units: pair(i), identical: false, same: false }).collect();
        engine.evaluate(0, &lanes, watch).expect("computed within what it needs");
    }
}
