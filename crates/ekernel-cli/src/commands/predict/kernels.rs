//! The kernels of a problem: computed, or read from files.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use ekernel_core::{Kernels, Pairs};
use ekernel_data::{NpyArray, NpzFile};
use ekernel_experiment::{Draws, Kind, NngpKernels, Problem, ProblemKernels, balanced};
use ndarray::{Array2, Ix2, s};

use crate::{
    architecture::Architecture,
    augment::Augment,
    failure::mistake,
    kernels::{Computer, pool_of},
};

/// The kernels of the pool with itself, of the test set with it, and for covariances of the test set with itself.
pub(super) fn computed(
    computer: &Computer<'_>,
    name: &str,
    problem: &Problem,
    (draws, seed): (&Draws, u32),
    (kind, covariance, augment): (Kind, bool, Option<Augment>),
) -> anyhow::Result<ProblemKernels> {
    // A folder of tiles may hold those of a larger pool, in which this one lies.
    let stored = match &computer.resume {
        Some((root, _)) if draws.pool().len() < problem.train.len() => {
            pool_of(root, seed, draws.pool().len())?.filter(|stored| *stored <= problem.train.len())
        }
        _ => None,
    };
    let pool = match stored {
        Some(stored) => {
            let all: Vec<usize> = (0..problem.train.len()).collect();
            balanced(&problem.train_targets, &all, stored, u64::from(seed))
        }
        None => draws.pool().to_vec(),
    };
    let train = if pool.len() == problem.train.len() {
        problem.train.clone()
    } else {
        Arc::new(problem.train.select(&pool))
    };
    let gram = |pairs: Pairs, label: &str, part: &str| computer.augmented(augment, pairs, label, part);
    let among = gram(Pairs::within(train.clone()), &format!("{name}, training"), "train")?;
    let between = gram(Pairs::cross(problem.test.clone(), train.clone()), &format!("{name}, test"), "test")?;
    let mut work = among.work.and(between.work);
    let test = match covariance {
        true => {
            let label = format!("{name}, test with itself");
            let test = gram(Pairs::within(problem.test.clone()), &label, "test-self")?;
            work = work.and(test.work);
            Some(test.kernels.nngp)
        }
        false => None,
    };
    let places: Option<Vec<usize>> = (pool != draws.pool())
        .then(|| draws.pool().iter().map(|sample| pool.partition_point(|other| other < sample)).collect());
    let nngp = test.map(|test| NngpKernels {
        train: among.kernels.nngp.clone(),
        cross: between.kernels.nngp.clone(),
        test,
    });
    let wanted = |kernels: Kernels| match kind {
        Kind::Nngp => Ok(kernels.nngp),
        Kind::Ntk => kernels.ntk.context("the backend gave no NTK though it was asked for one"),
    };
    let (train, cross) = (wanted(among.kernels)?, wanted(between.kernels)?);
    let kernels = ProblemKernels { train, cross, nngp, work };
    Ok(match places {
        Some(places) => kernels.select(&places),
        None => kernels,
    })
}

/// A matrix of each kind that is needed, of a file of `ekernel gram` or of any other with arrays `nngp` and `ntk`.
struct StoredGram {
    wanted: Array2<f64>,
    nngp: Option<Array2<f64>>,
}

/// The kernels that files hold: one matrix of training and test samples, or the blocks of it.
pub(super) fn stored(
    files: &[PathBuf],
    architecture: &Architecture,
    problem: &Problem,
    draws: &Draws,
    (kind, covariance): (Kind, bool),
) -> anyhow::Result<ProblemKernels> {
    let (n, m) = (problem.train.len(), problem.test.len());
    let read = |path: &Path, shape| StoredGram::read(path, architecture, (kind, covariance), shape);
    let (train, cross, test) = match files {
        [whole] => {
            let all = read(whole, [n + m; 2])?;
            let part = |rows: std::ops::Range<usize>, cols: std::ops::Range<usize>| StoredGram {
                wanted: all.wanted.slice(s![rows.clone(), cols.clone()]).to_owned(),
                nngp: all.nngp.as_ref().map(|nngp| nngp.slice(s![rows, cols]).to_owned()),
            };
            (part(0..n, 0..n), part(n..n + m, 0..n), Some(part(n..n + m, n..n + m)))
        }
        [train, cross] => (read(train, [n, n])?, read(cross, [m, n])?, None),
        [train, cross, test] => (read(train, [n, n])?, read(cross, [m, n])?, Some(read(test, [m, m])?)),
        _ => return Err(mistake("--gram takes one, two or three files; see --help")),
    };
    let nngp = match (covariance, train.nngp, cross.nngp, test) {
        (false, ..) => None,
        (true, Some(train), Some(cross), Some(StoredGram { nngp: Some(test), .. })) => {
            Some(NngpKernels { train, cross, test })
        }
        _ => {
            return Err(mistake(
                "--cov with --gram needs the kernel of the test samples too: name it third, or one matrix of all \
                 samples",
            ));
        }
    };
    let kernels = ProblemKernels { nngp, ..ProblemKernels::new(train.wanted, cross.wanted) };
    Ok(kernels.select(draws.pool()))
}

impl StoredGram {
    fn read(
        path: &Path,
        architecture: &Architecture,
        (kind, covariance): (Kind, bool),
        shape: [usize; 2],
    ) -> anyhow::Result<StoredGram> {
        let mut file = NpzFile::open(path)?;
        ensure_same_network(&mut file, path, architecture)?;
        let mut matrix = |kind: Kind| {
            let name = kind.name();
            let values = match file.read(name)? {
                NpyArray::Floats(values) => values.into_dimensionality::<Ix2>().ok(),
                _ => None,
            };
            let found = values
                .as_ref()
                .map_or_else(|| "no matrix of floats".to_owned(), |v| format!("shape {:?}", v.shape()));
            values.filter(|values| values.shape() == shape).ok_or_else(|| {
                mistake(format!(
                    "--gram {}: {name} has {found}, and the samples of --train and --test need {shape:?}",
                    path.display()
                ))
            })
        };
        let wanted = matrix(kind)?;
        let nngp = match (covariance, kind) {
            (false, _) => None,
            (true, Kind::Nngp) => Some(wanted.clone()),
            (true, Kind::Ntk) => Some(matrix(Kind::Nngp)?),
        };
        Ok(StoredGram { wanted, nngp })
    }
}

/// Refuses kernels that `ekernel gram` stored of another network.
fn ensure_same_network(file: &mut NpzFile, path: &Path, architecture: &Architecture) -> anyhow::Result<()> {
    if !file.contains("metadata") {
        return Ok(());
    }
    let NpyArray::Texts(texts) = file.read("metadata")? else { return Ok(()) };
    let stored = texts.first().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let stored = stored.and_then(|facts| facts["architecture"].as_str().map(str::to_owned));
    match stored {
        Some(stored) if stored != architecture.network.to_toml() => Err(mistake(format!(
            "--gram {} holds kernels of another architecture than {}",
            path.display(),
            architecture.path.display()
        ))),
        _ => Ok(()),
    }
}
