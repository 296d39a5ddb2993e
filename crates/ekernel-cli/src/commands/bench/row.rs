//! One row of the table: a network on one processor or GPU.

use std::time::Instant;

use ekernel_core::{Backend, Control, KernelSet, Network, Pairs, Plan};
use ekernel_cpu::{CpuBackend, CpuOptions, simd::Isa};
use ekernel_wgpu::{Device, WgpuOptions};
use serde::Serialize;

use super::{
    networks, peak,
    positions::positions,
    rate::{self, Rate},
};
use crate::{args::Precision, backends, samples::random};

/// Passes over all rows of the table, so that whatever slows the machine for a while slows every row.
pub(super) const PASSES: usize = 9;

/// Second samples of a tile on a CPU, for each of two threads: a register of any instruction set.
const COLUMNS: usize = 16;

/// Samples of a session on a GPU, each side: enough pairs to fill any.
const GPU_SAMPLES: usize = 128;

/// One network, on one instruction set and number of threads, or on one adapter.
#[derive(Serialize)]
pub(super) struct Measured {
    pub(super) network: &'static str,
    pub(super) backend: String,
    /// "nngp", or that and "ntk".
    kernels: Vec<&'static str>,
    /// Nothing on a GPU.
    pub(super) precision: Option<&'static str>,
    /// Nothing on a GPU.
    pub(super) instructions: Option<String>,
    /// Nothing on a GPU.
    pub(super) threads: Option<usize>,
    /// In the best of the passes.
    pub(super) pairs_per_second: f64,
    /// In the middle one.
    pub(super) median_pairs_per_second: f64,
    /// Pairs in a second of one processor's time, whatever else it does, in the best of the passes; where the system tells that of a
    /// thread.
    pub(super) pairs_per_processor_second: Option<f64>,
    /// Positions of planes behind the convolutions of a pair; 0 on the sphere.
    pub(super) positions: u64,
    /// Passes: [`PASSES`], or fewer where a pair takes long.
    pub(super) passes: usize,
    /// Pairs computed at once.
    pub(super) pairs_at_once: usize,
    /// Operations that are executed; those of [`Plan::cost`] where `nominal`.
    pub(super) gflops: f64,
    pub(super) nominal: bool,
    /// The best multiply-adds that as many cores, or the GPU, did in any pass, counted as two operations each.
    pub(super) peak_gflops: f64,
    pub(super) peak_fraction: f64,
    pub(super) bytes_per_pair: u64,
    /// From a plan to the kernel of one pair; on a GPU whose device was just opened, shaders compiled on the way.
    pub(super) first_result_seconds: f64,
}

/// What computes a row.
#[derive(Clone)]
pub(super) enum On {
    Cpu { isa: Isa, threads: usize, precision: Precision },
    Gpu { device: Device, options: WgpuOptions },
}

/// What is measured in one row.
pub(super) struct Setup {
    pub(super) name: &'static str,
    pub(super) on: On,
    network: Network,
    plan: Plan,
}

impl Setup {
    pub(super) fn new(name: &'static str, on: On) -> anyhow::Result<Setup> {
        let network = networks::network(name)?;
        let plan = Plan::with_quadrature(&network, networks::kernels(name), networks::quadrature(name))?;
        Ok(Setup { name, on, network, plan })
    }

    /// The row in words, for progress.
    pub(super) fn label(&self) -> String {
        match &self.on {
            On::Cpu { isa, threads, .. } => format!("{} on {isa} × {threads}", self.name),
            On::Gpu { .. } => format!("{} on the GPU", self.name),
        }
    }

    /// The backend and the operations that it executes per pair, where that is known.
    fn backend(&self) -> anyhow::Result<(Box<dyn Backend>, Option<u64>)> {
        match &self.on {
            On::Cpu { isa, threads, precision } => {
                let options = CpuOptions {
                    precision: precision.of_backend(),
                    threads: *threads,
                    isa: *isa,
                    ..CpuOptions::default()
                };
                let backend = CpuBackend::from_plan(self.plan.clone(), options)?;
                let operations = backend.operations_per_pair();
                Ok((Box::new(backend), operations))
            }
            On::Gpu { device, options } => {
                let backend = backends::gpu_backend(self.plan.clone(), *options, device.clone())?;
                Ok((Box::new(backend), None))
            }
        }
    }

    fn threads(&self) -> usize {
        match self.on {
            On::Cpu { threads, .. } => threads,
            On::Gpu { .. } => 1,
        }
    }

    /// Columns of the smallest tile, and rows and columns of the largest.
    fn tiles(&self) -> (usize, [usize; 2]) {
        match self.on {
            On::Cpu { .. } => (COLUMNS, [2 * COLUMNS, COLUMNS]),
            On::Gpu { .. } => (1, [GPU_SAMPLES; 2]),
        }
    }

    /// 10⁹ operations a second that the processor's threads, or the GPU, do at most.
    fn peak(&self, control: &Control) -> anyhow::Result<f64> {
        Ok(match &self.on {
            On::Cpu { isa, threads, precision } => peak::gflops(*isa, *precision) * *threads as f64,
            On::Gpu { device, .. } => {
                2e-9 * device.peak(control).map_err(ekernel_core::BackendError::from)?
            }
        })
    }
}

