//! Sampling as a backend.

use std::ops::Range;

use ekernel_core::{
    Backend, BackendError, Control, KernelSet, Kernels, Network, Numerics, Pairs, Plan, Prepared,
};
use ndarray::s;

use crate::{
    error::FiniteError,
    estimate::{Estimate, Options, Precision, sample},
};

/// Samples kernels with networks of finite width.
#[derive(Clone, Debug)]
pub struct FiniteBackend {
    network: Network,
    kinds: KernelSet,
    options: Options,
}

impl FiniteBackend {
    /// A backend for one network.
    pub fn new(network: &Network, kinds: KernelSet, options: Options) -> FiniteBackend {
        FiniteBackend { network: network.clone(), kinds, options }
    }

    /// Samples the kernels of these pairs, with standard errors.
    ///
    /// # Errors
    /// Those of [`sample`].
    pub fn estimate(&self, pairs: &Pairs, control: &Control) -> Result<Estimate, FiniteError> {
        sample(&self.network, pairs, self.kinds, &self.options, control)
    }
}

impl Backend for FiniteBackend {
    fn plan(&self) -> Option<&Plan> {
        None
    }

    fn numerics(&self) -> Numerics {
        let Options { widths, networks, first, seed, precision, .. } = self.options;
        Numerics::new("finite")
            .with("network", self.network.to_toml())
            .with("widths", format!("{widths:?}"))
            .with("networks", format!("{networks} from {first}"))
            .with("seed", seed)
            .with("precision", format!("{precision:?}"))
    }

    fn describe(&self) -> String {
        let precision = match self.options.precision {
            Precision::F32 => "f32",
            Precision::F64 => "f64",
        };
        let widths = match self.options.widths.hidden {
            Some(width) => format!("width {width}"),
            None => "their own widths".to_owned(),
        };
        format!("{} sampled networks of {widths}, {precision}", self.options.networks)
    }

    /// Samples all networks: what tiles give is then only read.
    fn prepare(&self, pairs: Pairs, control: &Control) -> Result<Box<dyn Prepared>, BackendError> {
        match self.estimate(&pairs, control) {
            Ok(estimate) => Ok(Box::new(Session { estimate })),
            Err(FiniteError::Backend(error)) => Err(error),
            Err(FiniteError::Arch(error)) => Err(BackendError::Arch(error)),
            Err(error) => Err(BackendError::Device {
                device: "sampled networks".to_owned(),
                problem: error.to_string(),
                remedy: "see docs/finite.md".to_owned(),
            }),
        }
    }
}

struct Session {
    estimate: Estimate,
}

impl Prepared for Session {
    fn tile(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        control: &Control,
    ) -> Result<Kernels, BackendError> {
        control.check()?;
        let tile = s![rows, cols];
        Ok(Kernels {
            nngp: self.estimate.nngp[0].slice(tile).to_owned(),
            ntk: self.estimate.ntk.as_ref().map(|[mean, _]| mean.slice(tile).to_owned()),
        })
    }

    fn tile_shape(&self) -> [usize; 2] {
        [256, 256]
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn memory(&self) -> [u64; 2] {
        [32 * self.estimate.nngp[0].len() as u64, 16 << 16]
    }
}
