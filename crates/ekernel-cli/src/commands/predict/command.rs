//! From the words to results.

use std::path::{Path, PathBuf};

use anyhow::Context;
use ekernel_core::Backend;
use ekernel_data::Targets;
use ekernel_experiment::{
    Draws, Kind, NetworkFacts, NetworkOutcome, Outcome, Problem, Score, Training, balanced, learn,
};
use ndarray::Array2;
use serde::Serialize;

use super::{
    checks::{check_sizes, check_words},
    kernels,
    options::Predict,
    times::over_times,
};
use crate::{
    architecture::{Architecture, located},
    args::quadrature_name,
    backends,
    confusion::of_occurring,
    failure::stopped,
    figures::{curves, values},
    inputs::ensure_fits,
    kernels::Computer,
    output, plot,
    progress::Task,
    report::Report,
    space::Space,
};

/// The report for programs, with the files that were written.
#[derive(Serialize)]
struct Printed {
    #[serde(flatten)]
    document: ekernel_experiment::Document,
    out: Option<String>,
    plot: Option<String>,
}

pub(crate) fn run(arguments: &Predict) -> anyhow::Result<()> {
    let quiet = arguments.compute.talk.quiet;
    let architectures = Architecture::read_all(&arguments.arch)?;
    let training = arguments.training();
    check_words(arguments, &training)?;
    if let Some(augment) = arguments.augment {
        augment.ensure_fits(&architectures, arguments.compute.backend)?;
    }
    let space = Space::of(&architectures)?;
    let mut problem = arguments.problem(&space)?;
    for note in &problem.notes {
        output::note(quiet, note);
    }
    for architecture in &architectures {
        ensure_fits(architecture, &problem.train, "--train", &arguments.train)?;
    }
    let seed = u64::from(arguments.seed);
    if let Some(limit) = arguments.max_train.filter(|&limit| limit < problem.train.len()) {
        let all: Vec<usize> = (0..problem.train.len()).collect();
        problem.keep_train(&balanced(&problem.train_targets, &all, limit, seed));
    }
    check_sizes(arguments, &training, &problem)?;
    if let Some(limit) = arguments.max_test.filter(|&limit| limit < problem.test.len()) {
        let all: Vec<usize> = (0..problem.test.len()).collect();
        let values = || Targets::Regression(Array2::zeros((all.len(), 1)));
        let targets = problem.test_targets.clone().unwrap_or_else(values);
        problem.keep_test(&balanced(&targets, &all, limit, seed));
    }
    let draws = arguments.draws(&problem);

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
        note_other_letters(quiet, path, &outcome)?;
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
    let wanted = (training.kind, arguments.cov, arguments.augment);
    let (kernels, backend, precision) = if arguments.gram.is_empty() {
        let chosen = backends::choose(&arguments.compute, &architecture.network, kinds)
            .with_context(|| architecture.path.display().to_string())?;
        let computer = Computer {
            task,
            backend: &*chosen.backend,
            kinds,
            resume: arguments.resume.folder.clone().map(|folder| (folder, architecture.name.clone())),
            quiet: arguments.compute.talk.quiet,
        };
        let kernels =
            kernels::computed(&computer, &architecture.name, problem, (draws, arguments.seed), wanted)?;
        (kernels, Backend::describe(&*chosen.backend), chosen.precision.name())
    } else {
        let kernels = kernels::stored(&arguments.gram, architecture, problem, draws, (wanted.0, wanted.1))?;
        let files: Vec<String> = arguments.gram.iter().map(|file| file.display().to_string()).collect();
        (kernels, format!("stored in {}", files.join(", ")), "as stored")
    };
    let started = std::time::Instant::now();
    let kept = |error: ekernel_experiment::ExperimentError| {
        let kept = match &arguments.resume.folder {
            Some(folder) => format!("its kernels are kept in {}", folder.display()),
            None => "nothing is kept; --resume DIR keeps its kernels".to_owned(),
        };
        stopped(error.into(), &format!(" while a machine was trained; {kept}"))
    };
    let curve = learn(problem, draws, training, &kernels, task.control()).map_err(kept)?;
    let times = (&kernels, &arguments.time[..], &curve);
    let times = over_times(problem, draws, training, times, task.control()).map_err(kept)?;
    Ok(NetworkOutcome {
        facts: NetworkFacts {
            name: architecture.name.clone(),
            file: architecture.path.display().to_string(),
            architecture: architecture.network.to_toml(),
            backend,
            precision: precision.to_owned(),
        },
        work: kernels.work,
        solve_seconds: started.elapsed().as_secs_f64(),
        curve,
        times,
    })
}

/// Says which names stand in a PNG in other letters than the user's.
fn note_other_letters(quiet: bool, path: &Path, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    let networks = outcome.networks.iter().map(|network| network.facts.name.clone());
    let mut names = outcome.problem.class_names().into_iter().chain(networks);
    let other = names.find(|name| plot::in_letters(name) != *name);
    if let (plot::Format::Png, Some(name)) = (plot::Format::of(path)?, other) {
        let written = plot::in_letters(&name);
        let note = format!(
            "--plot: the font of PNGs has no letters for some names, which are written in Latin ones ('{name}' as '{written}'); \
             an .svg shows them as they are"
        );
        output::note(quiet, &note);
    }
    Ok(())
}

fn draw(path: &Path, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    let over_times = outcome.networks.iter().any(|network| !network.times.is_empty());
    if outcome.draws.is_curve() || over_times {
        return plot::curves::draw(path, &curves(outcome));
    }
    let [network, ..] = outcome.networks else { return Ok(()) };
    match &network.curve.last_score {
        Some(Score::Classes { confusion, accuracy }) => {
            let title = format!("{}: {:.1} % right", network.facts.name, accuracy * 100.0);
            let (counts, classes) = of_occurring(outcome.problem, confusion);
            plot::confusion::draw(path, &title, &counts, &classes)
        }
        Some(Score::Values { .. }) => plot::values::draw(path, &values(outcome, network)),
        // Of one feature a line needs no test targets.
        None => plot::values::draw(path, &values(outcome, network)),
    }
}
