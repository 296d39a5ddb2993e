//! The networks of one kernel and width: those that are kept, and the others.

use std::time::{Duration, Instant};

use anyhow::Context;
use ekernel_core::{Control, KernelSet, Network, Pairs, Progress};
use ekernel_experiment::Kind;
use ekernel_finite::{Estimate, Options, Widths, sample_pieces};

use super::{kept::Kept, pieces::Piece};
use crate::progress::Task;

/// Networks of a piece, which are kept together.
const PIECE: usize = 10;

/// How often finished pieces are written.
const WRITE_EVERY: Duration = Duration::from_secs(3);

/// Outputs of each network whose NNGP is sampled: they cost little, and each is a sample. The NTK takes a pass back for each.
const OUTPUTS: usize = 100;

/// What samples.
pub(super) struct Sampler<'a> {
    pub(super) task: &'a Task,
    pub(super) kept: Kept<'a>,
    pub(super) networks: usize,
    pub(super) seed: u64,
    pub(super) threads: usize,
}

impl Sampler<'_> {
    /// One kernel at one width, called `label` to people.
    pub(super) fn series(
        &self,
        network: &Network,
        pairs: &Pairs,
        (kind, width): (Kind, usize),
        label: &str,
    ) -> anyhow::Result<Vec<Piece>> {
        let kept = self.kept.read(kind, width)?;
        let there = networks(&kept);
        let mut found = fitting(kept, self.networks);
        let done = networks(&found);
        if done == self.networks {
            return Ok(found);
        }
        self.task.begin_on(label, "networks");
        let (kinds, widths) = match kind {
            Kind::Nngp => (KernelSet::Nngp, Widths::with_outputs(network, width, OUTPUTS)),
            Kind::Ntk => (KernelSet::Both, Widths::all(width)),
        };
        let options = Options {
            first: done as u64,
            seed: self.seed,
            threads: self.threads,
            memory: ekernel_system::memory::available().map_or(4 << 30, |memory| memory.bytes),
            ..Options::new(widths, self.networks - done)
        };
        let control = self.counting_from(done);
        let (mut written, mut failed) = (Instant::now(), None);
        let mut keep = |estimate: Estimate| {
            found.extend(piece(estimate, kind));
            // A folder that holds more networks keeps them.
            if there <= networks(&found) && failed.is_none() && written.elapsed() >= WRITE_EVERY {
                failed = self.kept.write(kind, width, &found).err();
                written = Instant::now();
            }
            if failed.is_some() {
                control.cancel.cancel();
            }
        };
        let result = sample_pieces(network, pairs, kinds, &options, PIECE, &mut keep, &control);
        self.task.end();
        if let Some(error) = failed {
            return Err(error.context("--resume"));
        }
        if there <= networks(&found) {
            self.kept.write(kind, width, &found).context("--resume")?;
        }
        result?;
        Ok(found)
    }

    /// Reports the networks that were kept as done.
    fn counting_from(&self, first: usize) -> Control {
        let (outer, of) = (self.task.control().clone(), self.networks);
        let cancel = outer.cancel.clone();
        let counting = Control::with_progress(move |progress| {
            if let Progress::Prepared { done, .. } = progress {
                outer.report(Progress::Prepared { done: first + done, of });
            }
        });
        Control { cancel, ..counting }
    }
}

fn networks(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| piece.networks).sum()
}

/// The first pieces that a run of this number of networks makes by itself: whole ones, and a shorter one at its end.
/// So error bars do not depend on where earlier runs ended.
fn fitting(pieces: Vec<Piece>, networks: usize) -> Vec<Piece> {
    let mut sum = 0;
    let fits = |piece: &Piece| {
        sum += piece.networks;
        sum == networks || (piece.networks == PIECE && sum < networks)
    };
    pieces.into_iter().take_while(fits).collect()
}

fn piece(estimate: Estimate, kind: Kind) -> Option<Piece> {
    let networks = estimate.networks;
    let [mean, error] = match kind {
        Kind::Nngp => estimate.nngp,
        Kind::Ntk => estimate.ntk?,
    };
    Some(Piece { networks, mean, error })
}
