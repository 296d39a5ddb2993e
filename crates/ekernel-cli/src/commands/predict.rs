//! `ekernel predict`: train on one set, predict another.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use clap::{Args, FromArgMatches};
use ekernel_core::{Backend, Pairs};
use ekernel_data::{ReadOptions, Source, TargetKind, Targets, destination};
use ekernel_experiment::{
    DrawOptions, Draws, Kind, NetworkFacts, NetworkOutcome, NngpKernels, Outcome, Problem, ProblemKernels,
    RidgeChoice, Score, Training, balanced, learn,
};
use ekernel_predict::TrainingTime;
use ndarray::Array2;
use serde::Serialize;

use crate::{
    architecture::{Architecture, located},
    args::{
        CenterName, Compute, KindName, Property, Reading, Resume, TargetsName, count, quadrature_name, time,
    },
    backends,
    failure::{mistake, stopped},
    inputs::{Inputs, ensure_fits},
    kernels::{Computer, ensure_resumable},
    output, plot,
    progress::Task,
    report::{Report, curves},
    space::Space,
    words::counted,
};

#[derive(Args, Debug)]
pub(crate) struct Predict {
    /// The architecture file; several are compared
    #[arg(long, value_name = "A.toml", required = true, num_args = 1..)]
    arch: Vec<PathBuf>,
    /// Training samples and targets: FILE.npz:X,Y, X.npy,Y.npy, a folder of one sub-folder of images per class, …; molecules
    /// and a property of theirs: FILE:ROWS,PROPERTY such as qm9.npz:train,U0, qm9.csv:0..1000,U0 or FOLDER:all,energy
    #[arg(long, value_name = "FILE:X,Y")]
    train: String,
    /// Test samples and, if they are known, targets
    #[arg(long, value_name = "FILE:X[,Y]")]
    test: String,
    /// Added to the diagonal, relative to its mean, or in units of the kernel as NUMBER:absolute; auto chooses a power of ten by cross-validation on the training samples, fine
    /// one of two in each decade
    #[arg(
        long,
        value_name = "R|R:absolute|auto|fine",
        default_value = "1e-4",
        allow_negative_numbers = true
    )]
    ridge: RidgeChoice,
    /// Training time: learning rate × steps of gradient descent
    #[arg(long, value_name = "T|inf", default_value = "inf", value_parser = time, allow_negative_numbers = true)]
    time: TrainingTime,
    /// What targets in arrays are [default: by their type, integers and texts classes, floats values]
    #[arg(long, value_enum)]
    targets: Option<TargetsName>,
    /// Taken off regression targets before training
    #[arg(long, value_enum, default_value = "mean")]
    center: CenterName,
    /// ntk: trained networks; nngp: the Bayesian posterior
    #[arg(long, value_enum, default_value = "ntk")]
    kind: KindName,
    /// Also the covariance of the predictions
    #[arg(long, conflicts_with = "n")]
    cov: bool,
    /// Learning curve: numbers of training samples, drawn at random with balanced classes
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = count)]
    n: Vec<usize>,
    /// Draws of each size of a learning curve
    #[arg(long, value_name = "K", default_value = "5", value_parser = count)]
    seeds: usize,
    /// The first seed of the draws
    #[arg(long, value_name = "S", default_value = "0")]
    seed: u32,
    /// Number of training samples that learning curves are drawn from, themselves drawn [default: the largest --n]
    #[arg(long, value_name = "N", value_parser = count, requires = "n")]
    pool: Option<usize>,
    /// Number of test samples to use, drawn at random with balanced classes
    #[arg(long, value_name = "N", value_parser = count)]
    max_test: Option<usize>,
    /// Draw the learning curves, or the confusion of the classes
    #[arg(long, value_name = "FILE.svg|png")]
    plot: Option<PathBuf>,
    /// Store `mean` (with --cov also `cov`), the `names` of the test samples, the scores and `metadata` (JSON)
    #[arg(long, value_name = "P.npz")]
    out: Option<PathBuf>,
    #[command(flatten)]
    property: Property,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    resume: Resume,
    #[command(flatten)]
    compute: Compute,
}

