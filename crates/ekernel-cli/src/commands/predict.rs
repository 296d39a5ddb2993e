//! `ekernel predict`: train on one set, predict another.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use clap::Args;
use ekernel_core::{Backend, Pairs};
use ekernel_data::{Source, Targets, destination};
use ekernel_predict::{Nngp, TrainingTime};
use ndarray::Array2;

use crate::{
    architecture::{Architecture, located},
    args::{Compute, Kind, Reading, Resume, count},
    backends,
    curve::Draws,
    draws::balanced,
    failure::mistake,
    inputs::{Problem, Property, class_names, ensure_fits},
    kernels::{Computer, Work, ensure_resumable},
    learner::{RidgeChoice, Score, Spread, Training, time},
    output, plot,
    progress::Task,
    report::{
        counted,
        prediction::{Report, Result as NetworkResult},
    },
    space::Space,
};

#[derive(Args, Debug)]
pub(crate) struct Predict {
    /// The architecture file; several are compared
    #[arg(long, value_name = "A.toml", required = true, num_args = 1..)]
    pub(crate) arch: Vec<PathBuf>,
    /// Training samples and targets: FILE.npz:X,Y, X.npy,Y.npy, a folder of one sub-folder of images per class, …; molecules
    /// and a property of theirs: FILE:ROWS,PROPERTY such as qm9.npz:train,U0, qm9.csv:0..1000,U0 or FOLDER:all,energy
    #[arg(long, value_name = "FILE:X,Y")]
    pub(crate) train: String,
    /// Test samples and, if they are known, targets
    #[arg(long, value_name = "FILE:X[,Y]")]
    pub(crate) test: String,
    /// Added to the diagonal, relative to its mean; auto chooses a power of ten by cross-validation on the training samples, fine
    /// one of two in each decade
    #[arg(long, value_name = "R|auto|fine", default_value = "1e-4", allow_negative_numbers = true)]
    pub(crate) ridge: RidgeChoice,
    /// Training time: learning rate × steps of gradient descent
    #[arg(long, value_name = "T|inf", default_value = "inf", value_parser = time, allow_negative_numbers = true)]
    pub(crate) time: TrainingTime,
    /// ntk: trained networks; nngp: the Bayesian posterior
    #[arg(long, value_enum, default_value = "ntk")]
    pub(crate) kind: Kind,
    /// Also the covariance of the predictions
    #[arg(long, conflicts_with = "n")]
    pub(crate) cov: bool,
    /// Learning curve: numbers of training samples, drawn at random with balanced classes
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = count)]
    pub(crate) n: Vec<usize>,
    /// Draws of each size of a learning curve
    #[arg(long, value_name = "K", default_value = "5", value_parser = count)]
    pub(crate) seeds: usize,
    /// The first seed of the draws
    #[arg(long, value_name = "S", default_value = "0")]
    pub(crate) seed: u32,
    /// Draw learning curves from so many training samples, themselves drawn [default: the largest --n]
    #[arg(long, value_name = "N", value_parser = count, requires = "n")]
    pub(crate) pool: Option<usize>,
    /// Use so many test samples, drawn at random with balanced classes
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) max_test: Option<usize>,
    /// Draw the learning curves, or the confusion of the classes
    #[arg(long, value_name = "FILE.svg|png")]
    pub(crate) plot: Option<PathBuf>,
    /// Store `mean` (with --cov also `cov`), the scores and `metadata` (JSON)
    #[arg(long, value_name = "P.npz")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) property: Property,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) resume: Resume,
    #[command(flatten)]
    pub(crate) compute: Compute,
}

/// The kernels a prediction is made of.
struct Gram {
    train: Array2<f64>,
    cross: Array2<f64>,
    /// NNGP of the pool, of the test set with the pool, and of the test set; with --cov.
    nngp: Option<[Array2<f64>; 3]>,
    work: Work,
}

