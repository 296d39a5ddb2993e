//! The command: the data, the ensembles one after the other, the report.

use std::path::Path;

use anyhow::Context;
use ekernel_core::{Bytes, Control, Samples};
use ekernel_data::{Source, Targets};
use ekernel_experiment::{Problem, References};
use ekernel_finite::{TrainOptions, Trainer};
use ekernel_gram::describe_samples;
use ekernel_predict::one_hot_centered;
use ndarray::{Array2, Axis};

use super::{
    distances::Trained,
    ensemble::Ensemble,
    options::Train,
    plans::{Planned, plans},
    report::Report,
};
use crate::{
    architecture::Architecture,
    failure::{self, mistake},
    inputs::{Inputs, ensure_fits, ensure_no_targets},
    output,
    plot::Format,
    progress::Task,
    samples,
    space::Space,
    words::counted,
};

/// Samples of `--ood noise`.
const NOISE: usize = 100;

/// What members learn, and what they are observed on.
struct Data {
    problem: Problem,
    targets: Array2<f64>,
    ood: Option<Samples>,
}

pub(crate) fn run(arguments: &Train) -> anyhow::Result<()> {
    let architectures = Architecture::read_all(&arguments.arch)?;
    let (optimizer, rate) = arguments.optimizer()?;
    ensure_outputs(arguments)?;
    let data = read(arguments, &architectures)?;
    let (planned, notes) = plans(&architectures, &arguments.augment);
    notes.iter().for_each(|note| output::note(arguments.talk.quiet, note));
    let task = Task::new(arguments.talk.quiet)?;
    let sets = [Some(&*data.problem.test), data.ood.as_ref()];
    let described = describe(arguments, &data, task.control())?;
    let ensembles = planned
        .iter()
        .map(|planned| {
            let options = TrainOptions {
                width: arguments.width,
                optimizer,
                rate,
                batch: arguments.batch,
                augmentation: planned.augmentation,
                seed: planned.seed(arguments.seed),
            };
            let Planned { name, architecture, .. } = planned;
            let others: Vec<&Samples> = sets.into_iter().flatten().collect();
            let trainer = Trainer::new(
                &architecture.network,
                &data.problem.train,
                data.targets.view(),
                &others,
                options,
            )
            .with_context(|| architecture.path.display().to_string())?;
            let toml = architecture.network.to_toml();
            Ok(Ensemble {
                name,
                trainer,
                identity: format!("{options:?}\n{described}\n{toml}"),
                checkpoint: arguments.checkpoint.as_deref(),
                members: arguments.members,
                epochs: arguments.epochs,
                sets,
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    ensure_memory(arguments, &ensembles)?;
    let train = |ensemble: &Ensemble<'_>| -> anyhow::Result<Trained> {
        let members = ensemble
            .train(&task, arguments.thread_count())
            .map_err(|error| failure::stopped(error, &kept(arguments)))
            .with_context(|| ensemble.name.to_owned())?;
        Ok(Trained { name: ensemble.name.to_owned(), members })
    };
    let trained = ensembles.iter().map(train).collect::<anyhow::Result<Vec<_>>>()?;
    let report = Report::new(&data.problem, &trained, arguments.epochs, &planned);
    if let Some(out) = &arguments.out {
        report.write(out).with_context(|| format!("--out {}", out.display()))?;
    }
    if let Some(plot) = &arguments.plot {
        report.draw(plot)?;
    }
    report.print(arguments.talk.json)
}

fn ensure_outputs(arguments: &Train) -> anyhow::Result<()> {
    let sources = [&arguments.train, &arguments.test].map(|source| Source::parse(source));
    let sources = sources.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut inputs: Vec<&Path> = arguments.arch.iter().map(|path| path.as_path()).collect();
    inputs.extend(sources.iter().map(|source| source.path.as_path()));
    if let Some(plot) = &arguments.plot {
        Format::of(plot)?;
        output::ensure_writable("--plot", plot, &inputs)?;
    }
    if let Some(out) = &arguments.out {
        output::ensure_arrays_writable("--out", out, &inputs)?;
    }
    let Some(folder) = &arguments.checkpoint else { return Ok(()) };
    if folder.exists() && !folder.is_dir() {
        return Err(mistake(format!("--checkpoint {}: that is not a folder", folder.display())));
    }
    std::fs::create_dir_all(folder).map_err(|problem| {
        mistake(format!("--checkpoint: cannot make the folder {}: {problem}", folder.display()))
    })?;
    output::ensure_folder_takes_files("--checkpoint", folder)
}

fn read(arguments: &Train, architectures: &[Architecture]) -> anyhow::Result<Data> {
    let space = Space::of(architectures)?;
    let inputs = Inputs {
        train: &arguments.train,
        test: &arguments.test,
        reading: arguments.reading.options(),
        normalization: arguments.reading.normalize,
        augment: None,
        references: References::None,
        unit: None,
        quiet: arguments.talk.quiet,
    };
    let problem = inputs.read(&space)?;
    problem.notes.iter().for_each(|note| output::note(arguments.talk.quiet, note));
    if problem.noise.is_some() {
        return Err(mistake(format!(
            "--train {}: networks are trained without the noise of their targets; write FILE:X,Y",
            arguments.train
        )));
    }
    let ood = match arguments.ood.as_deref() {
        None => None,
        Some("noise") => {
            let noise = samples::noise(architectures[0].network.input(), NOISE, arguments.seed.into());
            Some(noise.ok_or_else(|| mistake("--ood noise: there are no molecules of noise; name a file"))?)
        }
        Some(ood) => {
            let source = Source::parse(ood)?;
            ensure_no_targets("--ood", &source)?;
            let read = space.read_samples(&source, &arguments.reading.options());
            let set = read.with_context(|| format!("--ood {ood}"))?;
            Some(problem.normalizer.apply(set.samples)?)
        }
    };
    for architecture in architectures {
        ensure_fits(architecture, &problem.train, "--train", &arguments.train)?;
        if let (Some(samples), Some(ood)) = (&ood, &arguments.ood) {
            ensure_fits(architecture, samples, "--ood", ood)?;
        }
    }
    let targets = targets(&problem)?;
    Ok(Data { problem, targets, ood })
}

/// Centred one-hot classes, or values less their mean.
fn targets(problem: &Problem) -> anyhow::Result<Array2<f64>> {
    match &problem.train_targets {
        Targets::Classes { labels, n_classes, .. } => Ok(one_hot_centered(labels, *n_classes)?),
        Targets::Regression(values) => {
            let mean = values.mean_axis(Axis(0)).ok_or_else(|| mistake("--train: there are no samples"))?;
            Ok(values - &mean)
        }
    }
}

/// The data that members depend on, a line each.
fn describe(arguments: &Train, data: &Data, control: &Control) -> anyhow::Result<String> {
    let targets = describe_samples(&Samples::Vectors(data.targets.clone()), control)?;
    let mut lines = vec![
        format!("training {}", describe_samples(&data.problem.train, control)?),
        format!("targets {targets}"),
        format!("test {}", describe_samples(&data.problem.test, control)?),
    ];
    if let Some(ood) = &data.ood {
        lines.push(format!("out of distribution {}", describe_samples(ood, control)?));
    }
    lines.push(format!("--normalize {}", arguments.reading.normalize));
    Ok(lines.join("\n"))
}

/// Says how much memory training takes, and refuses what does not fit.
fn ensure_memory(arguments: &Train, ensembles: &[Ensemble<'_>]) -> anyhow::Result<()> {
    let threads = arguments.thread_count().min(arguments.members) as u64;
    let mut held = 0;
    let mut working = 0;
    for ensemble in ensembles {
        let samples: usize = ensemble.sets.into_iter().flatten().map(Samples::len).sum();
        let outputs = (samples * ensemble.trainer.features() * size_of::<f64>()) as u64;
        let history = outputs * (arguments.epochs as u64 + 1) * arguments.members as u64;
        let [shared, member] = ensemble.trainer.memory();
        let text = format!(
            "{}: {} of {}, {} of memory for each in training and {} for their outputs",
            ensemble.name,
            counted(arguments.members as u64, "network", "networks"),
            counted(ensemble.trainer.parameters() as u64, "parameter", "parameters"),
            Bytes(member),
            Bytes(history)
        );
        output::note(arguments.talk.quiet, &text);
        held += shared + history;
        working = working.max(threads * member);
    }
    let needed = held + working;
    match ekernel_system::memory::available() {
        Some(memory) if needed > memory.bytes => Err(mistake(format!(
            "training takes {} of memory, and {} are free; fewer --members, --threads 1, a smaller --width or fewer test \
             samples (FILE:X[0:500]) take less",
            Bytes(needed),
            Bytes(memory.bytes)
        ))),
        _ => Ok(()),
    }
}

/// What is kept where training stops.
fn kept(arguments: &Train) -> String {
    match &arguments.checkpoint {
        Some(folder) => {
            format!("; finished epochs are kept in {}: the same command continues", folder.display())
        }
        None => "; nothing is kept without --checkpoint DIR".to_owned(),
    }
}
