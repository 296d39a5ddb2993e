//! `ekernel bench`: the CPU backend on the networks of table 1 in "Equivariant Neural Tangent Kernels" (Misof, Kessel and
//! Gerken 2025).

mod peak;

use std::time::{Duration, Instant};

use clap::Args;
use ekernel_core::{
    Activation, Control, Conv, Dense, GlobalPool, Group, GroupConv, Input, Kinds, Layer, Lift, Network,
    Padding, Pairs, Plan,
};
use serde::Serialize;

use crate::{
    args::{Precision, Talk, count},
    backends, output,
    report::{duration, number, table::Table},
    samples::random,
};

#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// Floating point numbers to compute with
    #[arg(long, value_enum, default_value = "f32")]
    precision: Precision,
    /// Numbers of threads to measure [default: one, and one per core]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = count)]
    threads: Vec<usize>,
    /// Seconds to measure each
    #[arg(long, value_name = "S", default_value = "2", value_parser = seconds)]
    seconds: f64,
    #[command(flatten)]
    talk: Talk,
}

/// One network on one number of threads.
#[derive(Serialize)]
struct Measured {
    network: &'static str,
    backend: String,
    threads: usize,
    pairs_per_second: f64,
    /// Nominal operations, those of [`Plan::cost`].
    gflops: f64,
    /// Of the multiply-adds that as many cores could do.
    peak_fraction: f64,
    bytes_per_pair: u64,
    first_result_seconds: f64,
}

/// Images of a tile, each side.
const TILE: usize = 32;

pub(crate) fn run(arguments: &Bench) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads = if arguments.threads.is_empty() { vec![1, cores] } else { arguments.threads.clone() };
    threads.sort_unstable();
    threads.dedup();
    let networks = [
        ("CNN valid", table1(None, Padding::Valid)?),
        ("CNN same", table1(None, Padding::Same)?),
        ("C4 valid", table1(Some(Group::C4), Padding::Valid)?),
        ("C4 same", table1(Some(Group::C4), Padding::Same)?),
    ];
    let peak = peak::gflops(arguments.precision);
    let mut rows = Vec::new();
    for (name, network) in &networks {
        for &threads in &threads {
            output::note(arguments.talk.quiet, &format!("{name}, {threads} thread(s)"));
            rows.push(measure(name, network, threads, peak, arguments)?);
        }
    }
    if arguments.talk.json {
        return output::print_json(
            &serde_json::json!({ "program": output::PROGRAM,  "kernels": ["nngp", "ntk"], "core_peak_gflops": peak, "measured": rows }),
        );
    }
    let mut table =
        Table::new(["32×32×3", "threads", "pairs/s", "GFLOP/s", "of peak", "bytes/pair", "first result"]);
    for row in &rows {
        table.row([
            row.network.to_owned(),
            row.threads.to_string(),
            number(row.pairs_per_second),
            number(row.gflops),
            format!("{:.0} %", 100.0 * row.peak_fraction),
            row.bytes_per_pair.to_string(),
            duration(row.first_result_seconds),
        ]);
    }
    output::print(&format!(
        "{}, NNGP and NTK together; operations are nominal, a core's measured peak is {} GFLOP/s\n\n{table}",
        rows[0].backend,
        number(peak)
    ))
}

fn measure(
    name: &'static str,
    network: &Network,
    threads: usize,
    peak: f64,
    arguments: &Bench,
) -> anyhow::Result<Measured> {
    let cost = Plan::new(network, Kinds::Both)?.cost();
    let (first, second) = (random(network.input(), TILE, 1), random(network.input(), TILE, 2));
    let control = Control::new();
    let started = Instant::now();
    let backend = backends::cpu(network, Kinds::Both, arguments.precision, threads)?;
    let session = backend.prepare(Pairs::Between(&first, &second), &control)?;
    session.tile(0..1, 0..1, &control)?;
    let first_result_seconds = started.elapsed().as_secs_f64();
    session.tile(0..TILE, 0..TILE, &control)?;
    let (started, mut tiles) = (Instant::now(), 0);
    while tiles == 0 || started.elapsed() < Duration::from_secs_f64(arguments.seconds) {
        session.tile(0..TILE, 0..TILE, &control)?;
        tiles += 1;
    }
    let pairs_per_second = (tiles * TILE * TILE) as f64 / started.elapsed().as_secs_f64();
    let gflops = pairs_per_second * cost.flops as f64 / 1e9;
    Ok(Measured {
        network: name,
        backend: backend.describe(),
        threads,
        pairs_per_second,
        gflops,
        peak_fraction: gflops / (peak * threads as f64),
        bytes_per_pair: cost.bytes,
        first_result_seconds,
    })
}

/// Five convolutions with ReLUs, the pool, and a head of one hidden layer.
fn table1(group: Option<Group>, padding: Padding) -> anyhow::Result<Network> {
    let mut builder = Network::builder(Input::Image { height: 32, width: 32, channels: 3 });
    for layer in 0..5 {
        builder = match group {
            None => builder.layer(Conv::new([3, 3]).padding(padding)),
            Some(group) if layer == 0 => builder.layer(Lift::new(group, [3, 3]).padding(padding)),
            Some(_) => builder.layer(GroupConv::new([3, 3]).padding(padding)),
        };
        builder = builder.layer(Activation::Relu);
    }
    let pooled = match group {
        None => builder.layer(GlobalPool::mean()),
        Some(_) => builder.layer(Layer::GroupPool),
    };
    Ok(pooled.layer(Dense::new()).layer(Activation::Relu).layer(Dense::new()).build()?)
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("give a number of seconds above 0, at most 3600".to_owned()),
    }
}
