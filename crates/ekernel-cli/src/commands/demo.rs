//! `ekernel demo`: the main job, as one `ekernel predict` on shipped data.

use std::path::{Path, PathBuf};

use clap::{Args, Parser};

use crate::{
    args::{Cli, Command, Talk},
    commands::predict,
    failure::mistake,
    output,
};

/// Where the shipped files lie in the repository.
const DATA: &str = "data/mnist_1k.npz";
const NETWORKS: [&str; 2] = ["examples/architectures/mnist_cnn.toml", "examples/architectures/mnist_c4.toml"];

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// The plot to write
    #[arg(long, value_name = "FILE.svg|png", default_value = "learning_curves.svg")]
    plot: PathBuf,
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
    let root = repository(arguments.repository.as_deref())?;
    let file = |name: &str| root.join(name).display().to_string();
    let data = file(DATA);
    let mut words: Vec<String> = vec!["ekernel".into(), "predict".into()];
    for network in NETWORKS {
        words.extend(["--arch".into(), file(network)]);
    }
    words.extend(["--train".into(), format!("{data}:x_train,y_train")]);
    words.extend(["--test".into(), format!("{data}:x_test_rotated,y_test")]);
    words.extend(["--n", "10,20,50,100,200,400", "--seeds", "5", "--plot"].map(String::from));
    words.push(arguments.plot.display().to_string());
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
    match Cli::try_parse_from(&words).map_err(|error| mistake(error.to_string().trim().to_owned()))?.command {
        Command::Predict(prediction) => predict::run(&prediction),
        other => Err(anyhow::anyhow!("the words of predict were read as {other:?}")),
    }
}

/// The folder that holds the shipped files.
fn repository(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let complete = |folder: &Path| {
        folder.join(DATA).is_file() && NETWORKS.iter().all(|name| folder.join(name).is_file())
    };
    if let Some(folder) = given {
        return if complete(folder) {
            Ok(folder.to_owned())
        } else {
            Err(mistake(format!(
                "--repository {}: it lacks {DATA} or {}",
                folder.display(),
                NETWORKS.join(" or ")
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
        "the demo needs {DATA}: run it in a clone of the repository, or name one with --repository"
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
