//! `ekernel check A.toml`: the CPU backend, and a GPU if there is one, against the literal reference.

use std::{fmt, path::PathBuf};

use clap::{Args, ValueEnum};
use ekernel_core::{
    Backend, BackendError, KernelSet, Kernels, Network, Pairs,
    plan::{Pointwise, Sink},
};
use ekernel_cpu::{CpuBackend, CpuOptions};
use ekernel_gram::GramError;
use ekernel_reference::ReferenceBackend;
use ndarray::Array2;
use serde_json::json;

use super::{
    literal::{affordable, announce},
    sampled,
};
use crate::{
    architecture::{Architecture, located},
    args::{Gpu, Precision, Sampled, Talk},
    backends,
    failure::{self, mistake},
    kernels::Computer,
    output,
    progress::Task,
    samples::{Nasty, nasty},
    table::Table,
    words::duration,
};

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The architecture file
    #[arg(value_name = "A.toml")]
    arch: PathBuf,
    /// Seed of the random samples
    #[arg(long, value_name = "S", default_value = "0")]
    seed: u32,
    /// What is checked
    #[arg(long, value_enum, default_value = "fast")]
    backend: Checked,
    #[command(flatten)]
    gpu: Gpu,
    #[command(flatten)]
    sampled: Sampled,
    #[command(flatten)]
    talk: Talk,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Checked {
    /// The CPU backend in both precisions, and a GPU if there is one
    Fast,
    /// Networks of finite width, sampled: --width, --networks
    Finite,
}

/// How exact a pair has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// The general case.
    Full,
    /// Pairs on which the kernel's formula is known to lose digits.
    Relaxed,
    /// Exactly opposite samples in f32: angles near π are known to the root of the rounding only.
    Opposite,
}

/// The GPU, in tables.
const GPU: &str = "wgpu f32";

/// A backend to check: "cpu f64", "cpu f32" or "wgpu f32".
type Tested = (&'static str, Precision, Box<dyn Backend>);

/// A GPU that has nothing to compare.
struct Without {
    backend: &'static str,
    device: String,
    verdict: Verdict,
    reason: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It does not take the network, and says so before it computes.
    Refused,
    /// It took the network and gave up.
    Failed,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Verdict::Refused => "refused",
            Verdict::Failed => "failed",
        }
    }
}

/// The worst entry of one comparison.
struct Worst {
    backend: &'static str,
    kernel: &'static str,
    error: f64,
    pair: [usize; 2],
    tolerance: f64,
}

pub(crate) fn run(arguments: &Check) -> anyhow::Result<()> {
    ensure_options_fit(arguments)?;
    let architecture = Architecture::read(&arguments.arch)?;
    let whole = &architecture.network;
    ekernel_core::Plan::new(whole, KernelSet::Both).map_err(|error| located(&architecture.path, error))?;
    let network = affordable(&architecture)?;
    let shrunk = network.input() != whole.input();
    if shrunk {
        output::note(
            arguments.talk.quiet,
            &format!(
                "{} are too large for the literal reference: checked on {}",
                whole.input(),
                network.input()
            ),
        );
    }
    let Nasty { names, samples } = nasty(network.input(), arguments.seed.into());
    let task = Task::new(arguments.talk.quiet)?;
    let compute = |backend: &dyn Backend, label: &str| {
        let computer = Computer { task: &task, backend, kinds: KernelSet::Both, resume: None, quiet: true };
        computer.gram(Pairs::within(samples.clone()), label, label).map_err(failure::nothing_kept)
    };
    let pairs = names.len() * (names.len() + 1) / 2;
    if arguments.backend == Checked::Finite {
        let wanted = (&arguments.sampled, &arguments.talk);
        announce(&network, pairs as u64, arguments.talk.quiet);
        let reference = |network: &Network| {
            let backend = ReferenceBackend::new(network, KernelSet::Both);
            Ok(compute(&backend, "reference")?.kernels)
        };
        let (names, samples) = (&names[..], &samples);
        return sampled::check(&architecture, &network, (names, samples), wanted, &task, reference);
    }
    // First, so that a missing adapter is an error before the reference takes its time.
    let (tested, mut without) = tested(arguments, &network)?;
    announce(&network, pairs as u64, arguments.talk.quiet);
    let reference = compute(&ReferenceBackend::new(&network, KernelSet::Both), "reference")?;
    let mut worst = Vec::new();
    let mut seconds = vec![("reference".to_owned(), reference.work.seconds)];
    for (name, precision, backend) in tested {
        let computed = match compute(backend.as_ref(), name) {
            Ok(computed) => computed,
            Err(error) => {
                without.push(Without::of(name, Verdict::Failed, error)?);
                continue;
            }
        };
        seconds.push((backend.describe(), computed.work.seconds));
        for demand in [Demand::Full, Demand::Relaxed, Demand::Opposite] {
            if precision == Precision::F64 && demand == Demand::Opposite {
                continue;
            }
            let pairs = |i: usize, j: usize| demanded(precision, &names, i, j) == demand;
            let tolerance = tolerance(&network, precision, demand)?;
            worst.extend(compare(&reference.kernels, &computed.kernels, name, tolerance, pairs));
        }
    }
    let ended = outcome(&worst, &without, arguments.gpu.adapter.is_some());
    if arguments.talk.json {
        let rows: Vec<_> = worst
            .iter()
            .map(|worst| {
                json!({
                    "backend": worst.backend,
                    "kernel": worst.kernel,
                    "error": worst.error,
                    "tolerance": worst.tolerance,
                    "pair": worst.pair.map(|i| names[i]),
                    "ok": worst.is_fine(),
                })
            })
            .collect();
        output::print_json(&json!({
            "program": output::PROGRAM,
            "name": architecture.name,
            "input": network.input().shape(),
            "shrunk": shrunk,
            "samples": names,
            "worst": rows,
            "seconds": seconds.iter().map(|(name, seconds)| json!({ "backend": name, "seconds": seconds })).collect::<Vec<_>>(),
            "without": without.iter().map(Without::json).collect::<Vec<_>>(),
            "ok": ended.is_ok(),
        }))?;
    } else {
        let mut table = Table::new(["backend", "kernel", "worst error", "allowed", "at the pair", "verdict"]);
        for entry in &worst {
            table.row([
                entry.backend.to_owned(),
                entry.kernel.to_uppercase(),
                format!("{:.1e}", entry.error),
                format!("{:.0e}", entry.tolerance),
                format!("{} with {}", names[entry.pair[0]], names[entry.pair[1]]),
                if entry.is_fine() { "ok".to_owned() } else { "WRONG".to_owned() },
            ]);
        }
        for gpu in &without {
            let row = [gpu.backend, "", "", "", "", gpu.verdict.name()];
            table.row(row.map(str::to_owned));
        }
        let reasons: Vec<String> = without.iter().map(|gpu| format!("{gpu}\n")).collect();
        let times: Vec<String> =
            seconds.iter().map(|(name, seconds)| format!("{name} {}", duration(*seconds))).collect();
        output::print(&format!(
            "{} on {}, {} samples ({}); errors relative to the largest entry\n\n{table}\n{}{}\n",
            architecture.name,
            network.input(),
            names.len(),
            names.join(", "),
            reasons.concat(),
            times.join(", ")
        ))?;
    }
    ended
}

