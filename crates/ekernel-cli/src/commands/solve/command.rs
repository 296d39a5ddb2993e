//! The arguments of `ekernel solve`, and what it reports.

use std::path::{Path, PathBuf};

use clap::Args;
use ekernel_core::{Bytes, CancelToken};
use ekernel_data::{Output, ReadOptions, Source, TargetSource, Targets, read_labels, write_npz};
use ekernel_experiment::RidgeChoice;
use ekernel_gram::ZarrStore;
use ekernel_predict::argmax;
use ekernel_solve::{StoredKernel, predict};
use ndarray::Array1;
use rayon::ThreadPoolBuilder;
use serde_json::json;

use super::{
    fit::{Fitted, Problem, fit},
    method::Method,
};
use crate::{
    args::{CenterName, KindName, Talk, TargetsName, count},
    failure::mistake,
    output,
    progress::Task,
    words::counted,
};

const EXAMPLES: &str = "\
Examples:
  ekernel solve K.zarr --y train.npz:y --ridge 1e-6 --precondition rpcholesky:2000 --out W.npz
  ekernel solve K.zarr --y train.npz:y --ridge auto --predict KTEST.zarr --resume progress.npz --out W.npz";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Solve {
    /// The store of the training kernel, of `ekernel gram` without --x2
    #[arg(value_name = "K.zarr")]
    store: PathBuf,
    /// The training targets: FILE.npz:KEY, or what `predict --train` takes
    #[arg(long, value_name = "FILE[:KEY]")]
    y: String,
    /// What targets in arrays are [default: classes for whole numbers, texts and one-hot rows; values for floats]
    #[arg(long, value_enum)]
    targets: Option<TargetsName>,
    /// What is taken off values before training
    #[arg(long, value_enum, default_value = "mean")]
    center: CenterName,
    /// The kernel [default: the NTK, or the NNGP where the store has no other]
    #[arg(long, value_enum, ignore_case = true)]
    kind: Option<KindName>,
    /// Added to the diagonal: relative to its mean, NUMBER:absolute, or auto (the best on five folds of 2000 samples)
    #[arg(long, default_value = "1e-6", value_name = "NUMBER|auto")]
    ridge: RidgeChoice,
    /// Conjugate gradients, or a Cholesky factor of the whole kernel in memory
    #[arg(long, value_enum, default_value = "cg")]
    method: Method,
    /// Of cg: a randomly pivoted partial Cholesky factor of this rank, or none
    #[arg(long, value_name = "rpcholesky:RANK|none", default_value = "rpcholesky:500", value_parser = rank)]
    precondition: usize,
    /// Of cg: the relative residual at which an output is done
    #[arg(long, default_value_t = 1e-10, value_name = "NUMBER", value_parser = tolerance)]
    tolerance: f64,
    /// Of cg: steps at most
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = count)]
    steps: usize,
    /// Draws the pivots of the preconditioner and the samples of --ridge auto
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Of cg: a file that keeps how far the solution is; the same command goes on from there with the same bits
    #[arg(long, value_name = "FILE.npz")]
    resume: Option<PathBuf>,
    /// A store of the kernel of test and training samples, of `ekernel gram --x1 TEST --x2 TRAIN`: predict them
    #[arg(long, value_name = "KTEST.zarr")]
    predict: Option<PathBuf>,
    /// The file to store the weights, the history of residuals and the predictions in; docs/files.md
    #[arg(long, value_name = "W.npz")]
    out: PathBuf,
    /// Threads to compute with [default: one per core]
    #[arg(long, value_name = "N", value_parser = count)]
    threads: Option<usize>,
    #[command(flatten)]
    talk: Talk,
}

