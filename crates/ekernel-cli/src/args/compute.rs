//! What computes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ekernel_core::{Network, plan::Quadrature};
use ekernel_wgpu::{AdapterChoice, StrategyChoice};

use super::{quadrature::quadrature, sampled::Sampled, talk::Talk};
use crate::failure::mistake;

/// What computes, and how it talks.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Computing")]
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
    pub(crate) sampled: Sampled,
    #[command(flatten)]
    pub(crate) talk: Talk,
}

/// Which GPU computes, and how.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Computing")]
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
    /// Networks of finite width, sampled: --width, --networks
    Finite,
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

impl Compute {
    /// The number of threads, said or found.
    pub(crate) fn thread_count(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// Refuses what the network would ignore.
    pub(crate) fn ensure_fits(&self, network: &Network) -> anyhow::Result<()> {
        let spherical = network.input().is_spherical();
        if let (true, Some(option)) = (self.backend != BackendName::Finite, self.sampled.given()) {
            return Err(mistake(format!(
                "{option}: only --backend finite samples networks; leave {option} out"
            )));
        }
        if self.backend == BackendName::Finite {
            let exact = [
                ("--quadrature", self.quadrature != Quadrature::Accurate),
                ("--blocks", self.blocks != Blocks::Orbit),
            ];
            if let Some((option, _)) = exact.into_iter().find(|(_, given)| *given) {
                return Err(mistake(format!("{option}: --backend finite has none; leave it out")));
            }
        }
        if !spherical && self.quadrature != Quadrature::Accurate {
            return Err(mistake("--quadrature: only networks on the sphere have one; leave it out"));
        }
        if spherical && self.blocks == Blocks::All {
            return Err(mistake("--blocks all: networks on the sphere have no blocks; leave it out"));
        }
        Ok(())
    }
}

fn threads(text: &str) -> Result<usize, String> {
    const MOST: usize = 1024;
    match text.parse() {
        Ok(n @ 1..=MOST) => Ok(n),
        _ => Err(format!("give a whole number from 1 to {MOST}")),
    }
}
