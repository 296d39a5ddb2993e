//! The networks that `--backend finite` samples.

use clap::Args;
use ekernel_core::{KernelSet, Network};
use ekernel_finite::{Options, Widths};

use super::count::count;

/// The networks that `--backend finite` samples.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Sampling")]
pub(crate) struct Sampled {
    /// Of --backend finite: features of all hidden layers [default: each layer's own `width`]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) width: Option<usize>,
    /// Of --backend finite: networks to sample [default: 1000]
    #[arg(long, value_name = "N", value_parser = count)]
    networks: Option<usize>,
    /// Of --backend finite: seed of the networks [default: 0]
    #[arg(long, value_name = "S")]
    network_seed: Option<u32>,
}

/// Networks that are sampled, if nothing else is said.
const NETWORKS: usize = 1000;

/// Outputs of each network, each of which is a sample of the NNGP; the NTK would take a pass back for each.
const OUTPUTS: usize = 100;

impl Sampled {
    /// The first option that was given, in words.
    pub(crate) fn given(&self) -> Option<&'static str> {
        [
            ("--width", self.width.is_some()),
            ("--networks", self.networks.is_some()),
            ("--network-seed", self.network_seed.is_some()),
        ]
        .into_iter()
        .find_map(|(option, given)| given.then_some(option))
    }

    /// How the kernels of a network are sampled, in as much memory as there is.
    pub(crate) fn options(&self, network: &Network, kinds: KernelSet, threads: usize) -> Options {
        let widths = match (self.width, kinds) {
            (Some(width), KernelSet::Nngp) => Widths::with_outputs(network, width, OUTPUTS),
            (Some(width), KernelSet::Both) => Widths::all(width),
            (None, _) => Widths::own(),
        };
        Options {
            seed: self.network_seed.unwrap_or(0).into(),
            threads,
            memory: ekernel_system::memory::available().map_or(4 << 30, |memory| memory.bytes),
            ..Options::new(widths, self.networks.unwrap_or(NETWORKS))
        }
    }
}
