//! Gram matrices for the commands: what to compute, how long it took, where finished tiles are
//! kept.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use ekernel_core::{Backend, Control, KernelSet, Kernels, Pairs, Samples};
use ekernel_data::write_atomically;
use ekernel_experiment::Work;
use ekernel_gram::{FolderStore, Job, Kernel, Options, Stored, Streaming, Summary, ZarrStore};
use serde::{Deserialize, Serialize};

use crate::{
    args::KindName,
    failure::mistake,
    output,
    progress::Task,
    words::{counted, duration},
};

/// Computes the Gram matrices of one network.
pub(crate) struct Computer<'a> {
    pub(crate) task: &'a Task,
    pub(crate) backend: &'a dyn Backend,
    pub(crate) kinds: KernelSet,
    /// The folder of finished tiles of several networks, and the name of this one in it.
    pub(crate) resume: Option<(PathBuf, String)>,
    pub(crate) quiet: bool,
}

/// A Gram matrix and what it took.
pub(crate) struct Computed<T = Kernels> {
    pub(crate) kernels: T,
    pub(crate) work: Work,
}

impl Computer<'_> {
    /// Computes one Gram matrix, called `label` to people; `part` names its folder of tiles.
    pub(crate) fn gram(&self, pairs: Pairs, label: &str, part: &str) -> anyhow::Result<Computed> {
        let control = self.task.control();
        let mut options = Options::new(self.kinds);
        if let Some((root, name)) = &self.resume {
            let store = FolderStore::open_below(root, [name, part], (self.backend, &pairs), control)?;
            self.note_all(store.notes());
            options.store = Some(Arc::new(store));
        }
        let started = self.begin(label);
        let estimate = self.estimate(&pairs)?;
        let job = Job::prepare(self.backend, pairs, &options, control)?;
        self.announce(label, &job.summary(), estimate);
        let kernels = job.run(control);
        let work = self.end(started);
        Ok(Computed { kernels: kernels?, work })
    }

    /// Computes one Gram matrix into a folder, without ever holding it whole.
    pub(crate) fn stream(
        &self,
        pairs: Pairs,
        label: &str,
        store: FolderStore,
    ) -> anyhow::Result<Computed<Stored>> {
        let control = self.task.control();
        self.note_all(store.notes());
        let started = self.begin(label);
        let options = Options::new(self.kinds);
        let estimate = self.estimate(&pairs)?;
        let job = Streaming::prepare(self.backend, pairs, Arc::new(store), &options, control)?;
        self.announce(label, &job.summary(), estimate);
        let kernels = job.run(control);
        let work = self.end(started);
        Ok(Computed { kernels: kernels?, work })
    }

    /// Seconds of a pair, of so much work that it is worth measuring, and where somebody reads it.
    fn estimate(&self, pairs: &Pairs) -> anyhow::Result<Option<f64>> {
        let (n, m) = (pairs.first().len() as u64, pairs.second().len() as u64);
        if self.quiet || n.saturating_mul(m) < MANY {
            return Ok(None);
        }
        seconds_per_pair(self.backend, pairs.first(), self.kinds, self.task.control()).map(Some)
    }

    fn begin(&self, label: &str) -> Instant {
        self.task.begin(label);
        Instant::now()
    }

    fn end(&self, started: Instant) -> Work {
        Work { pairs: self.task.end(), seconds: started.elapsed().as_secs_f64() }
    }

    fn announce(&self, label: &str, summary: &Summary, estimate: Option<f64>) {
        let [rows, cols] = summary.shape;
        let pairs = counted(summary.pairs, "pair", "pairs");
        let mut text = format!("{label}: {rows} × {cols}, {pairs}");
        if let Some(seconds) = estimate.filter(|_| summary.finished == 0) {
            text += &format!(", about {}", duration(seconds * summary.pairs as f64));
        }
        text += &format!(", {}", summary.memory);
        if summary.finished > 0 {
            text += &format!(", {} of {} tiles found finished", summary.finished, summary.tiles);
        }
        if summary.discarded > 0 {
            let tiles = counted(summary.discarded as u64, "tile", "tiles");
            text += &format!(", {tiles} found damaged, to be computed anew");
        }
        self.task.note(&text);
    }

    fn note_all(&self, notes: &[String]) {
        for note in notes {
            self.task.note(note);
        }
    }
}

