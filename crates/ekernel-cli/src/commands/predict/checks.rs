//! What `ekernel predict` refuses before it computes anything.

use std::path::{Path, PathBuf};

use ekernel_core::Samples;
use ekernel_data::{Source, Targets, destination};
use ekernel_experiment::{Amplitude, Kind, Problem, RidgeChoice, Training};

use super::options::Predict;
use crate::{failure::mistake, kernels::ensure_resumable, output, plot, words::counted};

/// What can be wrong before any data are read.
pub(super) fn check_words(arguments: &Predict, training: &Training) -> anyhow::Result<()> {
    let (train, test) = (Source::parse(&arguments.train)?, Source::parse(&arguments.test)?);
    let mut inputs: Vec<&Path> = arguments.arch.iter().chain(&arguments.gram).map(PathBuf::as_path).collect();
    inputs.extend([train.path.as_path(), test.path.as_path()]);
    if let Some(noise) = &test.noise {
        return Err(mistake(format!(
            "--test {}: the noise of test samples is not used; leave {noise} out",
            arguments.test
        )));
    }
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
        if arguments.n.len() < 2 && arguments.time.len() < 2 && arguments.arch.len() > 1 {
            return Err(mistake(
                "--plot with several --arch draws curves: give --n 20,50,100 or --time 1,10,100,inf or the like",
            ));
        }
    }
    if arguments.time.len() > 1 && arguments.n.len() > 1 {
        return Err(mistake("--time and --n: a curve is over one of them; give one value of the other"));
    }
    if arguments.cov && arguments.arch.len() > 1 {
        return Err(mistake("--cov is computed for one network; give --arch once"));
    }
    if !arguments.gram.is_empty() && arguments.arch.len() > 1 {
        return Err(mistake("--gram holds the kernels of one network; give --arch once"));
    }
    check_likelihood(training, train.noise.is_some())?;
    if let Some(folder) = &arguments.resume.folder {
        ensure_resumable(folder)?;
    }
    Ok(())
}

/// What the marginal likelihood is of.
fn check_likelihood(training: &Training, noise: bool) -> anyhow::Result<()> {
    let option = match (training.amplitude, training.ridge) {
        (Amplitude::Fit, _) => "--scale fit",
        (Amplitude::AsComputed, RidgeChoice::Likelihood) => "--ridge likelihood",
        (Amplitude::AsComputed, _) => return Ok(()),
    };
    let reason = if training.kind == Kind::Ntk {
        "the NTK is no prior covariance; give --kind nngp"
    } else if !training.time.is_infinite() {
        "the likelihood is that of the posterior, at --time inf"
    } else if noise {
        "the noise of each target is given, in units of the kernel as it is; leave one of them out"
    } else {
        return Ok(());
    };
    Err(mistake(format!("{option}: {reason}")))
}

/// What can be wrong once the data are there.
pub(super) fn check_sizes(arguments: &Predict, training: &Training, problem: &Problem) -> anyhow::Result<()> {
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
    if problem.test_targets.is_none() {
        let line = matches!(&*problem.test, Samples::Vectors(samples) if samples.ncols() == 1)
            && matches!(problem.train_targets, Targets::Regression(_));
        let drawn = arguments.plot.is_some();
        if !arguments.n.is_empty() || arguments.time.len() > 1 || (drawn && !line) {
            return Err(mistake(format!(
                "--test {}: curves and plots, but for values over one feature, need the test targets; write FILE.npz:X,Y",
                arguments.test
            )));
        }
        if arguments.out.is_none() && !drawn {
            return Err(mistake(format!(
                "--test {}: without test targets nothing can be compared, and without --out nothing is stored; \
                 write FILE.npz:X,Y, or give --out P.npz",
                arguments.test
            )));
        }
    }
    if let Targets::Classes { .. } = problem.train_targets {
        for (option, said) in [
            ("--scale fit", training.amplitude == Amplitude::Fit),
            ("--ridge likelihood", training.ridge == RidgeChoice::Likelihood),
            ("--standardize-targets", training.standardize),
        ] {
            if said {
                return Err(mistake(format!(
                    "{option} is for values, and the training targets are classes (--targets values reads numbers as \
                     values)"
                )));
            }
        }
    }
    Ok(())
}
