//! The commands, one file each.

pub(crate) mod bench;
pub(crate) mod check;
mod completions;
pub(crate) mod demo;
pub(crate) mod devices;
pub(crate) mod gram;
pub(crate) mod plan;
pub(crate) mod predict;

use crate::args::Command;

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Gram(arguments) => gram::run(&arguments),
        Command::Predict(arguments) => predict::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Devices(arguments) => devices::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Completions { shell } => completions::run(shell),
    }
}
