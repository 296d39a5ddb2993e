//! A shard of a Gram matrix in a Zarr store.

use std::{path::Path, time::Instant};

use ekernel_experiment::{Kind, Work as Worked};
use ekernel_gram::{Element, Kernel, Shard, ShardJob, ShardSummary, ZarrOptions};
use serde_json::json;

use super::work::Work;
use crate::{
    args::Precision,
    failure::mistake,
    output,
    progress::Task,
    words::{counted, work_line},
};

/// Checks that the options fit a store, before the work.
pub(super) fn ensure_storable(
    out: &Path,
    resumes: bool,
    sampled: bool,
    augmented: bool,
) -> anyhow::Result<()> {
    if augmented {
        return Err(mistake(
            "--augment: a Zarr store holds the kernel of the samples as they are; leave --augment out, or name a file K.npz",
        ));
    }
    if sampled {
        return Err(mistake(
            "--backend finite: sampled kernels have no tiles, and a Zarr store holds exact ones; name a file K.npz",
        ));
    }
    if resumes {
        return Err(mistake(
            "--resume: a Zarr store keeps its finished blocks itself; leave --resume out, and run the same again",
        ));
    }
    let shown = out.display();
    let folder = ekernel_system::atomic::folder_of(out);
    if !folder.is_dir() {
        let folder = folder.display();
        return Err(mistake(format!("--out {shown}: there is no folder {folder}; create it first")));
    }
    if out.exists() && !out.is_dir() {
        return Err(mistake(format!("--out {shown}: that is no folder, as a Zarr store is; name another")));
    }
    Ok(())
}

/// Computes the shard and writes its blocks.
pub(super) fn compute(work: Work<'_>, shard: Shard, chunk: Option<usize>) -> anyhow::Result<()> {
    let Work { out, label, kind, pairs, names, chosen, mut facts, compute, .. } = work;
    let quiet = compute.talk.quiet;
    let task = Task::new(quiet)?;
    let mut notes = facts.clone();
    // Which kernels there are is shown by the arrays; the others may come later.
    notes.as_object_mut().expect("facts are an object").remove("kernels");
    let sets = if pairs.is_symmetric() { &names[..1] } else { &names[..] };
    for (name, names) in ["names1", "names2"].into_iter().zip(sets) {
        // The numbers of rows, where samples have no names, would only fill the description.
        if names.iter().enumerate().any(|(row, name)| *name != row.to_string()) {
            notes[name] = json!(names);
        }
    }
    let options = ZarrOptions {
        kernels: kind.iter().map(|&kind| kernel(kind)).collect(),
        element: if chosen.precision == Precision::F32 { Element::F32 } else { Element::F64 },
        chunk,
        shard,
        notes,
        threads: None,
        memory_limit: None,
    };
    task.begin(&label);
    let started = Instant::now();
    let job = ShardJob::prepare(&*chosen.backend, pairs, out, &options, task.control())?;
    let summary = job.summary();
    task.note(&announcement(&label, shard, &summary));
    let outcome = job.run(task.control());
    let worked = Worked { pairs: task.end(), seconds: started.elapsed().as_secs_f64() };
    outcome?;

    if compute.talk.json {
        facts["out"] = json!(out.display().to_string());
        facts["shard"] = json!(shard.to_string());
        facts["blocks"] = json!(summary.blocks);
        facts["found_finished"] = json!(summary.finished);
        facts["pairs"] = json!(worked.pairs);
        facts["seconds"] = json!(worked.seconds);
        facts["pairs_per_second"] = json!(worked.pairs_per_second());
        facts["threads"] = json!(compute.thread_count());
        return output::print_json(&facts);
    }
    output::print(&format!(
        "{}: shard {shard} of {} × {}, {} with {}\n{}\n",
        out.display(),
        summary.shape[0],
        summary.shape[1],
        kind.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" and "),
        chosen.backend.describe(),
        work_line(worked),
    ))
}

fn announcement(label: &str, shard: Shard, summary: &ShardSummary) -> String {
    let ShardSummary { shape: [rows, cols], blocks, all_blocks, finished, damaged, .. } = *summary;
    if blocks == 0 {
        let all = counted(all_blocks as u64, "block", "blocks");
        return format!(
            "{label}: {rows} × {cols} has {all}, so shard {shard} has nothing to do; --chunk with a smaller number makes \
             more blocks of a new store"
        );
    }
    let pairs = counted(summary.pairs, "pair", "pairs");
    let mut text = format!(
        "{label}: {rows} × {cols}, shard {shard} with {blocks} of {}, {pairs}, {}",
        counted(all_blocks as u64, "block", "blocks"),
        summary.memory
    );
    if finished > 0 {
        text += &format!(", {finished} of {blocks} found finished");
    }
    if damaged > 0 {
        text += &format!(", {damaged} found damaged, to be computed anew");
    }
    text
}

/// The array of a kernel.
pub(super) fn kernel(kind: Kind) -> Kernel {
    match kind {
        Kind::Nngp => Kernel::Nngp,
        Kind::Ntk => Kernel::Ntk,
    }
}
