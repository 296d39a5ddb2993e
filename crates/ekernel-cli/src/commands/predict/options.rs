//! The words of `ekernel predict`.

use std::path::PathBuf;

use clap::{Args, FromArgMatches};
use ekernel_data::{ReadOptions, TargetKind};
use ekernel_experiment::{Amplitude, DrawOptions, Draws, Problem, RidgeChoice, Training};
use ekernel_predict::{Ridge, TrainingTime};

use crate::{
    args::{CenterName, Compute, KindName, Property, Reading, Resume, ScaleName, TargetsName, count, time},
    augment::Augment,
    inputs::Inputs,
    space::Space,
};

/// Two jobs as they are typed.
const EXAMPLES: &str = "\
Examples:
  ekernel predict --arch cnn.toml --train d.npz:x_train,y_train --test d.npz:x_test,y_test --plot confusion.svg
  ekernel predict --arch mlp.toml --train t.csv:0..300,price --test t.csv:300..400,price --kind nngp --scale fit \\
      --standardize-targets --normalize standardize --cov --plot fit.svg --out P.npz

docs/files.md says what P.npz holds. A covariance (--cov) is that of the function, without noise: with --kind nngp of the
Bayesian posterior, with --kind ntk over an ensemble of trained networks. `std` is its root; noise adds noise_std².";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Predict {
    /// The architecture file; several are compared
    #[arg(long, value_name = "A.toml", required = true, num_args = 1..)]
    pub(super) arch: Vec<PathBuf>,
    /// Training samples and targets: FILE.npz:X,Y, X.npy,Y.npy, TABLE.csv:ROWS,COLUMN, a folder of one sub-folder of images per
    /// class, …; molecules and a property of theirs: FILE:ROWS,PROPERTY such as qm9.npz:train,U0 or FOLDER:all,energy.
    /// ROWS are all or 0..300; of arrays `X[0:300]`. A third name is the standard deviation of the noise of each target
    #[arg(long, value_name = "FILE:X,Y[,NOISE]")]
    pub(super) train: String,
    /// Test samples and, if they are known, targets
    #[arg(long, value_name = "FILE:X[,Y]")]
    pub(super) test: String,
    /// What targets in arrays are [default: by their type, integers and texts classes, floats values]
    #[arg(long, value_enum)]
    pub(super) targets: Option<TargetsName>,
    /// Number of training samples to use, drawn at random with balanced classes
    #[arg(long, value_name = "N", value_parser = count)]
    pub(super) max_train: Option<usize>,
    /// Number of test samples to use, drawn at random with balanced classes
    #[arg(long, value_name = "N", value_parser = count)]
    pub(super) max_test: Option<usize>,
    /// Kernels that are stored already, in place of computing them: one matrix of training and then test samples, or that of
    /// the training samples and that of the test samples (rows) with them; with --cov also that of the test samples
    #[arg(long, value_name = "K.npz,…", value_delimiter = ',', conflicts_with = "folder")]
    pub(super) gram: Vec<PathBuf>,
    /// Average the kernels over each training image and its mirror image: the predictions of training on both (with half the
    /// absolute ridge), at twice the work. `flip` is left-right; zca is fitted to both
    #[arg(long, value_enum, value_name = "flip", conflicts_with = "gram")]
    pub(super) augment: Option<Augment>,
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) property: Property,
    /// Added to the diagonal, relative to its mean, or in units of the kernel as NUMBER:absolute; auto chooses a power of ten by
    /// cross-validation on the training samples, fine one of two in each decade, likelihood the most likely noise
    /// (--kind nngp) [default: 1e-4, with --scale fit likelihood]
    #[arg(
        long,
        value_name = "R|R:absolute|auto|fine|likelihood",
        allow_negative_numbers = true,
        help_heading = TRAINING
    )]
    pub(super) ridge: Option<RidgeChoice>,
    /// Training time, learning rate × steps of gradient descent; several are compared
    #[arg(long, value_name = "T|inf,…", default_value = "inf", value_delimiter = ',', value_parser = time,
        allow_negative_numbers = true, help_heading = TRAINING)]
    pub(super) time: Vec<TrainingTime>,
    /// Taken off regression targets before training
    #[arg(long, value_enum, default_value = "mean", help_heading = TRAINING)]
    pub(super) center: CenterName,
    /// Divide regression targets by their standard deviation, and multiply predictions by it
    #[arg(long, help_heading = TRAINING)]
    pub(super) standardize_targets: bool,
    /// ntk: trained networks; nngp: the Bayesian posterior
    #[arg(long, value_enum, default_value = "ntk", ignore_case = true, help_heading = TRAINING)]
    pub(super) kind: KindName,
    /// The amplitude of kernel and ridge with --kind nngp: it changes covariances, not means
    #[arg(long, value_enum, default_value = "computed", help_heading = TRAINING)]
    pub(super) scale: ScaleName,
    /// Also the covariance of the predictions and its root, std
    #[arg(long, conflicts_with = "n", help_heading = TRAINING)]
    pub(super) cov: bool,
    /// Learning curve: numbers of training samples, drawn at random with balanced classes
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = count, help_heading = CURVES)]
    pub(super) n: Vec<usize>,
    /// Draws of each size of a learning curve
    #[arg(long, value_name = "K", default_value = "5", value_parser = count, help_heading = CURVES)]
    pub(super) seeds: usize,
    /// The first seed of the draws
    #[arg(long, value_name = "S", default_value = "0", help_heading = CURVES)]
    pub(super) seed: u32,
    /// Number of training samples that learning curves are drawn from, themselves drawn [default: the largest --n]
    #[arg(long, value_name = "N", value_parser = count, requires = "n", help_heading = CURVES)]
    pub(super) pool: Option<usize>,
    /// Draw curves over --n or --time, the confusion of classes, or predicted against true values (of one feature the
    /// predictions over it, with --cov and a band of two standard deviations)
    #[arg(long, value_name = "FILE.svg|png", help_heading = RESULTS)]
    pub(super) plot: Option<PathBuf>,
    /// Store predictions, the names of the test samples, scores and `metadata` (JSON)
    #[arg(long, value_name = "P.npz", help_heading = RESULTS)]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) resume: Resume,
    #[command(flatten)]
    pub(super) compute: Compute,
}

