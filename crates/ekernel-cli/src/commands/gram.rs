//! `ekernel gram`: a Gram matrix, stored.

use std::{path::PathBuf, time::Instant};

use anyhow::Context;
use clap::Args;
use ekernel_core::Pairs;
use ekernel_data::{Dataset, Normalization, Source, write_npz};
use ekernel_experiment::{Kind, Work};
use ekernel_gram::FolderStore;
use serde_json::json;

use crate::{
    architecture::{Architecture, located},
    args::{self, ArchitectureFile, BackendName, Compute, KindName, Reading, Resume},
    augment::Augment,
    backends,
    failure::{self, mistake},
    inputs::{ensure_fits, ensure_no_targets, ensure_same_scale},
    kernels::{Computed, Computer},
    matrices::Matrices,
    output,
    progress::Task,
    space::Space,
    words::work_line,
};

/// Two jobs as they are typed.
const EXAMPLES: &str = "\
Examples:
  ekernel gram cnn.toml --x1 images.npz:x --out K.npz
  ekernel gram cnn.toml --x1 images/test --x2 images/train --kind ntk --resume tiles --out K.npz";

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
    /// The file to store them in: `nngp`, `ntk`, names of the samples and `metadata` (JSON); docs/files.md
    #[arg(long, value_name = "K.npz")]
    out: PathBuf,
    /// Average the kernel over each second image and its mirror image, at twice the work: that of training on both
    #[arg(long, value_enum, value_name = "flip", conflicts_with = "folder")]
    augment: Option<Augment>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    resume: Resume,
    #[command(flatten)]
    compute: Compute,
}

pub(crate) fn run(arguments: &Gram) -> anyhow::Result<()> {
    let Gram { arch, x1, x2, kind, out, augment, reading, resume, compute } = arguments;
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
    output::ensure_arrays_writable("--out", out, &read_files)?;
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
    let names = [Some(&first), second.as_ref()].map(|set| set.map(names));
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
    let task = Task::new(compute.talk.quiet)?;
    let computer =
        Computer { task: &task, backend: &*chosen.backend, kinds, resume: None, quiet: compute.talk.quiet };
    let shape = [pairs.first().len(), pairs.second().len()];
    output::ensure_room("--out", out, shape, kind.len() as u64 * if sampled { 2 } else { 1 })?;
    let (matrices, work) = match store {
        None if sampled => {
            let backend = backends::finite(compute, &architecture.network, kinds)
                .with_context(|| arch.display().to_string())?;
            task.begin_on(&architecture.name, "networks");
            let started = Instant::now();
            let estimate = backend.estimate(&pairs, task.control());
            task.end();
            let estimate = estimate.map_err(|error| failure::nothing_kept(error.into()));
            let seconds = started.elapsed().as_secs_f64();
            let [rows, cols] = shape.map(|n| n as u64);
            let count = if pairs.is_symmetric() { rows * (rows + 1) / 2 } else { rows * cols };
            let estimate = estimate.with_context(|| arch.display().to_string())?;
            (Matrices::Sampled(estimate), Work { pairs: count, seconds })
        }
        Some(store) => {
            let store = store.reserving(out, output::matrix_bytes(shape, kind.len() as u64));
            let Computed { kernels, work } = computer.stream(pairs.clone(), &architecture.name, store)?;
            (Matrices::Stored(kernels), work)
        }
        None => {
            let Computed { kernels, work } =
                computer.augmented(*augment, pairs.clone(), &architecture.name, "")?;
            (Matrices::Held(kernels), work)
        }
    };

    // Nothing here may differ between an interrupted and an uninterrupted run: no times, no thread counts.
    let mut facts = json!({
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
    let metadata = facts.to_string();
    let control = task.control();
    let rows = matrices.rows(control);
    let mut arrays = matrices.arrays(&rows, &kind);
    let [first_names, second_names] = &names;
    let second_names = if second_names.is_some() { second_names } else { first_names };
    for (name, names) in [("names1", first_names), ("names2", second_names)] {
        arrays.extend(names.as_ref().map(|names| (name, names.as_slice().into())));
    }
    arrays.push(("metadata", metadata.as_str().into()));
    write_npz(out, &arrays).map_err(|error| match control.check() {
        // Only what is read from tiles looks at the control.
        Err(cancelled) if !rows.is_empty() => {
            anyhow::Error::from(cancelled).context("every tile is kept: the same run writes them")
        }
        _ => anyhow::Error::from(error),
    })?;

    if compute.talk.json {
        facts["names1"] = json!(names[0]);
        facts["names2"] = json!(names[1].as_ref().or(names[0].as_ref()));
        facts["out"] = json!(out.display().to_string());
        facts["pairs"] = json!(work.pairs);
        facts["seconds"] = json!(work.seconds);
        facts["pairs_per_second"] = json!(work.pairs_per_second());
        facts["threads"] = json!(compute.thread_count());
        return output::print_json(&facts);
    }
    output::print(&format!(
        "{}: {} × {}, {} with {}\n{}\n",
        out.display(),
        shape[0],
        shape[1],
        kind.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" and "),
        chosen.backend.describe(),
        work_line(work),
    ))
}

/// A name for each sample: its row where the data have no names.
fn names(set: &Dataset) -> Vec<String> {
    set.names.clone().unwrap_or_else(|| (0..set.samples.len()).map(|row| row.to_string()).collect())
}