/// Refuses options of the other kind of check.
fn ensure_options_fit(arguments: &Check) -> anyhow::Result<()> {
    let finite = arguments.backend == Checked::Finite;
    match (finite, arguments.sampled.given(), arguments.gpu.given()) {
        (false, Some(option), _) => {
            Err(mistake(format!("{option}: only --backend finite samples networks; leave {option} out")))
        }
        (true, _, Some(option)) => {
            Err(mistake(format!("{option}: --backend finite computes on no adapter; leave {option} out")))
        }
        _ => Ok(()),
    }
}

/// What the command ends with: nothing, or the first thing that is wrong. That a GPU refuses the network is wrong of one that was
/// named.
fn outcome(worst: &[Worst], without: &[Without], named: bool) -> anyhow::Result<()> {
    if let Some(wrong) = worst.iter().find(|entry| !entry.is_fine()) {
        return Err(anyhow::anyhow!("{} differs from the reference; please report it", wrong.backend));
    }
    match without.iter().find(|gpu| named || gpu.verdict == Verdict::Failed) {
        Some(gpu) => Err(anyhow::anyhow!("{gpu}")),
        None => Ok(()),
    }
}

/// The backends to check: the CPU in both precisions, and the GPU that is named, or a hardware one, unless it refuses the network.
fn tested(arguments: &Check, network: &Network) -> anyhow::Result<(Vec<Tested>, Vec<Without>)> {
    let mut tested: Vec<Tested> = Vec::new();
    for (name, precision) in [("cpu f64", Precision::F64), ("cpu f32", Precision::F32)] {
        let options = CpuOptions { precision: precision.of_backend(), ..CpuOptions::default() };
        tested.push((name, precision, Box::new(CpuBackend::new(network, KernelSet::Both, options)?)));
    }
    let device = match &arguments.gpu.adapter {
        Some(adapter) => Some(backends::open(Some(adapter))?),
        None => backends::hardware(),
    };
    let mut without = vec![];
    match device {
        Some(device) => {
            let options = backends::gpu_options(&arguments.gpu, &device, arguments.talk.quiet);
            let plan = ekernel_core::Plan::new(network, KernelSet::Both)?;
            match backends::gpu_backend(plan, options, device) {
                Ok(backend) => tested.push((GPU, Precision::F32, Box::new(backend))),
                Err(error) => without.push(Without::of(GPU, Verdict::Refused, error.into())?),
            }
        }
        None => output::note(
            arguments.talk.quiet,
            "no hardware GPU was found, so none is checked; --adapter names another (see ekernel devices)",
        ),
    }
    Ok((tested, without))
}

