//! The arguments of `ekernel gram`, and from them to a matrix that is ready to be computed.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use ekernel_core::Pairs;
use ekernel_data::{Dataset, Normalization, Source};
use ekernel_experiment::Kind;
use ekernel_gram::{FolderStore, Shard};
use serde_json::json;

use super::{file, shards, work::Work};
use crate::{
    architecture::{Architecture, located},
    args::{self, ArchitectureFile, BackendName, Compute, KindName, Reading, Resume, ShardChoice},
    augment::Augment,
    backends,
    failure::mistake,
    inputs::{ensure_fits, ensure_no_targets, ensure_same_scale},
    output,
    space::Space,
};

/// Jobs as they are typed.
const EXAMPLES: &str = "\
Examples:
  ekernel gram cnn.toml --x1 images/test --x2 images/train --kind ntk --resume tiles --out K.npz
  ekernel gram cnn.toml --x1 images.npz:x --out K.zarr --shard 3/16";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Gram {
    #[command(flatten)]
    arch: ArchitectureFile,
    /// The first samples: FILE.npz:KEY, `FILE.npz:KEY[0:300]`, FILE.npy, TABLE.csv, a folder of images, idx or CIFAR files;
    /// molecules as FILE:ROWS
    #[arg(long, value_name = "FILE[:KEY]")]
    x1: String,
    /// The second samples [default: the first again]
    #[arg(long, value_name = "FILE[:KEY]")]
    x2: Option<String>,
    /// Kernels to compute
    #[arg(long, value_enum, value_delimiter = ',', default_value = "nngp,ntk", ignore_case = true)]
    kind: Vec<KindName>,
    /// Where to store them: a file K.npz with `nngp`, `ntk`, names of the samples and `metadata` (JSON), a file K.npy with one
    /// kernel, or a Zarr store K.zarr, which several processes can fill; docs/files.md
    #[arg(long, value_name = "K.npz|K.npy|K.zarr")]
    out: PathBuf,
    /// Average the kernel over each second image and its mirror image, at twice the work: that of training on both
    #[arg(long, value_enum, value_name = "flip", conflicts_with = "folder")]
    augment: Option<Augment>,
    /// Compute one of N parts of a Zarr store, or the part of this task of a Slurm job array; any part in any order, on any
    /// machine. `ekernel status` lists those to run
    #[arg(long, value_name = "I/N|auto")]
    shard: Option<ShardChoice>,
    /// Rows and columns of the chunks of a Zarr store [default: 1024]; a smaller number divides small matrices finer
    #[arg(long, value_name = "ROWS", value_parser = args::count)]
    chunk: Option<usize>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    resume: Resume,
    #[command(flatten)]
    compute: Compute,
}

