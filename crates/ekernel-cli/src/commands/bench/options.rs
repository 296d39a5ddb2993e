//! The words of the command.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{
    networks,
    sizes::{Sizes, sizes},
};
use crate::args::{Gpu, Precision, count};

#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// Networks to measure: `field` (`cnn-valid cnn-same c4-valid c4-same cnn21 myrtle5 so3-relu so3-relu-fast so3-erf`),
    /// `chains` (cnn-same beside itself with other activations, strides, pools and sums: `cnn-nngp cnn-leaky cnn-abs cnn-erf
    /// cnn-gelu cnn-sin cnn-cos cnn-rbf cnn-exp cnn-gaussian cnn-sign cnn-mixed cnn-strides myrtle5 wrn16`), or some of them
    /// [default: field]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = named)]
    pub(super) networks: Vec<Named>,
    /// What to measure
    #[arg(long, value_enum, default_value = "auto")]
    pub(super) backend: Subject,
    #[command(flatten)]
    pub(super) gpu: Gpu,
    /// Try sizes of workgroups on the GPU and store the fastest for its adapter and driver, in the file of --tuning: all, or
    /// these (invocations x runs of planes in turn)
    #[arg(long, value_name = "NxM,…", require_equals = true, value_parser = sizes,
        conflicts_with_all = ["networks", "precision", "threads", "isa"])]
    pub(super) tune: Option<Option<Sizes>>,
    /// Floating point numbers of the CPU: f32, f64 or both
    #[arg(long, value_enum, value_name = "PRECISION,…", value_delimiter = ',', default_value = "f32")]
    pub(super) precision: Vec<Precision>,
    /// Numbers of threads to measure [default: one, and one per core]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = count)]
    pub(super) threads: Vec<usize>,
    /// Instruction sets to measure, widest first; `all` for those of this processor [default: the widest]
    #[arg(long, value_name = "ISA,…", value_delimiter = ',')]
    pub(super) isa: Vec<String>,
    /// Seconds to measure each; a pair that takes longer is measured once
    #[arg(long, value_name = "S", default_value = "3", value_parser = seconds)]
    pub(super) seconds: f64,
    /// Nothing on standard error but errors
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// The result as JSON, in a file or instead of the table
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<Option<PathBuf>>,
}

/// The networks of one word.
#[derive(Clone, Debug)]
pub(super) struct Named(pub(super) Vec<&'static str>);

fn named(text: &str) -> Result<Named, String> {
    networks::named(text).map(Named)
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Subject {
    /// The CPU, and a GPU if one is named or there is a hardware one
    Auto,
    /// The CPU
    Cpu,
    /// A GPU
    Wgpu,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("give a number of seconds above 0, at most 3600".to_owned()),
    }
}
