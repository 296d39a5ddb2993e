//! The words of the command line that several commands share.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ekernel_core::{KernelSet, Network, plan::Quadrature};
use ekernel_data::Normalization;

use ekernel_wgpu::{AdapterChoice, StrategyChoice};

use crate::{
    commands::{
        bench::Bench, check::Check, demo::Demo, devices::Devices, gram::Gram, plan::Plan, predict::Predict,
    },
    failure::mistake,
};

/// Exact kernels (NNGP and NTK) of infinitely wide networks, group-equivariant ones first, and what they predict.
#[derive(Debug, Parser)]
#[command(name = "ekernel", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compute a Gram matrix and store it
    Gram(Gram),
    /// Train a kernel machine on one set and predict another
    Predict(Box<Predict>),
    /// Show how a network is computed, and what a pair of samples costs
    Plan(Plan),
    /// Compare the CPU and GPU backends with the literal reference on a network
    ///
    /// The exit code is 0 if all that could be compared agrees, 1 if a backend differs or fails, or if the adapter that was named
    /// refuses the network, 2 for a mistake.
    Check(Check),
    /// List the GPUs and whether they can be used
    Devices(Devices),
    /// Measure the CPU and GPU backends on the networks that the field compares itself on, or tune a GPU
    Bench(Bench),
    /// Learning curves on shipped data: of a CNN and a C4 network on digits, tested on rotated ones, or of an MLP and an SO(3)
    /// network on molecules
    Demo(Demo),
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// What computes, and how it talks.
#[derive(Args, Clone, Debug)]
pub(crate) struct Compute {
    /// What computes
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) backend: BackendName,
    #[command(flatten)]
    pub(crate) gpu: Gpu,
    /// Floating point numbers to compute with [default: f32; the reference always f64]
    #[arg(long, value_enum)]
    pub(crate) precision: Option<Precision>,
    /// Threads to compute with [default: one per core]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    /// Blocks of a group network: one orbit of the second image, or all pairs of group elements (the same kernels, |H| times
    /// the work; for comparing)
    #[arg(long, value_enum, default_value = "orbit")]
    pub(crate) blocks: Blocks,
    /// Rotations at which networks on the sphere are evaluated: accurate (4L Gauss-Legendre nodes for bandlimit L, at least 12),
    /// fast (2L), or a number of nodes
    #[arg(long, value_name = "accurate|fast|NODES", default_value = "accurate", value_parser = quadrature)]
    pub(crate) quadrature: Quadrature,
    #[command(flatten)]
    pub(crate) talk: Talk,
}

/// Which GPU computes, and how.
#[derive(Args, Clone, Debug)]
pub(crate) struct Gpu {
    /// The GPU: part of its name, or its number in `ekernel devices` [default: a hardware one]
    #[arg(long, value_name = "NAME|INDEX")]
    pub(crate) adapter: Option<AdapterChoice>,
    /// How a GPU computes a stage of planes; networks on the sphere have one way and take no strategy [default: auto]
    #[arg(long, value_enum)]
    pub(crate) strategy: Option<Strategy>,
    /// The file of `ekernel bench --tune`, or none for the built-in sizes of workgroups [default: $EKERNEL_TUNING, or
    /// ekernel/tuning.json in the user's caches]
    #[arg(long, value_name = "FILE|none")]
    pub(crate) tuning: Option<PathBuf>,
}

/// How a command talks.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Talk {
    /// Nothing on standard error but errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// The result as JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// How samples are read and prepared.
#[derive(Args, Clone, Debug)]
pub(crate) struct Reading {
    /// none, unit-range (x/255, for floats 0..255), standardize (per channel, parameters of the training samples) or
    /// per-image; `unit` is short for unit-range
    #[arg(long, value_name = "HOW", default_value = "none", value_parser = normalization)]
    pub(crate) normalize: Normalization,
    /// Resize the images of a folder
    #[arg(long, value_name = "HEIGHTxWIDTH", value_parser = size)]
    pub(crate) resize: Option<(usize, usize)>,
    /// Channels of the images of a folder
    #[arg(long, value_enum, default_value = "as-stored")]
    pub(crate) color: Color,
    /// At most so many images of each class of a folder
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) per_class: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BackendName {
    /// A hardware GPU if there is one and the network is planar, else the CPU
    Auto,
    /// The CPU
    Cpu,
    /// A GPU
    Wgpu,
    /// The literal recursions, slow and obvious
    Reference,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Strategy {
    /// Fused where the plan and the adapter allow it, else layered
    Auto,
    /// A whole stage in one dispatch, planes in workgroup memory
    Fused,
    /// One dispatch per op over materialised kernel tensors
    Layered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Blocks {
    Orbit,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Precision {
    F32,
    F64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    AsStored,
    Grey,
    Rgb,
}

/// One of the two kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Nngp,
    Ntk,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Nngp => "nngp",
            Kind::Ntk => "ntk",
        }
    }

    /// What has to be computed to have all of these.
    pub(crate) fn needed(kinds: &[Kind]) -> KernelSet {
        if kinds.contains(&Kind::Ntk) { KernelSet::Both } else { KernelSet::Nngp }
    }
}

