//! `ekernel bench`: the CPU backend on the networks that the field compares itself on.

mod networks;
mod peak;
mod rate;

use std::time::Instant;

use clap::Args;
use ekernel_core::{Backend, Control, Kinds, Network, Pairs, Plan, Session};
use ekernel_cpu::{CpuBackend, CpuOptions, simd::Isa};
use serde::Serialize;

use crate::{
    args::{Precision, Talk, count},
    failure::mistake,
    output,
    report::{counted, duration, number, table::Table},
    samples::random,
};

#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// Networks to measure, of `cnn-valid cnn-same c4-valid c4-same cnn21 myrtle5 so3-relu so3-relu-fast
    /// so3-erf` [default: all]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = networks::name)]
    networks: Vec<&'static str>,
    /// Floating point numbers to compute with
    #[arg(long, value_enum, default_value = "f32")]
    precision: Precision,
    /// Numbers of threads to measure [default: one, and one per core]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = count)]
    threads: Vec<usize>,
    /// Instruction sets to measure, widest first; `all` for those of this processor [default: the widest]
    #[arg(long, value_name = "ISA,…", value_delimiter = ',')]
    isa: Vec<String>,
    /// Seconds to measure each
    #[arg(long, value_name = "S", default_value = "3", value_parser = seconds)]
    seconds: f64,
    #[command(flatten)]
    talk: Talk,
}

/// One network, on one instruction set and number of threads.
#[derive(Serialize)]
struct Measured {
    network: &'static str,
    backend: String,
    threads: usize,
    /// In the best of [`PASSES`].
    pairs_per_second: f64,
    /// In the middle one.
    median_pairs_per_second: f64,
    /// Operations that are executed; those of [`Plan::cost`] where `nominal`.
    gflops: f64,
    nominal: bool,
    /// Of the best multiply-adds that as many cores did in any pass.
    peak_fraction: f64,
    bytes_per_pair: u64,
    first_result_seconds: f64,
}

/// Samples of a session, each side: whole registers of second samples.
const IMAGES: usize = 32;

/// Passes over all rows of the table, so that whatever slows the machine for a while slows every row.
const PASSES: usize = 9;

pub(crate) fn run(arguments: &Bench) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads = if arguments.threads.is_empty() { vec![1, cores] } else { arguments.threads.clone() };
    threads.sort_unstable();
    threads.dedup();
    let names =
        if arguments.networks.is_empty() { networks::NAMES.to_vec() } else { arguments.networks.clone() };

    let mut setups = Vec::new();
    for name in names {
        for isa in isas(&arguments.isa)? {
            for &threads in &threads {
                setups.push(Setup::new(name, isa, threads, arguments.precision)?);
            }
        }
    }
    let mut runs = Vec::new();
    for setup in &setups {
        output::note(
            arguments.talk.quiet,
            &format!(
                "{} on {}: first result",
                setup.name,
                counted(setup.threads as u64, "thread", "threads")
            ),
        );
        runs.push(Run::start(setup)?);
    }
    for pass in 1..=PASSES {
        output::note(arguments.talk.quiet, &format!("pass {pass} of {PASSES}"));
        for run in &mut runs {
            run.pass(arguments)?;
        }
    }
    let rows = runs.into_iter().map(Run::finish).collect::<anyhow::Result<Vec<_>>>()?;
    if arguments.talk.json {
        return output::print_json(
            &serde_json::json!({ "program": output::PROGRAM, "kernels": ["nngp", "ntk"], "passes": PASSES, "measured": rows }),
        );
    }
    output::print(&table(&rows, arguments.precision))
}

fn table(rows: &[Measured], precision: Precision) -> String {
    let mut table = Table::new([
        "network",
        "on",
        "threads",
        "pairs/s",
        "median",
        "GFLOP/s",
        "of peak",
        "bytes/pair",
        "first result",
    ]);
    for row in rows {
        table.row([
            row.network.to_owned(),
            row.backend.clone(),
            row.threads.to_string(),
            number(row.pairs_per_second),
            number(row.median_pairs_per_second),
            format!("{}{}", number(row.gflops), if row.nominal { "*" } else { "" }),
            format!("{:.0} %", 100.0 * row.peak_fraction),
            row.bytes_per_pair.to_string(),
            duration(row.first_result_seconds),
        ]);
    }
    let star = if rows.iter().any(|row| row.nominal) {
        "* nominal operations: the network runs op by op, where executed ones are not counted\n"
    } else {
        ""
    };
    format!(
        "{}, NNGP and NTK together; the best and the median of {PASSES} passes; the peak is that of fused multiply-adds in the same passes\n\n{table}{star}",
        precision.name()
    )
}

