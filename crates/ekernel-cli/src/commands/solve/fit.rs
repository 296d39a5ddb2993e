//! From a store and targets to weights.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use ekernel_core::Bytes;
use ekernel_data::Targets;
use ekernel_experiment::{Amplitude, Kind, RidgeChoice, SplitMix64, Training};
use ekernel_gram::{Kernel, ZarrStore};
use ekernel_predict::{Center, Ridge, TargetMean, TrainingTime, Workers};
use ekernel_solve::{Preconditioner, Settings, SolveError, State, StoredKernel, SymmetricKernel, solve};
use ekernel_system::memory;
use ndarray::Array2;
use rayon::ThreadPool;

use super::{method::Method, progress_file};
use crate::{failure::mistake, output, progress::Task, words::counted};

/// Samples on which `--ridge auto` tries ridges.
const TRIED: usize = 2000;

/// How often the progress file is written.
const OFTEN: Duration = Duration::from_secs(60);

/// What is to be solved, and how.
pub(super) struct Problem<'a> {
    pub(super) store: &'a ZarrStore,
    /// The kernel of the store.
    pub(super) matrix: &'a StoredKernel<'a>,
    pub(super) kernel: Kernel,
    pub(super) targets: &'a Targets,
    pub(super) center: Center,
    pub(super) ridge: RidgeChoice,
    pub(super) method: Method,
    pub(super) rank: usize,
    pub(super) tolerance: f64,
    pub(super) steps: usize,
    pub(super) seed: u64,
    pub(super) pool: &'a ThreadPool,
    pub(super) resume: Option<&'a Path>,
    pub(super) quiet: bool,
}

/// A solution.
pub(super) struct Fitted {
    pub(super) weights: Array2<f64>,
    pub(super) mean: TargetMean,
    pub(super) history: Vec<f64>,
    pub(super) reached: f64,
    pub(super) converged: bool,
    /// In units of the kernel.
    pub(super) ridge: f64,
    pub(super) rank: usize,
    pub(super) method: &'static str,
    pub(super) memory: u64,
}