/// Pairs from which on the time is estimated before they are computed.
const MANY: u64 = 20_000;

/// How long the last measurement of an estimate takes at least.
const MEASURED: f64 = 0.1;

/// About how many seconds a pair takes: measured on the first two samples, on twice as many, … and the best of these, as
/// what a job takes beside its pairs weighs less and less. A single measurement counts where it is thirty times as long as needed:
/// on a busy machine threads wait for a tenth of a second now and then.
pub(crate) fn seconds_per_pair(
    backend: &dyn Backend,
    samples: &Samples,
    kinds: KernelSet,
    control: &Control,
) -> anyhow::Result<f64> {
    let silent = Control { cancel: control.cancel.clone(), ..Control::new() };
    let mut count = samples.len().min(2);
    let mut best = f64::INFINITY;
    let mut long = 0.0;
    loop {
        let first: Vec<usize> = (0..count).collect();
        let started = Instant::now();
        let job =
            Job::prepare(backend, Pairs::within(samples.select(&first)), &Options::new(kinds), &silent)?;
        job.run(&silent)?;
        let seconds = started.elapsed().as_secs_f64();
        best = best.min(seconds / (count * (count + 1) / 2) as f64);
        if seconds.min(long) >= MEASURED || seconds >= 30.0 * MEASURED || 2 * count > samples.len() {
            return Ok(best);
        }
        long = seconds;
        count *= 2;
    }
}

/// Makes the folder of finished tiles, so that a folder that cannot be written is refused before
/// the work.
pub(crate) fn ensure_resumable(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() && !folder.is_dir() {
        return Err(mistake(format!(
            "--resume {}: that is not a folder; name a new or an empty one",
            folder.display()
        )));
    }
    std::fs::create_dir_all(folder).map_err(|problem| {
        mistake(format!("--resume: cannot make the folder {}: {problem}", folder.display()))
    })?;
    output::ensure_folder_takes_files("--resume", folder)
}

/// The pool that a folder of tiles was begun with.
#[derive(Serialize, Deserialize)]
struct Pool {
    seed: u32,
    pool: usize,
}

/// The size of the larger pool whose tiles a folder holds, if it does; a new folder remembers this one. Pools of one seed lie one
/// in another.
///
/// Errors: a folder that holds a smaller pool.
pub(crate) fn pool_of(root: &Path, seed: u32, pool: usize) -> anyhow::Result<Option<usize>> {
    let file = root.join("pool.json");
    let stored = std::fs::read_to_string(&file).ok();
    match stored.and_then(|text| serde_json::from_str::<Pool>(&text).ok()) {
        Some(stored) if stored.seed == seed && stored.pool > pool => Ok(Some(stored.pool)),
        Some(stored) if stored.seed == seed && stored.pool < pool => Err(mistake(format!(
            "--resume {}: it holds kernels of a pool of {} training samples, and {pool} are needed; give at most that many, \
             or another folder",
            root.display(),
            stored.pool
        ))),
        Some(_) => Ok(None),
        None => {
            let text = serde_json::to_string(&Pool { seed, pool })?;
            write_atomically(&file, |file| file.write_all(text.as_bytes()))?;
            Ok(None)
        }
    }
}

/// The array of a kernel in a store: the one that is named, or the NTK where there is one.
pub(crate) fn kernel_of(store: &ZarrStore, kind: Option<KindName>) -> anyhow::Result<Kernel> {
    match kind {
        Some(KindName::Nngp) => Ok(Kernel::Nngp),
        Some(KindName::Ntk) => Ok(Kernel::Ntk),
        None => store.kernels().last().copied().ok_or_else(|| {
            mistake(format!("{}: it has no kernel yet; run `ekernel gram`", store.path().display()))
        }),
    }
}
