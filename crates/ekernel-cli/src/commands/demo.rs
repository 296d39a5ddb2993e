//! `ekernel demo`: the main jobs, each as one `ekernel predict` on shipped data.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::predict::{self, Predict};
use crate::{args::Talk, failure::mistake, output};

/// What is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// Upright digits, tested on turned ones: a CNN and a C4 network
    Digits,
    /// Energies of molecules: an MLP and an SO(3) network
    Molecules,
}

/// One `ekernel predict` on files of the repository.
struct Job {
    data: &'static str,
    networks: [&'static str; 2],
    train: &'static str,
    test: &'static str,
    options: &'static [&'static str],
    /// The plot, in the current folder.
    plot: &'static str,
}

const DIGITS: Job = Job {
    data: "data/mnist_1k.npz",
    networks: ["examples/architectures/mnist_cnn.toml", "examples/architectures/mnist_c4.toml"],
    train: "x_train,y_train",
    test: "x_test_rotated,y_test",
    options: &["--n", "10,20,50,100,200,400", "--seeds", "5"],
    plot: "demo_digits.svg",
};

const MOLECULES: Job = Job {
    data: "data/qm9_1k.npz",
    networks: ["examples/architectures/qm9_mlp_shared.toml", "examples/architectures/qm9_so3_shared.toml"],
    train: "train,U0",
    test: "test,U0",
    options: &["--n", "16,32,64,128,256", "--seeds", "5", "--ridge", "auto", "--quadrature", "fast"],
    plot: "demo_molecules.svg",
};

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// What is learned
    #[arg(value_enum, default_value = "digits")]
    subject: Subject,
    /// The plot to write [default: demo_digits.svg or demo_molecules.svg]
    #[arg(long, value_name = "FILE.svg|png")]
    plot: Option<PathBuf>,
    /// The folder of the repository [default: this one or one above it]
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
    /// Threads to compute with [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<String>,
    #[command(flatten)]
    talk: Talk,
}

pub(crate) fn run(arguments: &Demo) -> anyhow::Result<()> {
    let job = match arguments.subject {
        Subject::Digits => &DIGITS,
        Subject::Molecules => &MOLECULES,
    };
    let root = repository(job, arguments.repository.as_deref())?;
    let file = |name: &str| root.join(name).display().to_string();
    let data = file(job.data);
    let mut words: Vec<String> = vec!["ekernel".into(), "predict".into()];
    for network in job.networks {
        words.extend(["--arch".into(), file(network)]);
    }
    words.extend(["--train".into(), format!("{data}:{}", job.train)]);
    words.extend(["--test".into(), format!("{data}:{}", job.test)]);
    words.extend(job.options.iter().map(|&word| word.to_owned()));
    let plot = arguments.plot.as_deref().unwrap_or(Path::new(job.plot));
    words.extend(["--plot".into(), plot.display().to_string()]);
    if let Some(threads) = &arguments.threads {
        words.extend(["--threads".into(), threads.clone()]);
    }
    if arguments.talk.quiet {
        words.push("--quiet".into());
    }
    if arguments.talk.json {
        words.push("--json".into());
    }
    output::note(arguments.talk.quiet, &words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "));
    let prediction =
        Predict::of_words(&words[1..]).map_err(|error| mistake(error.to_string().trim().to_owned()))?;
    predict::run(&prediction)
}

/// The folder that holds the shipped files.
fn repository(job: &Job, given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let Job { data, networks, .. } = job;
    let complete = |folder: &Path| {
        folder.join(data).is_file() && networks.iter().all(|name| folder.join(name).is_file())
    };
    if let Some(folder) = given {
        return if complete(folder) {
            Ok(folder.to_owned())
        } else {
            Err(mistake(format!(
                "--repository {}: it lacks {data} or {}",
                folder.display(),
                networks.join(" or ")
            )))
        };
    }
    // Relative paths where they do, so that the command printed is short.
    let mut above = PathBuf::new();
    for _ in 0..8 {
        if complete(&above) {
            return Ok(above);
        }
        above.push("..");
    }
    Err(mistake(format!(
        "the demo needs {data}: run it in a clone of the repository, or name one with --repository"
    )))
}

/// A word as a shell would read it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