/// A row on its way.
pub(super) struct Run<'a> {
    pub(super) setup: &'a Setup,
    backend: Box<dyn Backend>,
    operations: Option<u64>,
    first_result_seconds: f64,
    /// A pair alone, once all is compiled.
    pair_seconds: f64,
    /// Rows and columns of a tile, once they are found.
    tile: Option<[usize; 2]>,
    /// Seconds that measuring took so far.
    spent: f64,
    rates: Vec<Rate>,
    peaks: Vec<f64>,
}

impl<'a> Run<'a> {
    pub(super) fn start(setup: &'a Setup, control: &Control) -> anyhow::Result<Run<'a>> {
        let one = random(setup.network.input(), 1, 1);
        let started = Instant::now();
        let (backend, operations) = setup.backend()?;
        let session = backend.prepare(Pairs::cross(one.clone(), one.clone()), control)?;
        session.tile(0..1, 0..1, control)?;
        let first_result_seconds = started.elapsed().as_secs_f64();
        let again = Instant::now();
        session.tile(0..1, 0..1, control)?;
        let pair_seconds = again.elapsed().as_secs_f64();
        drop(session);
        Ok(Run {
            setup,
            backend,
            operations,
            first_result_seconds,
            pair_seconds,
            tile: None,
            spent: 0.0,
            rates: vec![],
            peaks: vec![],
        })
    }

    /// One of `passes` that take `seconds` together. Where a pair takes long, later passes are left out, and a pair that takes
    /// longer than all of them was measured already.
    pub(super) fn pass(&mut self, seconds: f64, passes: usize, control: &Control) -> anyhow::Result<()> {
        if self.spent > 2.0 * seconds {
            return Ok(());
        }
        self.peaks.push(self.setup.peak(control)?);
        if self.rates.is_empty() && self.pair_seconds > seconds {
            self.tile = Some([1, 1]);
            self.spent = f64::INFINITY;
            self.rates.push(Rate { wall: 1.0 / self.pair_seconds, processor: None });
            return Ok(());
        }
        let (columns, most) = self.setup.tiles();
        let [rows, cols] = self.tile.unwrap_or(most);
        let (input, threads) = (self.setup.network.input(), self.setup.threads());
        let (first, second) = (random(input, rows, 1), random(input, cols * threads.min(2), 2));
        let session = self.backend.prepare(Pairs::cross(first.clone(), second.clone()), control)?;
        let (started, share) = (Instant::now(), seconds / passes as f64);
        let trial = match self.tile {
            Some([rows, columns]) => {
                if matches!(self.setup.on, On::Gpu { .. }) {
                    // A session finds out as it runs how much a device does at once.
                    session.tile(0..rows, 0..columns, control)?;
                }
                None
            }
            None => Some(rate::tile(&*session, columns, most, share / 3.0, control)?),
        };
        let tile = *self.tile.get_or_insert(trial.map_or(most, |trial| trial.shape));
        self.rates.push(match trial {
            // A trial that took as long as a pass is one.
            Some(trial) if trial.spent.wall > share && threads == 1 => trial.spent.rate(trial.pairs()),
            _ => rate::pairs_per_second(&*session, tile, threads, share, control)?,
        });
        self.spent += started.elapsed().as_secs_f64();
        Ok(())
    }

    pub(super) fn best(&self) -> f64 {
        best(self.rates.iter().map(|rate| rate.wall))
    }

    pub(super) fn finish(self) -> Measured {
        let cost = self.setup.plan.cost();
        let operations = self.operations.unwrap_or(cost.flops) as f64 / 1e9;
        let pairs_per_second = self.best();
        let processor = |rate: &Rate| rate.processor;
        let of_processor = best(self.rates.iter().filter_map(processor));
        let pairs_per_processor_second = (of_processor > 0.0).then_some(of_processor);
        let gflops = pairs_per_second * operations;
        let peak_gflops = best(self.peaks.iter().copied());
        let positions = positions(&self.setup.plan);
        let (precision, instructions) = match &self.setup.on {
            On::Cpu { isa, precision, .. } => (Some(precision.name()), Some(isa.to_string())),
            On::Gpu { .. } => (None, None),
        };
        Measured {
            network: self.setup.name,
            backend: self.backend.describe(),
            kernels: match self.setup.plan.kinds {
                KernelSet::Nngp => vec!["nngp"],
                KernelSet::Both => vec!["nngp", "ntk"],
            },
            precision,
            instructions,
            threads: match self.setup.on {
                On::Cpu { threads, .. } => Some(threads),
                On::Gpu { .. } => None,
            },
            pairs_per_second,
            pairs_per_processor_second,
            positions,
            passes: self.rates.len(),
            median_pairs_per_second: median(self.rates.iter().map(|rate| rate.wall).collect()),
            pairs_at_once: self.tile.map_or(0, |[rows, columns]| rows * columns),
            gflops,
            nominal: self.operations.is_none(),
            peak_gflops,
            peak_fraction: gflops / peak_gflops,
            bytes_per_pair: cost.bytes,
            first_result_seconds: self.first_result_seconds,
        }
    }
}

fn best(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, f64::max)
}

/// The middle value; zero of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
