//! What the command takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ekernel_core::Group;
use ekernel_finite::Optimizer;

use crate::{
    args::{Reading, Talk, count},
    failure::mistake,
};

/// Two jobs as they are typed.
const EXAMPLES: &str = "\
Examples:
  ekernel train --arch cnn.toml --arch gcnn.toml --train d.npz:x_train,y_train --test d.npz:x_test,y_test --ood noise \\
      --members 100 --epochs 20 --augment C4,none --checkpoint members --plot distances.svg
  ekernel train --arch mlp.toml --width 128 --train t.csv:0..300,y --test t.csv:300..400,y --optimizer sgd --rate 0.1";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Train {
    /// The architecture file; several are trained and compared
    #[arg(long, value_name = "A.toml", required = true)]
    pub(super) arch: Vec<PathBuf>,
    /// Training samples and targets, as `predict` reads them: classes become centred one-hot labels, values lose their mean
    #[arg(long, value_name = "FILE:X,Y")]
    pub(super) train: String,
    /// Test samples and, where they are known, targets
    #[arg(long, value_name = "FILE:X[,Y]")]
    pub(super) test: String,
    /// Samples out of distribution, or noise: 100 samples of mean 0 and variance 1
    #[arg(long, value_name = "FILE:X|noise")]
    pub(super) ood: Option<String>,
    /// Networks of each ensemble
    #[arg(long, value_name = "N", default_value = "10", value_parser = count)]
    pub(super) members: usize,
    /// Passes over the training samples
    #[arg(long, value_name = "N", default_value = "20", value_parser = count)]
    pub(super) epochs: usize,
    /// Features of all hidden layers [default: each layer's own `width`]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(super) width: Option<usize>,
    /// The rule of a step
    #[arg(long, value_enum, default_value = "adam")]
    optimizer: OptimizerName,
    /// The size of a step [default: 0.001 for adam]
    #[arg(long, value_name = "R", value_parser = rate)]
    rate: Option<f64>,
    /// Samples of a step, each with all of its copies [default: all samples]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(super) batch: Option<usize>,
    /// Learn turned copies of the images: all of them in each step, or with C4:random one of them, drawn in each epoch. Of
    /// several an ensemble is trained for each. A network whose outputs are the same for all copies learns none of them, and a note says so
    #[arg(long, value_name = "none|C4|D4|C4:random|…", value_delimiter = ',', default_value = "none", value_parser = copies)]
    pub(super) augment: Vec<Copies>,
    /// Seed of the members
    #[arg(long, value_name = "S", default_value = "0")]
    pub(super) seed: u32,
    /// Threads to compute with, each of which trains a member [default: one per core]
    #[arg(long, value_name = "N", value_parser = count)]
    threads: Option<usize>,
    /// Keep every member in this folder after each epoch, and continue from what is there
    #[arg(long, value_name = "DIR")]
    pub(super) checkpoint: Option<PathBuf>,
    /// Draw the distances of mean outputs against the size of the ensembles (.svg or .png)
    #[arg(long, value_name = "F.svg")]
    pub(super) plot: Option<PathBuf>,
    /// The file to store mean and spread of the outputs after each epoch in, and the distances; docs/files.md
    #[arg(long, value_name = "F.npz")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) talk: Talk,
}

/// Which copies of the images are learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copies {
    None,
    All(Group),
    Drawn(Group),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OptimizerName {
    /// θ ← θ − η·g
    Sgd,
    Adam,
}

impl Train {
    /// The rule of a step, and its size.
    pub(super) fn optimizer(&self) -> anyhow::Result<(Optimizer, f64)> {
        match (self.optimizer, self.rate) {
            (OptimizerName::Adam, rate) => Ok((Optimizer::Adam, rate.unwrap_or(1e-3))),
            (OptimizerName::Sgd, Some(rate)) => Ok((Optimizer::Sgd, rate)),
            (OptimizerName::Sgd, None) => Err(mistake(
                "--optimizer sgd: give its --rate; below 2·samples·outputs over the largest eigenvalue of the NTK it descends",
            )),
        }
    }

    /// The number of threads, said or found.
    pub(super) fn thread_count(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && f64::is_finite(rate) => Ok(rate),
        _ => Err("give a number above 0".to_owned()),
    }
}

fn copies(text: &str) -> Result<Copies, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Copies::None);
    }
    let (name, drawn) = match text.split_once(':') {
        None => (text, false),
        Some((name, "random")) => (name, true),
        Some(_) => return Err("a group is followed by nothing or by :random, as in C4:random".to_owned()),
    };
    let found = Group::ALL.into_iter().filter(|group| *group != Group::C1);
    match found.into_iter().find(|group| group.name().eq_ignore_ascii_case(name)) {
        Some(group) if drawn => Ok(Copies::Drawn(group)),
        Some(group) => Ok(Copies::All(group)),
        None => Err("give none, C2, C4, D1, D2 or D4, or a group with :random".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_named_by_their_group() {
        assert_eq!(copies("none"), Ok(Copies::None));
        assert_eq!(copies("c4"), Ok(Copies::All(Group::C4)));
        assert_eq!(copies("D4:random"), Ok(Copies::Drawn(Group::D4)));
        for wrong in ["C3", "C1", "C4:all", "", "C4:"] {
            assert!(copies(wrong).is_err(), "{wrong}");
        }
    }
}
