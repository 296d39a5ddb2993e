//! The command line: which command runs.

use clap::{CommandFactory, Parser, Subcommand};

use crate::commands::{
    bench::{self, Bench},
    check::{self, Check},
    completions,
    converge::{self, Converge},
    demo::{self, Demo},
    devices::{self, Devices},
    gram::{self, Gram},
    layers::{self, Layers},
    plan::{self, Plan},
    predict::{self, Predict},
    solve::{self, Solve},
    status::{self, Status},
    train::{self, Train},
};

/// Exact kernels (NNGP and NTK) of infinitely wide networks, group-equivariant ones first, and what they predict.
#[derive(Debug, Parser)]
#[command(
    name = "ekernel",
    version,
    arg_required_else_help = true,
    after_help = "Examples:\n  ekernel demo\n  ekernel predict --arch cnn.toml --train images/train --test images/test --plot confusion.svg"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compute a Gram matrix and store it
    Gram(Gram),
    /// Show how far a Zarr store of `ekernel gram` is, and which shards to run
    ///
    /// The exit code is 0 if the store is complete, 1 if a block is missing or damaged, 2 for a mistake.
    #[command(
        after_help = "Examples:\n  ekernel status K.zarr --shards 16\n  ekernel status K.zarr --verify --json"
    )]
    Status(Status),
    /// Solve a kernel system over the tiles of a Zarr store, too large to factor or not, and predict
    Solve(Box<Solve>),
    /// Train a kernel machine on one set and predict another
    Predict(Box<Predict>),
    /// Show how a network is computed, and what a pair of samples costs
    #[command(
        after_help = "Examples:\n  ekernel plan cnn.toml --samples 2000\n  ekernel plan cnn.toml --backend wgpu --json"
    )]
    Plan(Plan),
    /// Show the reference of architecture files: inputs, layers and activations, their keys and an example of each
    #[command(after_help = "Examples:\n  ekernel layers\n  ekernel layers conv")]
    Layers(Layers),
    /// Compare the CPU and GPU backends with the literal reference on a network
    ///
    /// The exit code is 0 if all that could be compared agrees, 1 if a backend differs or fails, or if the adapter that was named
    /// refuses the network, 2 for a mistake.
    #[command(after_help = "Examples:\n  ekernel check cnn.toml\n  ekernel check cnn.toml --adapter 0")]
    Check(Check),
    /// Sample networks of growing width and compare their kernels with the exact ones
    Converge(Box<Converge>),
    /// Train ensembles of networks of finite width and compare their mean outputs
    Train(Box<Train>),
    /// List the GPUs and whether they can be used
    #[command(after_help = "Examples:\n  ekernel devices\n  ekernel devices --json")]
    Devices(Devices),
    /// Measure the CPU and GPU backends on the networks that the field compares itself on, or tune a GPU
    #[command(after_help = "Examples:\n  ekernel bench\n  ekernel bench --tune")]
    Bench(Bench),
    /// Learning curves on shipped data: of a CNN and a C4 network on digits, tested on rotated ones, or of an MLP and an SO(3)
    /// network on molecules
    #[command(after_help = "Examples:\n  ekernel demo\n  ekernel demo molecules --plot curves.png")]
    Demo(Demo),
    /// Print completions for a shell
    #[command(
        after_help = "Examples:\n  ekernel completions bash > ~/.local/share/bash-completion/completions/ekernel\n  ekernel completions zsh > ~/.zfunc/_ekernel"
    )]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Runs a command.
pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Gram(arguments) => gram::run(&arguments),
        Command::Solve(arguments) => solve::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Predict(arguments) => predict::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Layers(arguments) => layers::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Converge(arguments) => converge::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Devices(arguments) => devices::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Completions { shell } => completions::run(shell, &mut Cli::command()),
    }
}