pub(crate) fn run(arguments: &Predict) -> anyhow::Result<()> {
    let quiet = arguments.compute.talk.quiet;
    let architectures = Architecture::read_all(&arguments.arch)?;
    check_words(arguments)?;
    let space = Space::of(&architectures)?;
    let mut problem =
        Problem::read(&space, &arguments.train, &arguments.test, &arguments.reading, arguments.property)?;
    for note in &problem.notes {
        output::note(quiet, note);
    }
    for architecture in &architectures {
        ensure_fits(architecture, &problem.train, "--train", &arguments.train)?;
    }
    check_sizes(arguments, &problem)?;
    if let Some(limit) = arguments.max_test.filter(|&limit| limit < problem.test.len()) {
        let all: Vec<usize> = (0..problem.test.len()).collect();
        let values = || Targets::Regression(Array2::zeros((all.len(), 1)));
        let targets = problem.test_targets.clone().unwrap_or_else(values);
        problem.keep_test(&balanced(&targets, &all, limit, u64::from(arguments.seed)));
    }
    let draws = match arguments.n.iter().max() {
        None => Draws::whole(problem.train.len()),
        Some(&largest) => Draws::new(
            &problem.train_targets,
            &arguments.n,
            arguments.pool.unwrap_or(largest),
            arguments.seeds,
            u64::from(arguments.seed),
        ),
    };

    let task = Task::new(quiet)?;
    let mut results = Vec::new();
    for architecture in &architectures {
        results.push(learn(arguments, architecture, &problem, &draws, &task)?);
    }
    let report = Report { arguments, problem: &problem, draws: &draws, results: &results };
    if let Some(path) = &arguments.out {
        report.write(path)?;
    }
    if let Some(path) = &arguments.plot {
        draw(path, &report)?;
    }
    if arguments.compute.talk.json {
        return output::print_json(&report.json());
    }
    output::print(&report.text())
}

/// What can be wrong before any data are read.
fn check_words(arguments: &Predict) -> anyhow::Result<()> {
    let (train, test) = (Source::parse(&arguments.train)?, Source::parse(&arguments.test)?);
    let mut inputs: Vec<&Path> = arguments.arch.iter().map(PathBuf::as_path).collect();
    inputs.extend([train.path.as_path(), test.path.as_path()]);
    if let Some(path) = &arguments.out {
        output::ensure_arrays_writable("--out", path, &inputs)?;
    }
    if let Some(path) = &arguments.plot {
        plot::Format::of(path)?;
        output::ensure_writable("--plot", path, &inputs)?;
        let same = |out| matches!((destination(out), destination(path)), (Ok(a), Ok(b)) if a == b);
        if arguments.out.as_deref().is_some_and(same) {
            return Err(mistake("--plot and --out name the same file; give each its own"));
        }
        if arguments.n.len() < 2 && arguments.arch.len() > 1 {
            return Err(mistake(
                "--plot with several --arch draws learning curves: give --n 20,50,100 or the like",
            ));
        }
    }
    if arguments.cov && arguments.arch.len() > 1 {
        return Err(mistake("--cov is computed for one network; give --arch once"));
    }
    if let Some(folder) = &arguments.resume.folder {
        ensure_resumable(folder)?;
    }
    Ok(())
}

/// What can be wrong once the data are there.
fn check_sizes(arguments: &Predict, problem: &Problem) -> anyhow::Result<()> {
    let available = problem.train.len();
    for (option, n) in
        arguments.n.iter().map(|&n| ("--n", n)).chain(arguments.pool.map(|pool| ("--pool", pool)))
    {
        if n > available {
            return Err(mistake(format!(
                "{option} {n}: there are only {}; give at most that many",
                counted(available as u64, "training sample", "training samples")
            )));
        }
    }
    if let (Some(pool), Some(&largest)) = (arguments.pool, arguments.n.iter().max())
        && pool < largest
    {
        return Err(mistake(format!(
            "--pool {pool} is smaller than the largest --n, {largest}; give at least that"
        )));
    }
    let curve = arguments.n.len() > 1;
    if problem.test_targets.is_none() && (!arguments.n.is_empty() || arguments.plot.is_some()) {
        return Err(mistake(format!(
            "--test {}: learning curves and plots need the test targets; write FILE.npz:X,Y",
            arguments.test
        )));
    }
    if arguments.plot.is_some() && !curve && matches!(problem.train_targets, Targets::Regression(_)) {
        return Err(mistake(
            "--plot draws learning curves (give --n) or the confusion of classes; these targets are floats",
        ));
    }
    Ok(())
}