impl Gpu {
    /// The first option that was given, in words.
    pub(crate) fn given(&self) -> Option<&'static str> {
        [
            ("--adapter", self.adapter.is_some()),
            ("--strategy", self.strategy.is_some()),
            ("--tuning", self.tuning.is_some()),
        ]
        .into_iter()
        .find_map(|(option, given)| given.then_some(option))
    }

    pub(crate) fn strategy(&self) -> StrategyChoice {
        match self.strategy {
            None | Some(Strategy::Auto) => StrategyChoice::Auto,
            Some(Strategy::Fused) => StrategyChoice::Fused,
            Some(Strategy::Layered) => StrategyChoice::Layered,
        }
    }
}

impl Precision {
    /// As the CPU backend calls it.
    pub(crate) fn of_backend(self) -> ekernel_cpu::Precision {
        match self {
            Precision::F32 => ekernel_cpu::Precision::F32,
            Precision::F64 => ekernel_cpu::Precision::F64,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::F64 => "f64",
        }
    }
}

impl Reading {
    pub(crate) fn options(&self) -> ekernel_data::ReadOptions {
        let color = match self.color {
            Color::AsStored => ekernel_data::Color::AsStored,
            Color::Grey => ekernel_data::Color::Grey,
            Color::Rgb => ekernel_data::Color::Rgb,
        };
        ekernel_data::ReadOptions { image_size: self.resize, color, per_class: self.per_class }
    }
}

impl Compute {
    /// The number of threads, said or found.
    pub(crate) fn thread_count(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// Refuses what the network would ignore.
    pub(crate) fn ensure_fits(&self, network: &Network) -> anyhow::Result<()> {
        let spherical = network.input().is_spherical();
        if !spherical && self.quadrature != Quadrature::Accurate {
            return Err(mistake("--quadrature: only networks on the sphere have one; leave it out"));
        }
        if spherical && self.blocks == Blocks::All {
            return Err(mistake("--blocks all: networks on the sphere have no blocks; leave it out"));
        }
        Ok(())
    }
}

/// Where finished tiles are kept.
#[derive(Args, Clone, Debug)]
pub(crate) struct Resume {
    /// Keep finished tiles in this folder, and continue from those that are there
    #[arg(long = "resume", value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

/// A whole number of at least 1.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("give a whole number of at least 1".to_owned()),
        Ok(n) => Ok(n),
    }
}

fn threads(text: &str) -> Result<usize, String> {
    const MOST: usize = 1024;
    match text.parse() {
        Ok(n @ 1..=MOST) => Ok(n),
        _ => Err(format!("give a whole number from 1 to {MOST}")),
    }
}

/// The rotations of a network on the sphere.
pub(crate) fn quadrature(text: &str) -> Result<Quadrature, String> {
    match text {
        "accurate" => Ok(Quadrature::Accurate),
        "fast" => Ok(Quadrature::Fast),
        _ => {
            let nodes =
                count(text).map_err(|_| "give accurate, fast or a number of nodes of at least 1".to_owned());
            Ok(Quadrature::Nodes(nodes?))
        }
    }
}

/// The same in words.
pub(crate) fn quadrature_name(quadrature: Quadrature) -> String {
    match quadrature {
        Quadrature::Accurate => "accurate".to_owned(),
        Quadrature::Fast => "fast".to_owned(),
        Quadrature::Nodes(nodes) => format!("{nodes} nodes"),
    }
}

fn size(text: &str) -> Result<(usize, usize), String> {
    let wrong = || "give height and width, for example 28x28".to_owned();
    let (height, width) = text.split_once('x').ok_or_else(wrong)?;
    Ok((count(height).map_err(|_| wrong())?, count(width).map_err(|_| wrong())?))
}

fn normalization(text: &str) -> Result<Normalization, String> {
    match text {
        "unit" => Ok(Normalization::UnitRange),
        _ => text.parse().map_err(|error: ekernel_data::DataError| error.to_string()),
    }
}
