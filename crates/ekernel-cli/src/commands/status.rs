//! `ekernel status`: how far a Zarr store is.

use std::path::PathBuf;

use clap::Args;
use ekernel_gram::{Division, Shard, Status as Progress, ZarrStore};
use serde_json::json;

use crate::{
    args::count,
    output,
    words::{bytes, counted},
};

#[derive(Args, Debug)]
pub(crate) struct Status {
    /// The store
    #[arg(value_name = "K.zarr")]
    store: PathBuf,
    /// The number of shards that it is computed in: also says which of them to run
    #[arg(long, value_name = "N", value_parser = count)]
    shards: Option<usize>,
    /// Read every byte and compare checksums; otherwise files are judged by their lengths
    #[arg(long)]
    verify: bool,
    /// The result as JSON on standard output
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Status) -> anyhow::Result<()> {
    let store = ZarrStore::open(&arguments.store)?;
    let progress = store.status(arguments.verify)?;
    let complete = progress.missing.is_empty() && progress.damaged.is_empty();
    let mut open = [progress.missing.clone(), progress.damaged.clone()].concat();
    open.sort_unstable();
    let to_run = arguments.shards.map(|of| (of, Division::new(store.layout(), of).holding(&open)));
    if arguments.json {
        let layout = store.layout();
        output::print_json(&json!({
            "store": arguments.store.display().to_string(),
            "shape": layout.shape(),
            "symmetric": layout.is_symmetric(),
            "chunk": layout.chunk(),
            "block": layout.block(),
            "data_type": store.element().name(),
            "kernels": names(&store),
            "blocks": progress.blocks,
            "missing": progress.missing.len(),
            "damaged": progress.damaged.len(),
            "verified": arguments.verify,
            "complete": complete,
            "shards": to_run.as_ref().map(|(of, _)| of),
            "shards_to_run": to_run.as_ref().map(|(_, shards)| shards),
            "notes": store.notes(),
        }))?;
    } else {
        output::print(&text(&store, arguments, &progress, to_run.as_ref()))?;
    }
    if complete {
        return Ok(());
    }
    let blocks = counted(progress.blocks as u64, "block", "blocks");
    Err(anyhow::anyhow!("{}: {} of {blocks} are missing or damaged", arguments.store.display(), open.len()))
}

fn text(
    store: &ZarrStore,
    arguments: &Status,
    progress: &Progress,
    to_run: Option<&(usize, Vec<usize>)>,
) -> String {
    let shown = arguments.store.display();
    let layout = store.layout();
    let [rows, cols] = layout.shape();
    let size: u64 = (0..layout.len()).map(|index| store.bytes_of(&layout.at(index))).sum::<u64>()
        * names(store).len() as u64;
    let mut text = format!(
        "{shown}: {rows} × {cols}, {} of {}, {}\n",
        names(store).join(" and "),
        store.element().name(),
        bytes(size as f64)
    );
    for name in ["backend", "x1", "x2"] {
        if let Some(value) = store.notes().get(name).and_then(serde_json::Value::as_str) {
            text += &format!("{name}: {value}\n");
        }
    }
    let Progress { blocks, missing, damaged } = progress;
    let found = blocks - missing.len() - damaged.len();
    text += &format!("{found} of {} are there", counted(*blocks as u64, "block", "blocks"));
    if !damaged.is_empty() {
        text += &format!(", {} damaged", counted(damaged.len() as u64, "block is", "blocks are"));
    }
    text += "\n";
    if found == *blocks {
        return text + "complete\n";
    }
    text + &match to_run {
        None => "run the same `ekernel gram` again to compute the others; --shards N lists the shards that have them\n"
            .to_owned(),
        Some((of, shards)) => {
            let list: Vec<String> = shards.iter().map(usize::to_string).collect();
            let list = list.join(",");
            let first = Shard::new(shards[0], *of).expect("a shard that holds a block is one of them");
            format!(
                "shards to run: {list} of {of} (--shard {first}, …; sbatch --array={list} with \
                 --shard $SLURM_ARRAY_TASK_ID/{of})\n"
            )
        }
    }
}

fn names(store: &ZarrStore) -> Vec<&'static str> {
    store.kernels().iter().map(|kernel| kernel.name()).collect()
}