pub(crate) fn run(arguments: &Gram) -> anyhow::Result<()> {
    let Gram { arch, x1, x2, kind, out, augment, reading, resume, compute, .. } = arguments;
    let arch = arch.path();
    let architecture = Architecture::read(arch)?;
    let kind = args::kinds(kind);
    let kinds = Kind::needed(&kind);
    let options = reading.options();
    compute.ensure_fits(&architecture.network)?;
    if let Some(augment) = augment {
        augment.ensure_fits(std::slice::from_ref(&architecture), compute.backend)?;
    }
    let quadrature = compute.quadrature;
    let sampled = compute.backend == BackendName::Finite;
    if !sampled {
        ekernel_core::Plan::with_quadrature(&architecture.network, kinds, quadrature)
            .map_err(|error| located(arch, error))?;
    } else if resume.folder.is_some() {
        return Err(mistake(
            "--resume: --backend finite has no tiles; ekernel converge --resume keeps sampled networks",
        ));
    }
    let first_source = Source::parse(x1)?;
    let second_source = x2.as_deref().map(Source::parse).transpose()?;
    ensure_no_targets("--x1", &first_source)?;
    second_source.iter().try_for_each(|source| ensure_no_targets("--x2", source))?;
    let mut read_files = vec![arch, first_source.path.as_path()];
    read_files.extend(second_source.as_ref().map(|source| source.path.as_path()));
    let shard = arguments.shard()?;
    match shard {
        Some(_) => shards::ensure_storable(out, resume.folder.is_some(), sampled, augment.is_some())?,
        None => file::ensure_writable(out, &kind, &read_files)?,
    }
    // Opened before the samples are read: a folder that cannot serve is refused before the work.
    let store = resume.folder.as_deref().map(FolderStore::open).transpose()?;

    let space = Space::of(std::slice::from_ref(&architecture))?;
    let read = |option: &str, name: &str, source: &Source| -> anyhow::Result<Dataset> {
        let set = space.read_samples(source, &options)?;
        if !set.note.is_empty() {
            output::note(compute.talk.quiet, &format!("{option}: {}", set.note));
        }
        ensure_fits(&architecture, &set.samples, option, name)?;
        Ok(set)
    };
    let first = read("--x1", x1, &first_source)?;
    let second = match (x2, &second_source) {
        (Some(x2), Some(source)) => {
            let second = read("--x2", x2, source)?
                .aligned_with(&first)
                .with_context(|| format!("--x1 {x1} and --x2 {x2}"))?;
            let names = [format!("--x1 {x1}: the samples"), format!("those of --x2 {x2}")];
            ensure_same_scale(
                [&first.samples, &second.samples],
                [&names[0], &names[1]],
                reading.normalize,
                compute.talk.quiet,
            )?;
            Some(second)
        }
        _ => None,
    };
    let first_names = names(&first);
    let names = [first_names.clone(), second.as_ref().map_or(first_names, names)];
    // Of both sets the first is fitted to, mirrored too where the kernel is: see `predict`.
    let normalizer = match (augment, reading.normalize) {
        (Some(augment), Normalization::Zca { .. }) => {
            reading.normalize.fit(&augment.with_copies(&first.samples))?
        }
        _ => reading.normalize.fit(&first.samples)?,
    };
    let first = normalizer.apply(first.samples)?;
    let pairs = match second {
        Some(second) => Pairs::cross(first, normalizer.apply(second.samples)?),
        None => Pairs::within(first),
    };

    let chosen = backends::choose(compute, &architecture.network, kinds)
        .with_context(|| arch.display().to_string())?;
    let shape = [pairs.first().len(), pairs.second().len()];
    // Nothing here may differ between an interrupted and an uninterrupted run: no times, no thread counts.
    let facts = json!({
        "program": output::PROGRAM,
        "architecture": architecture.network.to_toml(),
        "backend": chosen.backend.describe(),
        "precision": chosen.precision.name(),
        "quadrature": args::quadrature_name(quadrature),
        "x1": x1,
        "x2": x2,
        "normalize": normalizer.to_string(),
        "augment": augment.map(Augment::name),
        "shape": shape,
        "kernels": kind.iter().map(|kind| kind.name()).collect::<Vec<_>>(),
    });
    let label = architecture.name.clone();
    let network = &architecture.network;
    let augment = *augment;
    let work = Work { out, augment, arch, network, label, kind, kinds, pairs, names, chosen, facts, compute };
    match shard {
        Some(shard) => shards::compute(work, shard, arguments.chunk),
        None => file::compute(work, store),
    }
}

impl Gram {
    /// The part that is computed into a Zarr store; `None` for a file.
    fn shard(&self) -> anyhow::Result<Option<Shard>> {
        if self.out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zarr")) {
            let variable = |name: &str| std::env::var(name).ok();
            return match self.shard {
                None => Ok(Some(Shard::WHOLE)),
                Some(choice) => choice
                    .shard(variable)
                    .map(Some)
                    .map_err(|problem| mistake(format!("--shard auto: {problem}"))),
            };
        }
        for (option, given) in [("--shard", self.shard.is_some()), ("--chunk", self.chunk.is_some())] {
            if given {
                let out = self.out.display();
                return Err(mistake(format!(
                    "{option}: --out {out} is no Zarr store, which alone has one; name it {}",
                    self.out.with_extension("zarr").display()
                )));
            }
        }
        Ok(None)
    }
}

/// A name for each sample: its row where the data have no names.
fn names(set: &Dataset) -> Vec<String> {
    set.names.clone().unwrap_or_else(|| (0..set.samples.len()).map(|row| row.to_string()).collect())
}
