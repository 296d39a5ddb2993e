//! One ensemble: members on threads, each kept after every epoch.

use std::{
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use ekernel_core::{Progress, Samples};
use ekernel_finite::{Member, Trainer};

use super::kept::{self, History};
use crate::{failure::mistake, progress::Task};

/// What is trained.
pub(super) struct Ensemble<'a> {
    pub(super) name: &'a str,
    pub(super) trainer: Trainer<f32>,
    /// What the members depend on, beside their number.
    pub(super) identity: String,
    pub(super) checkpoint: Option<&'a Path>,
    pub(super) members: usize,
    pub(super) epochs: usize,
    /// What the members are observed on.
    pub(super) sets: [Option<&'a Samples>; 2],
}

impl Ensemble<'_> {
    /// Trains all members on `threads` threads.
    pub(super) fn train(&self, task: &Task, threads: usize) -> anyhow::Result<Vec<History>> {
        task.begin_on(self.name, "epochs");
        let (next, epochs_done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let of = self.members * self.epochs;
        let epoch_done = |epochs: usize| {
            let done = epochs + epochs_done.fetch_add(epochs, Ordering::Relaxed);
            task.control().report(Progress::Prepared { done, of });
        };
        let done: Mutex<Vec<Option<History>>> = Mutex::new(vec![None; self.members]);
        let failed = Mutex::new(None);
        let work = || {
            loop {
                let member = next.fetch_add(1, Ordering::Relaxed);
                if member >= self.members || task.control().cancel.is_cancelled() {
                    return;
                }
                match self.member(member as u64, task, &epoch_done) {
                    Ok(history) => lock(&done)[member] = Some(history),
                    Err(error) => {
                        lock(&failed).get_or_insert(error);
                        // The others end with their epoch, which is kept.
                        task.control().cancel.cancel();
                        return;
                    }
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..threads.clamp(1, self.members) {
                scope.spawn(work);
            }
        });
        task.end();
        let failed = lock(&failed).take();
        match failed {
            Some(error) => Err(error),
            None => Ok(lock(&done).drain(..).flatten().collect()),
        }
    }

    fn member(&self, number: u64, task: &Task, epoch_done: &dyn Fn(usize)) -> anyhow::Result<History> {
        let path = self.checkpoint.map(|folder| kept::file(folder, self.name, number));
        let found = path.as_deref().map(|path| kept::read(path, &self.identity)).transpose()?.flatten();
        let (mut member, mut history) = match found {
            None => {
                let member = self.trainer.member(number);
                let mut history = History::default();
                self.observe(&member, &mut history)?;
                (member, history)
            }
            Some(history) => {
                let member = self.trainer.restored(number, &history.state).ok_or_else(|| {
                    mistake(format!(
                        "--checkpoint: member {number} of {} is damaged; delete its file, and it is trained anew",
                        self.name
                    ))
                })?;
                (member, history)
            }
        };
        epoch_done(history.losses.len().min(self.epochs));
        while member.epoch < self.epochs {
            task.control().check()?;
            history.losses.push(self.trainer.epoch(&mut member)?);
            self.observe(&member, &mut history)?;
            if let Some(path) = &path {
                history.state = self.trainer.state(&member);
                kept::write(path, &self.identity, &history)?;
            }
            epoch_done(1);
        }
        // A member that was trained for longer is cut to the epochs of this run.
        history.losses.truncate(self.epochs);
        history.outputs.iter_mut().for_each(|outputs| outputs.truncate(self.epochs + 1));
        history.state = Vec::new();
        Ok(history)
    }

    fn observe(&self, member: &Member<f32>, history: &mut History) -> anyhow::Result<()> {
        for (outputs, set) in history.outputs.iter_mut().zip(self.sets) {
            if let Some(samples) = set {
                outputs.push(self.trainer.outputs(member, samples)?);
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