pub(super) fn fit(problem: &Problem<'_>, task: &Task) -> anyhow::Result<Fitted> {
    let Problem { store, matrix, kernel, targets, pool, .. } = *problem;
    let cancel = &task.control().cancel;
    let samples = matrix.samples();
    let training = Training {
        kind: Kind::Ntk,
        ridge: problem.ridge,
        time: TrainingTime::INFINITE,
        center: problem.center,
        standardize: false,
        amplitude: Amplitude::AsComputed,
        threads: pool.current_num_threads(),
    };
    let (outputs, mean) = training.outputs(targets)?;
    let workers = Workers::new(pool.current_num_threads()).cancelled_by(cancel);
    let is_given = matches!(problem.ridge, RidgeChoice::Given(_));
    let tried = if is_given { 0 } else { samples.min(TRIED) };
    // Of the search the kernel of its samples, its eigenvectors and room to work.
    let search = 4 * 8 * (tried as u64).pow(2);
    let memory = search.max(match problem.method {
        Method::Cg => {
            // The last state is kept beside the one under way.
            Preconditioner::memory(samples, problem.rank)
                + 2 * Settings::memory(samples, outputs.ncols())
                + matrix.working_memory(outputs.ncols())
        }
        Method::Cholesky => 3 * 8 * (samples as u64).pow(2),
    });
    output::note(
        problem.quiet,
        &format!("solve: {}, {} of memory", counted(samples as u64, "sample", "samples"), Bytes(memory)),
    );
    if let Some(available) = memory::available().filter(|available| memory > available.bytes) {
        return Err(mistake(format!(
            "the solution needs {} of memory, more than the {} {}; take --method cg with a smaller rank",
            Bytes(memory),
            Bytes(available.bytes),
            available.limit.words()
        )));
    }

    let diagonal = matrix.diagonal()?;
    let mean_diagonal = diagonal.sum() / samples as f64;
    let chosen = match problem.ridge {
        RidgeChoice::Given(ridge) => ridge,
        _ => {
            let mut order: Vec<usize> = (0..samples).collect();
            SplitMix64::new(problem.seed).shuffle(&mut order);
            order.truncate(tried);
            order.sort_unstable();
            let part = store.select(kernel, &order, &order)?;
            let (ridge, _) = training.machine(part.view(), &targets.select(&order), &mean, &workers)?;
            output::note(problem.quiet, &format!("ridge {ridge}, the best on {tried} of {samples} samples"));
            ridge
        }
    };
    let ridge = match chosen {
        Ridge::Relative(value) => value * mean_diagonal,
        Ridge::Absolute(value) => value,
    };
    if problem.method == Method::Cholesky {
        let training = Training { ridge: RidgeChoice::Given(chosen), ..training };
        let all = store.window(kernel, 0..samples, 0..samples)?;
        let (_, machine) = training.machine(all.view(), targets, &mean, &workers)?;
        let weights = machine.fit(outputs.view())?.weights().to_owned();
        let mut left = &outputs - &matrix.times(weights.view())?;
        left.scaled_add(-ridge, &weights);
        let relative = |(left, target): (ndarray::ArrayView1<'_, f64>, ndarray::ArrayView1<'_, f64>)| {
            let size = target.dot(&target).sqrt();
            left.dot(&left).sqrt() / if size == 0.0 { 1.0 } else { size }
        };
        let reached = left.columns().into_iter().zip(outputs.columns()).map(relative).fold(0.0, f64::max);
        return Ok(Fitted {
            weights,
            mean,
            history: Vec::new(),
            reached,
            converged: true,
            ridge,
            rank: 0,
            method: "cholesky",
            memory,
        });
    }

    let mut random = SplitMix64::new(problem.seed);
    task.count("preconditioner", 0, 1);
    let preconditioner = Preconditioner::new(matrix, problem.rank, ridge, &mut || random.uniform())?;
    let system = progress_file::System {
        store: store.fingerprint(),
        kernel: kernel.name().to_owned(),
        ridge,
        rank: problem.rank,
        seed: problem.seed,
    };
    let from = match problem.resume {
        Some(file) if file.exists() => {
            let state = progress_file::read(file, &system, &outputs)?;
            output::note(
                problem.quiet,
                &format!("solve: {} found done", counted(state.steps() as u64, "step", "steps")),
            );
            Some(state)
        }
        _ => None,
    };
    let settings = Settings { ridge, tolerance: problem.tolerance, steps: problem.steps };
    let mut last: Option<State> = None;
    let mut written = Instant::now();
    let mut failed = None;
    let mut hear = |state: &State| -> Result<(), SolveError> {
        let reached = state.history.last().copied().unwrap_or(1.0);
        task.count(&format!("relative residual {reached:.1e}"), state.steps(), problem.steps);
        if let Some(file) = problem.resume {
            if written.elapsed() > OFTEN {
                written = Instant::now();
                if let Err(error) = progress_file::write(file, &system, &outputs, state) {
                    failed = Some(error);
                    return Err(SolveError::Cancelled);
                }
                last = None;
            } else {
                last = Some(state.clone());
            }
        }
        if cancel.is_cancelled() { Err(SolveError::Cancelled) } else { Ok(()) }
    };
    let solution = solve(matrix, outputs.view(), &preconditioner, &settings, from, &mut hear);
    if let Some(error) = failed {
        return Err(error);
    }
    // What was reached is kept however the work ends.
    if let (Some(file), Some(state)) = (problem.resume, &last) {
        progress_file::write(file, &system, &outputs, state)?;
    }
    let solution = solution?;
    Ok(Fitted {
        weights: solution.weights,
        mean,
        history: solution.history,
        reached: solution.reached,
        converged: solution.converged,
        ridge,
        rank: preconditioner.rank(),
        method: "cg",
        memory,
    })
}
