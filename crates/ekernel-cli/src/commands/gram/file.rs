//! A Gram matrix in one file.

use std::{path::Path, time::Instant};

use anyhow::Context;
use ekernel_data::{write_npy, write_npz};
use ekernel_experiment::{Kind, Work as Worked};
use ekernel_gram::FolderStore;
use serde_json::json;

use super::work::Work;
use crate::{
    args::BackendName,
    backends,
    failure::{self, mistake},
    kernels::{Computed, Computer},
    matrices::Matrices,
    output,
    progress::Task,
    words::work_line,
};

/// Checks that the file can be written, before the work.
pub(super) fn ensure_writable(out: &Path, kind: &[Kind], inputs: &[&Path]) -> anyhow::Result<()> {
    if !is_npy(out) {
        return output::ensure_arrays_writable("--out", out, inputs);
    }
    output::ensure_writable("--out", out, inputs)?;
    match kind {
        [_] => Ok(()),
        _ => Err(mistake(format!(
            "--out {}: a .npy file holds one array; give --kind ntk or --kind nngp, or name it {}",
            out.display(),
            out.with_extension("npz").display()
        ))),
    }
}

/// Computes the matrix and writes it.
pub(super) fn compute(work: Work<'_>, store: Option<FolderStore>) -> anyhow::Result<()> {
    let Work { out, augment, arch, network, label, kind, kinds, pairs, names, chosen, mut facts, compute } =
        work;
    let sampled = compute.backend == BackendName::Finite;
    let task = Task::new(compute.talk.quiet)?;
    let computer =
        Computer { task: &task, backend: &*chosen.backend, kinds, resume: None, quiet: compute.talk.quiet };
    let shape = [pairs.first().len(), pairs.second().len()];
    output::ensure_room("--out", out, shape, kind.len() as u64 * if sampled { 2 } else { 1 })?;
    let (matrices, work) = match store {
        None if sampled => {
            let backend =
                backends::finite(compute, network, kinds).with_context(|| arch.display().to_string())?;
            task.begin_on(&label, "networks");
            let started = Instant::now();
            let estimate = backend.estimate(&pairs, task.control());
            task.end();
            let estimate = estimate.map_err(|error| failure::nothing_kept(error.into()));
            let seconds = started.elapsed().as_secs_f64();
            let [rows, cols] = shape.map(|n| n as u64);
            let count = if pairs.is_symmetric() { rows * (rows + 1) / 2 } else { rows * cols };
            let estimate = estimate.with_context(|| arch.display().to_string())?;
            (Matrices::Sampled(estimate), Worked { pairs: count, seconds })
        }
        Some(store) => {
            let store = store.reserving(out, output::matrix_bytes(shape, kind.len() as u64));
            let Computed { kernels, work } = computer.stream(pairs, &label, store)?;
            (Matrices::Stored(kernels), work)
        }
        None => {
            let Computed { kernels, work } = computer.augmented(augment, pairs, &label, "")?;
            (Matrices::Held(kernels), work)
        }
    };

    let metadata = facts.to_string();
    let control = task.control();
    let rows = matrices.rows(control);
    let mut arrays = matrices.arrays(&rows, &kind);
    let written = if is_npy(out) {
        write_npy(out, &arrays[0].1)
    } else {
        let [first_names, second_names] = &names;
        for (name, names) in [("names1", first_names), ("names2", second_names)] {
            arrays.push((name, names.as_slice().into()));
        }
        arrays.push(("metadata", metadata.as_str().into()));
        write_npz(out, &arrays)
    };
    written.map_err(|error| match control.check() {
        // Only what is read from tiles looks at the control.
        Err(cancelled) if !rows.is_empty() => {
            anyhow::Error::from(cancelled).context("every tile is kept: the same run writes them")
        }
        _ => anyhow::Error::from(error),
    })?;

    if compute.talk.json {
        let [first_names, second_names] = &names;
        facts["names1"] = json!(first_names);
        facts["names2"] = json!(second_names);
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

fn is_npy(out: &Path) -> bool {
    out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"))
}
