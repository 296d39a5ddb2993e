//! Gram matrices for the commands: what to compute, how long it took, where finished tiles are kept.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use ekernel_core::{Backend, KernelSet, Kernels, Network, Pairs, plan::Quadrature};
use ekernel_experiment::Work;
use ekernel_gram::{Job, Options, Resume};

use crate::{args::quadrature_name, failure::mistake, output, progress::Task, words::counted};

/// Computes the Gram matrices of one network.
pub(crate) struct Computer<'a> {
    pub(crate) task: &'a Task,
    pub(crate) network: &'a Network,
    /// The rotations of a network on the sphere.
    pub(crate) quadrature: Quadrature,
    pub(crate) backend: &'a dyn Backend,
    pub(crate) kinds: KernelSet,
    /// The folder of finished tiles of all Gram matrices of this network.
    pub(crate) resume: Option<PathBuf>,
    pub(crate) quiet: bool,
}

/// A Gram matrix and what it took.
pub(crate) struct Computed {
    pub(crate) kernels: Kernels,
    pub(crate) work: Work,
}

impl Computer<'_> {
    /// What finished tiles belong to: the network, and the rotations where they are not the default.
    fn architecture(&self) -> String {
        let network = self.network.to_toml();
        match self.quadrature {
            Quadrature::Accurate => network,
            other => format!("{network}# quadrature: {}\n", quadrature_name(other)),
        }
    }

    /// Computes one Gram matrix, called `label` to people; `part` names its folder of tiles.
    pub(crate) fn gram(&self, pairs: Pairs, label: &str, part: Option<&str>) -> anyhow::Result<Computed> {
        let control = self.task.control();
        let mut options = Options::new(self.kinds);
        options.resume = self.resume.as_ref().map(|folder| Resume {
            folder: part.map_or_else(|| folder.clone(), |part| folder.join(part)),
            architecture: self.architecture(),
        });
        self.task.begin(label);
        let started = Instant::now();
        let job = Job::prepare(self.backend, pairs, &options, control)?;
        let summary = job.summary();
        let [rows, cols] = summary.shape;
        let resumed = match summary.finished {
            0 => String::new(),
            finished => format!(", {finished} of {} tiles found finished", summary.tiles),
        };
        output::note(
            self.quiet,
            &format!(
                "{label}: {rows} × {cols}, {}, {}{resumed}",
                counted(summary.pairs, "pair", "pairs"),
                summary.memory
            ),
        );
        let kernels = job.run(control);
        let work = Work { pairs: self.task.end(), seconds: started.elapsed().as_secs_f64() };
        Ok(Computed { kernels: kernels?, work })
    }
}

/// Makes the folder of finished tiles, so that a folder that cannot be written is refused before the work.
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