/// The report for programs, with the files that were written.
#[derive(Serialize)]
struct Printed {
    #[serde(flatten)]
    document: ekernel_experiment::Document,
    out: Option<String>,
    plot: Option<String>,
}

impl Predict {
    /// From the words after `ekernel`, `predict` first.
    pub(crate) fn of_words(words: &[String]) -> Result<Predict, clap::Error> {
        let command = Predict::augment_args(clap::Command::new("predict").bin_name("ekernel predict"));
        Predict::from_arg_matches(&command.try_get_matches_from(words)?)
    }

    fn training(&self) -> Training {
        Training {
            kind: self.kind.into(),
            ridge: self.ridge,
            time: self.time,
            center: self.center.into(),
            threads: self.compute.thread_count(),
        }
    }

    /// The draws of the training set: of learning curves, or all of it at once.
    fn draws(&self, problem: &Problem) -> Draws {
        let Some(&largest) = self.n.iter().max() else { return Draws::whole(problem.train.len()) };
        let options = DrawOptions {
            sizes: self.n.clone(),
            pool: self.pool.unwrap_or(largest),
            draws: self.seeds,
            seed: u64::from(self.seed),
        };
        Draws::new(&problem.train_targets, &options)
    }

    fn problem(&self, space: &Space) -> anyhow::Result<Problem> {
        if !matches!(space, Space::Molecules { .. }) {
            self.property.ensure_unsaid()?;
        }
        let inputs = Inputs {
            train: &self.train,
            test: &self.test,
            reading: ReadOptions {
                targets: self.targets.map_or_else(TargetKind::default, TargetKind::from),
                ..self.reading.options()
            },
            normalization: self.reading.normalize,
            references: self.property.references(),
            unit: self.property.unit(),
            quiet: self.compute.talk.quiet,
        };
        inputs.read(space)
    }
}