const TRAINING: &str = "Training";
const CURVES: &str = "Learning curves";
const RESULTS: &str = "Results";

impl Predict {
    /// From the words after `ekernel`, `predict` first.
    pub(crate) fn of_words(words: &[String]) -> Result<Predict, clap::Error> {
        let command = Predict::augment_args(clap::Command::new("predict").bin_name("ekernel predict"));
        Predict::from_arg_matches(&command.try_get_matches_from(words)?)
    }

    /// How machines are trained, up to the last of the times.
    pub(super) fn training(&self) -> Training {
        let amplitude = Amplitude::from(self.scale);
        let default = match amplitude {
            Amplitude::Fit => RidgeChoice::Likelihood,
            Amplitude::AsComputed => RidgeChoice::Given(Ridge::Relative(1e-4)),
        };
        Training {
            kind: self.kind.into(),
            ridge: self.ridge.unwrap_or(default),
            time: self.time.last().copied().unwrap_or(TrainingTime::INFINITE),
            center: self.center.into(),
            standardize: self.standardize_targets,
            amplitude,
            threads: self.compute.thread_count(),
        }
    }

    /// The draws of the training set: of learning curves, or all of it at once.
    pub(super) fn draws(&self, problem: &Problem) -> Draws {
        let Some(&largest) = self.n.iter().max() else { return Draws::whole(problem.train.len()) };
        let options = DrawOptions {
            sizes: self.n.clone(),
            pool: self.pool.unwrap_or(largest),
            draws: self.seeds,
            seed: u64::from(self.seed),
        };
        Draws::new(&problem.train_targets, &options)
    }

    pub(super) fn problem(&self, space: &Space) -> anyhow::Result<Problem> {
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
            augment: self.augment,
            references: self.property.references(),
            unit: self.property.unit(),
            quiet: self.compute.talk.quiet,
        };
        inputs.read(space)
    }
}
