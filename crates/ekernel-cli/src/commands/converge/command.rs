//! The command: options, the widths one after the other.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use ekernel_core::{Control, KernelSet, Kernels, Network, Pairs, Parameterization, Plan, Samples};
use ekernel_cpu::{CpuBackend, CpuOptions};
use ekernel_data::Source;
use ekernel_experiment::Kind;
use ekernel_gram::describe_samples;

use super::{
    kept::Kept,
    measured::Measured,
    pieces::total,
    report::{Outcome, Series},
    sampling::Sampler,
};
use crate::{
    architecture::{Architecture, located},
    args::{self, ArchitectureFile, KindName, Reading, Resume, Talk, count},
    failure,
    inputs::{ensure_fits, ensure_no_targets},
    kernels::{Computer, ensure_resumable},
    output,
    plot::Format,
    progress::Task,
    samples,
    space::Space,
};

/// Samples of noise where no file is named.
const NOISE: usize = 3;

/// Two jobs as they are typed.
const EXAMPLES: &str = "\
Examples:
  ekernel converge examples/architectures/converge_c4_relu.toml --widths 1,2,3,7,12 --plot converge.svg
  ekernel converge cnn.toml --x images.npz:x[0:5] --networks 200 --kind ntk --resume sampled --out F.npz";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Converge {
    #[command(flatten)]
    arch: ArchitectureFile,
    /// The samples, as `gram` reads them [default: 3 of noise of the network's own shape, uniform in 0..1]
    #[arg(long, value_name = "FILE[:KEY]")]
    x: Option<String>,
    /// Widths of the sampled networks
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,2,3,7,12,23,80", value_parser = count)]
    widths: Vec<usize>,
    /// Networks of each width
    #[arg(long, value_name = "N", default_value = "1000", value_parser = count)]
    networks: usize,
    /// Kernels to compare
    #[arg(long, value_enum, value_delimiter = ',', default_value = "nngp,ntk", ignore_case = true)]
    kind: Vec<KindName>,
    /// Seed of the networks, and of the noise
    #[arg(long, value_name = "S", default_value = "0")]
    seed: u32,
    /// Threads to compute with [default: one per core]
    #[arg(long, value_name = "N", value_parser = count)]
    threads: Option<usize>,
    /// Draw the errors against the width (.svg or .png)
    #[arg(long, value_name = "F.svg")]
    plot: Option<PathBuf>,
    /// The file to store errors and kernels of each width in; docs/files.md
    #[arg(long, value_name = "F.npz")]
    out: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    resume: Resume,
    #[command(flatten)]
    talk: Talk,
}

pub(crate) fn run(arguments: &Converge) -> anyhow::Result<()> {
    let path = arguments.arch.path();
    let architecture = Architecture::read(path)?;
    let network = &architecture.network;
    let mut kinds = args::kinds(&arguments.kind);
    kinds.sort_unstable_by_key(|kind| kind.name());
    kinds.dedup();
    let needed = Kind::needed(&kinds);
    let mut widths = arguments.widths.clone();
    widths.sort_unstable();
    widths.dedup();
    // Every width, before the first takes its time.
    let sized = widths.iter().map(|width| network.with_width(*width)).collect::<Result<Vec<_>, _>>();
    let sized = sized.map_err(|error| located(path, error))?;
    sized
        .iter()
        .try_for_each(|network| Plan::new(network, needed).map(drop))
        .map_err(|e| located(path, e))?;
    ensure_outputs(arguments)?;
    let (samples, name) = read(arguments, &architecture)?;
    let pairs = Pairs::within(samples);

    let task = Task::new(arguments.talk.quiet)?;
    let sampler = Sampler {
        task: &task,
        kept: Kept {
            folder: arguments.resume.folder.as_deref(),
            identity: identity(arguments, network, &name, pairs.first(), task.control())?,
        },
        networks: arguments.networks,
        seed: arguments.seed.into(),
        threads: threads(arguments),
    };
    // Only the standard parameterisation reads a width.
    let of_width = has_standard(network);
    let computed = if of_width { &sized[..] } else { &sized[..1] };
    let exact = computed
        .iter()
        .map(|network| exact_kernels(arguments, &task, network, needed, &pairs))
        .collect::<anyhow::Result<Vec<_>>>()
        .map_err(failure::nothing_kept)?;
    let mut series: Vec<Series> = kinds.iter().map(|kind| Series::new(*kind)).collect();
    for (i, (width, network)) in widths.iter().zip(&sized).enumerate() {
        let exact = &exact[if of_width { i } else { 0 }];
        for series in &mut series {
            let kind = series.kind;
            let label =
                format!("{} of width {width} ({} of {})", kind.name().to_uppercase(), i + 1, widths.len());
            let pieces = sampler
                .series(network, &pairs, (kind, *width), &label)
                .map_err(|error| failure::stopped(error, &kept(arguments)))
                .with_context(|| path.display().to_string())?;
            let truth = match kind {
                Kind::Nngp => Some(&exact.nngp),
                Kind::Ntk => exact.ntk.as_ref(),
            }
            .expect("all kernels that are needed are computed");
            series.measured.extend(Measured::new(*width, truth, &pieces));
            series.kernels.extend(total(&pieces));
            series.exact.push(truth.clone());
        }
    }
    let outcome = Outcome {
        architecture: &architecture,
        samples: name,
        networks: arguments.networks,
        seed: arguments.seed,
        series,
    };
    if let Some(out) = &arguments.out {
        outcome.write(out).with_context(|| format!("--out {}", out.display()))?;
    }
    if let Some(plot) = &arguments.plot {
        outcome.draw(plot)?;
    }
    outcome.print(arguments.talk.json)
}