fn learn(
    arguments: &Predict,
    architecture: &Architecture,
    problem: &Problem,
    draws: &Draws,
    task: &Task,
) -> anyhow::Result<NetworkResult> {
    let kinds = if arguments.cov {
        Kind::needed(&[arguments.kind, Kind::Nngp])
    } else {
        Kind::needed(&[arguments.kind])
    };
    arguments.compute.ensure_fits(&architecture.network)?;
    let quadrature = arguments.compute.quadrature;
    ekernel_core::Plan::with_quadrature(&architecture.network, kinds, quadrature)
        .map_err(|error| located(&architecture.path, error))?;
    let chosen = backends::choose(&arguments.compute, &architecture.network, kinds)
        .with_context(|| architecture.path.display().to_string())?;
    let computer = Computer {
        task,
        network: &architecture.network,
        quadrature,
        backend: &*chosen.backend,
        kinds,
        resume: arguments.resume.folder.as_ref().map(|folder| folder.join(&architecture.name)),
        quiet: arguments.compute.talk.quiet,
    };
    let gram = kernels(arguments, &computer, &architecture.name, problem, draws)?;
    let training = Training {
        kind: arguments.kind,
        ridge: arguments.ridge,
        time: arguments.time,
        threads: arguments.compute.thread_count(),
    };
    let started = std::time::Instant::now();
    let spread = gram.nngp.as_ref().map(|[train, cross, test]| Spread {
        nngp: Nngp { train: train.view(), cross: cross.view(), test: test.view() },
    });
    let curve = draws.curve(&training, [&gram.train, &gram.cross], problem, spread.as_ref(), task)?;
    Ok(NetworkResult {
        name: architecture.name.clone(),
        file: architecture.path.display().to_string(),
        architecture: architecture.network.to_toml(),
        backend: Backend::describe(&*chosen.backend),
        precision: chosen.precision,
        work: gram.work,
        solve_seconds: started.elapsed().as_secs_f64(),
        curve,
    })
}

/// The kernels of the pool with itself, of the test set with it, and with --cov of the test set with itself.
fn kernels(
    arguments: &Predict,
    computer: &Computer<'_>,
    name: &str,
    problem: &Problem,
    draws: &Draws,
) -> anyhow::Result<Gram> {
    let train = if draws.pool.len() == problem.train.len() {
        problem.train.clone()
    } else {
        Arc::new(problem.train.select(&draws.pool))
    };
    let among = computer.gram(Pairs::within(train.clone()), &format!("{name}, training"), Some("train"))?;
    let between = computer.gram(
        Pairs::cross(problem.test.clone(), train.clone()),
        &format!("{name}, test"),
        Some("test"),
    )?;
    let mut work = among.work.and(between.work);
    let spread = if arguments.cov {
        let test = computer.gram(
            Pairs::within(problem.test.clone()),
            &format!("{name}, test with itself"),
            Some("test-self"),
        )?;
        work = work.and(test.work);
        Some([among.kernels.nngp.clone(), between.kernels.nngp.clone(), test.kernels.nngp])
    } else {
        None
    };
    let wanted = |kernels: ekernel_core::Kernels| match arguments.kind {
        Kind::Nngp => Ok(kernels.nngp),
        Kind::Ntk => kernels.ntk.context("the backend gave no NTK though it was asked for one"),
    };
    Ok(Gram { train: wanted(among.kernels)?, cross: wanted(between.kernels)?, nngp: spread, work })
}

fn draw(path: &Path, report: &Report<'_>) -> anyhow::Result<()> {
    if report.draws.is_curve() {
        return plot::curves::draw(path, &report.curves());
    }
    if let Some(Score::Classes { confusion, accuracy }) =
        report.results.first().and_then(|result| result.curve.last_score.as_ref())
    {
        let title = format!("{}: {:.1} % right", report.results[0].name, accuracy * 100.0);
        return plot::confusion::draw(path, &title, confusion, &class_names(&report.problem.train_targets));
    }
    Err(mistake("--plot draws learning curves (give --n) or the confusion of classes"))
}