pub(crate) fn run(arguments: &Predict) -> anyhow::Result<()> {
    let quiet = arguments.compute.talk.quiet;
    let architectures = Architecture::read_all(&arguments.arch)?;
    check_words(arguments)?;
    let space = Space::of(&architectures)?;
    let mut problem = arguments.problem(&space)?;
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
    let (draws, training) = (arguments.draws(&problem), arguments.training());

    let task = Task::new(quiet)?;
    let mut networks = Vec::new();
    for architecture in &architectures {
        networks.push(network(arguments, architecture, &problem, &draws, &training, &task)?);
    }
    let quadrature = quadrature_name(arguments.compute.quadrature);
    let outcome = Outcome {
        program: output::PROGRAM,
        sources: [&arguments.train, &arguments.test],
        problem: &problem,
        draws: &draws,
        seed: arguments.seed,
        training: &training,
        quadrature: &quadrature,
        networks: &networks,
    };
    if let Some(path) = &arguments.out {
        outcome.write(path)?;
    }
    if let Some(path) = &arguments.plot {
        draw(path, &outcome)?;
    }
    if arguments.compute.talk.json {
        let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let (document, out, plot) = (outcome.document(), shown(&arguments.out), shown(&arguments.plot));
        // By way of a value, which sorts its keys.
        return output::print_json(&serde_json::to_value(Printed { document, out, plot })?);
    }
    let files = [("predictions", &arguments.out), ("plot", &arguments.plot)]
        .into_iter()
        .filter_map(|(what, path)| Some((what, path.as_deref()?)))
        .collect();
    output::print(&Report { outcome: &outcome, drawn: !arguments.n.is_empty(), files }.text())
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
    if let Some(path) = arguments.out.as_deref().filter(|_| arguments.cov) {
        output::ensure_room("--out", path, [problem.test.len(); 2], 1)?;
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

/// What one network learns.
fn network(
    arguments: &Predict,
    architecture: &Architecture,
    problem: &Problem,
    draws: &Draws,
    training: &Training,
    task: &Task,
) -> anyhow::Result<NetworkOutcome> {
    let kinds = if arguments.cov {
        Kind::needed(&[training.kind, Kind::Nngp])
    } else {
        Kind::needed(&[training.kind])
    };
    arguments.compute.ensure_fits(&architecture.network)?;
    let quadrature = arguments.compute.quadrature;
    ekernel_core::Plan::with_quadrature(&architecture.network, kinds, quadrature)
        .map_err(|error| located(&architecture.path, error))?;
    let chosen = backends::choose(&arguments.compute, &architecture.network, kinds)
        .with_context(|| architecture.path.display().to_string())?;
    let computer = Computer {
        task,
        backend: &*chosen.backend,
        kinds,
        resume: arguments.resume.folder.clone().map(|folder| (folder, architecture.name.clone())),
        quiet: arguments.compute.talk.quiet,
    };
    let kernels = kernels(&computer, &architecture.name, problem, draws, training.kind, arguments.cov)?;
    let started = std::time::Instant::now();
    let curve = learn(problem, draws, training, &kernels, task.control()).map_err(|error| {
        let kept = match &arguments.resume.folder {
            Some(folder) => format!("its kernels are kept in {}", folder.display()),
            None => "nothing is kept; --resume DIR keeps its kernels".to_owned(),
        };
        stopped(error.into(), &format!(" while a machine was trained; {kept}"))
    })?;
    Ok(NetworkOutcome {
        facts: NetworkFacts {
            name: architecture.name.clone(),
            file: architecture.path.display().to_string(),
            architecture: architecture.network.to_toml(),
            backend: Backend::describe(&*chosen.backend),
            precision: chosen.precision.name().to_owned(),
        },
        work: kernels.work,
        solve_seconds: started.elapsed().as_secs_f64(),
        curve,
    })
}

/// The kernels of the pool with itself, of the test set with it, and for covariances of the test set with itself.
fn kernels(
    computer: &Computer<'_>,
    name: &str,
    problem: &Problem,
    draws: &Draws,
    kind: Kind,
    covariance: bool,
) -> anyhow::Result<ProblemKernels> {
    let train = if draws.pool().len() == problem.train.len() {
        problem.train.clone()
    } else {
        Arc::new(problem.train.select(draws.pool()))
    };
    let among = computer.gram(Pairs::within(train.clone()), &format!("{name}, training"), "train")?;
    let between =
        computer.gram(Pairs::cross(problem.test.clone(), train.clone()), &format!("{name}, test"), "test")?;
    let mut work = among.work.and(between.work);
    let nngp = if covariance {
        let test = computer.gram(
            Pairs::within(problem.test.clone()),
            &format!("{name}, test with itself"),
            "test-self",
        )?;
        work = work.and(test.work);
        let (train, cross) = (among.kernels.nngp.clone(), between.kernels.nngp.clone());
        Some(NngpKernels { train, cross, test: test.kernels.nngp })
    } else {
        None
    };
    let wanted = |kernels: ekernel_core::Kernels| match kind {
        Kind::Nngp => Ok(kernels.nngp),
        Kind::Ntk => kernels.ntk.context("the backend gave no NTK though it was asked for one"),
    };
    Ok(ProblemKernels { train: wanted(among.kernels)?, cross: wanted(between.kernels)?, nngp, work })
}

fn draw(path: &Path, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    if outcome.draws.is_curve() {
        return plot::curves::draw(path, &curves(outcome));
    }
    if let [network, ..] = outcome.networks
        && let Some(Score::Classes { confusion, accuracy }) = &network.curve.last_score
    {
        let title = format!("{}: {:.1} % right", network.facts.name, accuracy * 100.0);
        return plot::confusion::draw(path, &title, confusion, &outcome.problem.class_names());
    }
    Err(mistake("--plot draws learning curves (give --n) or the confusion of classes"))
}