fn ensure_outputs(arguments: &Converge) -> anyhow::Result<()> {
    let source = arguments.x.as_deref().map(Source::parse).transpose()?;
    let mut read = vec![arguments.arch.path()];
    read.extend(source.as_ref().map(|source| source.path.as_path()));
    if let Some(plot) = &arguments.plot {
        Format::of(plot)?;
        output::ensure_writable("--plot", plot, &read)?;
    }
    if let Some(out) = &arguments.out {
        output::ensure_arrays_writable("--out", out, &read)?;
    }
    arguments.resume.folder.as_deref().map_or(Ok(()), ensure_resumable)
}

/// The samples, and what to call them.
fn read(arguments: &Converge, architecture: &Architecture) -> anyhow::Result<(Samples, String)> {
    let input = architecture.network.input();
    let Some(x) = &arguments.x else {
        let name = format!("{NOISE} samples of noise for {input}");
        output::note(arguments.talk.quiet, &format!("no --x: {name}"));
        return Ok((samples::random(input, NOISE, arguments.seed.into()), name));
    };
    let source = Source::parse(x)?;
    ensure_no_targets("--x", &source)?;
    let space = Space::of(std::slice::from_ref(architecture))?;
    let set = space.read_samples(&source, &arguments.reading.options())?;
    if !set.note.is_empty() {
        output::note(arguments.talk.quiet, &format!("--x: {}", set.note));
    }
    ensure_fits(architecture, &set.samples, "--x", x)?;
    let normalizer = arguments.reading.normalize.fit(&set.samples)?;
    Ok((normalizer.apply(set.samples)?, x.clone()))
}

/// What kept networks depend on, a line each; the first that differs is shown.
fn identity(
    arguments: &Converge,
    network: &Network,
    name: &str,
    samples: &Samples,
    control: &Control,
) -> anyhow::Result<String> {
    let values = match arguments.x {
        Some(_) => describe_samples(samples, control)?,
        None => name.to_owned(),
    };
    let Converge { seed, reading, .. } = arguments;
    Ok(format!("seed {seed}\n{values}\n--normalize {}\n{}", reading.normalize, network.to_toml()))
}

/// What is kept where the work stops.
fn kept(arguments: &Converge) -> String {
    match &arguments.resume.folder {
        Some(folder) => {
            format!("; finished networks are kept in {}: the same command continues", folder.display())
        }
        None => "; nothing is kept without --resume DIR".to_owned(),
    }
}

fn threads(arguments: &Converge) -> usize {
    arguments.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

fn has_standard(network: &Network) -> bool {
    let mut weights = network.nodes().iter().filter_map(|node| node.layer.weights());
    weights.any(|weights| weights.parameterization == Parameterization::Standard)
}

fn exact_kernels(
    arguments: &Converge,
    task: &Task,
    network: &Network,
    kinds: KernelSet,
    pairs: &Pairs,
) -> anyhow::Result<Kernels> {
    let precision = ekernel_cpu::Precision::F64;
    let options = CpuOptions { precision, threads: threads(arguments), ..CpuOptions::default() };
    let backend = CpuBackend::new(network, kinds, options)
        .with_context(|| Path::new(arguments.arch.path()).display().to_string())?;
    let computer = Computer { task, backend: &backend, kinds, resume: None, quiet: arguments.talk.quiet };
    Ok(computer.gram(pairs.clone(), "exact kernel", "exact")?.kernels)
}