impl Without {
    /// The device's own words.
    ///
    /// Errors: whatever is not of the device.
    fn of(backend: &'static str, verdict: Verdict, error: anyhow::Error) -> anyhow::Result<Without> {
        let said = error.chain().find_map(|cause| {
            let cause = match cause.downcast_ref() {
                Some(GramError::Backend(error)) => Some(error),
                _ => cause.downcast_ref::<BackendError>(),
            };
            match cause? {
                BackendError::Device { device, problem, .. } => Some((device.clone(), problem.clone())),
                _ => None,
            }
        });
        let Some((device, reason)) = said else { return Err(error) };
        Ok(Without { backend, device, verdict, reason })
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "backend": self.backend,
            "device": self.device,
            "verdict": self.verdict.name(),
            "reason": self.reason,
        })
    }
}

impl fmt::Display for Without {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.backend, self.verdict.name(), self.reason)
    }
}

/// Which demand a pair belongs to. In f64 an angle near zero (repeated, collinear or constant patches) costs the reference
/// half its digits, so only random pairs are held to all of them; in f32 near repeats and opposites are the hard ones.
fn demanded(precision: Precision, names: &[&str], i: usize, j: usize) -> Demand {
    let either = |name: &str| names[i] == name || names[j] == name;
    match precision {
        Precision::F64 if i != j && names[i] == "random" && names[j] == "random" => Demand::Full,
        Precision::F64 => Demand::Relaxed,
        Precision::F32 if i != j && either("opposite") => Demand::Opposite,
        Precision::F32 if either("nearly repeated") || either("turned") => Demand::Relaxed,
        Precision::F32 => Demand::Full,
    }
}

/// Allowed errors, relative to the largest entry.
fn tolerance(network: &Network, precision: Precision, demand: Demand) -> anyhow::Result<f64> {
    Ok(match (precision, demand) {
        (Precision::F64, Demand::Full) => 1e-12,
        (Precision::F64, Demand::Relaxed | Demand::Opposite) => 2e-8,
        (Precision::F32, Demand::Full) => 1e-6,
        // Measured 4.9e-6 on one ReLU behind a 3×3 convolution of 5×5 pixels, less on larger networks.
        (Precision::F32, Demand::Opposite) => 5e-5,
        (Precision::F32, Demand::Relaxed) => {
            let plan = ekernel_core::Plan::new(network, KernelSet::Both)?;
            let pools = plan.stages.iter().any(|stage| matches!(stage.sink, Sink::LocalPool { .. }));
            if pools || plan.pointwise().any(Pointwise::is_smooth_dual) { 5e-5 } else { 1e-6 }
        }
    })
}

fn compare(
    truth: &Kernels,
    found: &Kernels,
    backend: &'static str,
    tolerance: f64,
    counts: impl Fn(usize, usize) -> bool,
) -> Vec<Worst> {
    let worst = |kernel, truth: &Array2<f64>, found: &Array2<f64>| {
        let largest = truth.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
        let mut worst = Worst { backend, kernel, error: 0.0, pair: [0, 0], tolerance };
        for (((i, j), a), b) in truth.indexed_iter().zip(found).filter(|(((i, j), _), _)| counts(*i, *j)) {
            let error = (a - b).abs() / largest;
            if error > worst.error || error.is_nan() {
                worst = Worst { error, pair: [i, j], ..worst };
            }
        }
        worst
    };
    let mut all = vec![worst("nngp", &truth.nngp, &found.nngp)];
    if let (Some(truth), Some(found)) = (&truth.ntk, &found.ntk) {
        all.push(worst("ntk", truth, found));
    }
    all
}

impl Worst {
    fn is_fine(&self) -> bool {
        self.error <= self.tolerance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_wrong_where_it_was_named() {
        let entry = |error| Worst { backend: "cpu f32", kernel: "ntk", error, pair: [0, 1], tolerance: 1e-6 };
        let gpu = |verdict| {
            let (device, reason) = ("a card".to_owned(), "too large".to_owned());
            vec![Without { backend: GPU, device, verdict, reason }]
        };
        let ended = |worst, without: &[Without], named| outcome(&[entry(worst)], without, named);
        assert!(ended(1e-7, &[], true).is_ok());
        assert!(ended(1e-7, &gpu(Verdict::Refused), false).is_ok());
        for (worst, without, named, words) in [
            (1e-7, gpu(Verdict::Refused), true, "wgpu f32 refused: too large"),
            (1e-7, gpu(Verdict::Failed), false, "wgpu f32 failed: too large"),
            (1e-5, vec![], false, "cpu f32 differs"),
            (f64::NAN, gpu(Verdict::Refused), false, "cpu f32 differs"),
        ] {
            let problem = ended(worst, &without, named).unwrap_err().to_string();
            assert!(problem.contains(words), "{problem}");
        }
    }
}