pub(crate) fn run(arguments: &Solve) -> anyhow::Result<()> {
    let Solve { out, talk, .. } = arguments;
    output::ensure_arrays_writable("--out", out, &[&arguments.store])?;
    if let Some(resume) = &arguments.resume {
        output::ensure_arrays_writable("--resume", resume, &[&arguments.store])?;
        if arguments.method == Method::Cholesky {
            return Err(mistake("--resume: a Cholesky factor is not resumed; leave it out"));
        }
    }
    let store = ZarrStore::open(&arguments.store)?;
    let kind = crate::kernels::kernel_of(&store, arguments.kind)?;
    let pool = ThreadPoolBuilder::new().num_threads(arguments.threads.unwrap_or(0)).build()?;
    let task = Task::new(talk.quiet)?;
    let cancel: &CancelToken = &task.control().cancel;
    let kernel = StoredKernel::new(&store, kind, &pool, cancel)?;
    let tests = arguments.predict.as_deref().map(ZarrStore::open).transpose()?;
    if let Some(tests) = &tests {
        tests.ensure_has(kind)?;
        tests.ensure_predicts_from(&store)?;
    }
    let targets = targets(&arguments.y, arguments.targets)?;
    let samples = store.layout().shape()[0];
    if targets.len() != samples {
        return Err(mistake(format!(
            "--y {}: it has {}, and the kernel {samples}; give one target for each",
            arguments.y,
            counted(targets.len() as u64, "target", "targets")
        )));
    }
    task.begin("solve");
    let problem = Problem {
        store: &store,
        matrix: &kernel,
        kernel: kind,
        targets: &targets,
        center: arguments.center.into(),
        ridge: arguments.ridge,
        method: arguments.method,
        rank: arguments.precondition,
        tolerance: arguments.tolerance,
        steps: arguments.steps,
        seed: arguments.seed,
        pool: &pool,
        resume: arguments.resume.as_deref(),
        quiet: talk.quiet,
    };
    let fitted = fit(&problem, &task);
    let predicted = match (&fitted, &tests) {
        (Ok(fitted), Some(tests)) => {
            Some(predict(tests, kind, fitted.weights.view(), &pool, cancel).map_err(anyhow::Error::from))
        }
        _ => None,
    };
    task.end();
    let (fitted, predicted) = (fitted?, predicted.transpose()?);
    let predicted = predicted.map(|outputs| fitted.mean.restored(outputs)).transpose()?;
    let classes = match (&targets, &predicted) {
        (Targets::Classes { .. }, Some(outputs)) => {
            Some(Array1::from_iter(argmax(outputs.view())?.into_iter().map(|class| class as i64)))
        }
        _ => None,
    };

    let facts = json!({
        "program": output::PROGRAM,
        "kernel": kind.name(),
        "samples": samples,
        "method": fitted.method,
        "ridge": fitted.ridge,
        "rank": fitted.rank,
        "tolerance": arguments.tolerance,
        "steps": fitted.history.len().saturating_sub(1),
        "residual": fitted.reached,
        "converged": fitted.converged,
    });
    let metadata = facts.to_string();
    let history = Array1::from(fitted.history.clone());
    let mean = fitted.mean.values().to_owned();
    let mut arrays: Vec<(&str, Output<'_>)> = vec![
        ("weights", (&fitted.weights).into()),
        ("target_mean", (&mean).into()),
        ("residuals", (&history).into()),
    ];
    arrays.extend(predicted.as_ref().map(|predicted| ("predictions", predicted.into())));
    arrays.extend(classes.as_ref().map(|classes| ("predicted", classes.into())));
    arrays.push(("metadata", metadata.as_str().into()));
    write_npz(out, &arrays)?;

    if talk.json {
        let mut facts = facts;
        facts["out"] = json!(out.display().to_string());
        facts["residuals"] = json!(fitted.history);
        facts["memory"] = json!(fitted.memory);
        return output::print_json(&facts);
    }
    output::print(&text(out, samples, &fitted, arguments.tolerance))
}

fn text(out: &Path, samples: usize, fitted: &Fitted, tolerance: f64) -> String {
    let Fitted { history, reached, converged, ridge, memory, method, rank, .. } = fitted;
    let way = match *method {
        "cg" => {
            let steps = counted(history.len().saturating_sub(1) as u64, "step", "steps");
            format!("{steps} of conjugate gradients, preconditioned by rank {rank}")
        }
        _ => "a Cholesky factor".to_owned(),
    };
    let verdict = if *converged {
        String::new()
    } else {
        format!(
            "NOT CONVERGED: the tolerance is {tolerance:.0e}; take a larger ridge, a larger rank or more steps, or a store in f64\n"
        )
    };
    format!(
        "{}: {samples} samples, {way}, ridge {ridge:.3e} in units of the kernel\nrelative residual {reached:.1e}; planned for {} \
         of memory\n{verdict}",
        out.display(),
        Bytes(*memory)
    )
}

/// Reads the targets; a single key of an .npz file names them.
fn targets(text: &str, kind: Option<TargetsName>) -> anyhow::Result<Targets> {
    let mut source = Source::parse(text)?;
    let is_npz = source.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz"));
    if is_npz && source.targets.is_none() {
        source.targets = source.inputs.take().map(TargetSource::Key);
    }
    let options = ReadOptions { targets: kind.map(Into::into).unwrap_or_default(), ..ReadOptions::default() };
    Ok(read_labels(&source, &options)?)
}

fn rank(text: &str) -> Result<usize, String> {
    let wrong = || "give rpcholesky:RANK, for example rpcholesky:2000, or none".to_owned();
    match text {
        "none" => Ok(0),
        _ => text.strip_prefix("rpcholesky:").and_then(|rank| count(rank).ok()).ok_or_else(wrong),
    }
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if 0.0 < number && number < 1.0 => Ok(number),
        _ => Err("give a number between 0 and 1".to_owned()),
    }
}