/// The instruction sets of these names.
fn isas(names: &[String]) -> anyhow::Result<Vec<Isa>> {
    let available = Isa::available();
    if names.is_empty() {
        return Ok(vec![Isa::best()]);
    }
    if names.iter().any(|name| name == "all") {
        return Ok(available);
    }
    let of = |name: &String| {
        available.iter().find(|isa| isa.to_string() == *name).copied().ok_or_else(|| {
            let known: Vec<String> = available.iter().map(Isa::to_string).collect();
            mistake(format!("--isa {name}: this processor has {}", known.join(", ")))
        })
    };
    names.iter().map(of).collect()
}

/// What is measured in one row.
struct Setup {
    name: &'static str,
    network: Network,
    backend: CpuBackend,
    isa: Isa,
    threads: usize,
    precision: Precision,
}

impl Setup {
    fn new(name: &'static str, isa: Isa, threads: usize, precision: Precision) -> anyhow::Result<Setup> {
        let network = networks::network(name)?;
        let options = CpuOptions { precision: precision.of_backend(), threads, isa, ..CpuOptions::default() };
        let plan = Plan::with_quadrature(&network, Kinds::Both, networks::quadrature(name))?;
        let backend = CpuBackend::from_plan(plan, options)?;
        Ok(Setup { name, network, backend, isa, threads, precision })
    }
}

/// A row on its way.
struct Run<'a> {
    setup: &'a Setup,
    first_result_seconds: f64,
    /// First images of a tile.
    rows: usize,
    rates: Vec<f64>,
    peaks: Vec<f64>,
}

impl<'a> Run<'a> {
    fn start(setup: &'a Setup) -> anyhow::Result<Run<'a>> {
        let started = Instant::now();
        let one = random(setup.network.input(), 1, 1);
        let control = Control::new();
        let session = setup.backend.prepare(Pairs::Between(&one, &one), &control)?;
        session.tile(0..1, 0..1, &control)?;
        let first_result_seconds = started.elapsed().as_secs_f64();
        Ok(Run { setup, first_result_seconds, rows: 0, rates: vec![], peaks: vec![] })
    }

    fn pass(&mut self, arguments: &Bench) -> anyhow::Result<()> {
        let input = self.setup.network.input();
        let (first, second) = (random(input, IMAGES, 1), random(input, IMAGES, 2));
        let session: Box<dyn Session + '_> =
            self.setup.backend.prepare(Pairs::Between(&first, &second), &Control::new())?;
        if self.rows == 0 {
            self.rows = rate::rows(&*session, arguments.seconds / PASSES as f64)?;
        }
        self.peaks.push(peak::gflops(self.setup.isa, self.setup.precision));
        let seconds = arguments.seconds / PASSES as f64;
        self.rates.push(rate::pairs_per_second(&*session, self.rows, self.setup.threads, seconds)?);
        Ok(())
    }

    fn finish(self) -> anyhow::Result<Measured> {
        let cost = self.setup.backend.plan().cost();
        let executed = self.setup.backend.operations_per_pair();
        let operations = executed.unwrap_or(cost.flops) as f64 / 1e9;
        let best = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
        let pairs_per_second = best(&self.rates);
        let gflops = pairs_per_second * operations;
        Ok(Measured {
            network: self.setup.name,
            backend: self.setup.backend.describe(),
            threads: self.setup.threads,
            pairs_per_second,
            median_pairs_per_second: median(self.rates),
            gflops,
            nominal: executed.is_none(),
            peak_fraction: gflops / (best(&self.peaks) * self.setup.threads as f64),
            bytes_per_pair: cost.bytes,
            first_result_seconds: self.first_result_seconds,
        })
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("give a number of seconds above 0, at most 3600".to_owned()),
    }
}
