use std::{ops::Range, sync::Arc, thread};

use ekernel_core::{
    Backend, BackendError, Control, Input, KernelSet, Kernels, Network, Numerics, Pairs, Plan, Prepared,
    Progress, Samples,
};
use ndarray::Array2;

use crate::{
    field::{Field, features},
    memory,
    pass::{Own, Variances, run},
    rotations::{self, RotationMode},
};

/// Computes kernels by their literal recursions in float64, pair by pair.
#[derive(Clone, Debug)]
pub struct ReferenceBackend {
    network: Arc<Network>,
    kinds: KernelSet,
    memory_limit: u64,
    rotations: RotationMode,
}

impl ReferenceBackend {
    /// Bytes of memory that a backend takes unless it is told otherwise: 4 GiB.
    pub const MEMORY_LIMIT: u64 = 4 << 30;

    /// A backend for one network, with [`ReferenceBackend::MEMORY_LIMIT`].
    pub fn new(network: &Network, kinds: KernelSet) -> ReferenceBackend {
        ReferenceBackend {
            network: Arc::new(network.clone()),
            kinds,
            memory_limit: Self::MEMORY_LIMIT,
            rotations: RotationMode::default(),
        }
    }

    /// Sets the points of SO(3) on which kernels of networks on the sphere are carried.
    pub fn with_rotations(mut self, mode: RotationMode) -> ReferenceBackend {
        self.rotations = mode;
        self
    }

    /// Sets the bytes of memory that samples and tensors may take. [`Backend::prepare`] refuses networks that need more
    /// for one pair, and [`Prepared::concurrency`] stays within it.
    pub fn with_memory_limit(mut self, bytes: u64) -> ReferenceBackend {
        self.memory_limit = bytes;
        self
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    fn samples(&self, samples: &Samples, control: &Control) -> Result<PreparedSet, BackendError> {
        let mut prepared = PreparedSet { features: Vec::new(), own: Vec::new() };
        for i in 0..samples.len() {
            let f = features(samples, i);
            let own = Own::of(&self.network, &f, control)?;
            let [k, theta] = own.output;
            if !(k.is_finite() && (self.kinds == KernelSet::Nngp || theta.is_finite())) {
                return Err(self.not_finite([&f, &f], Variances::OfThePair, [i, i]));
            }
            prepared.features.push(f);
            prepared.own.push(own);
        }
        Ok(prepared)
    }

    /// Walks through the pair once more to say where the first value that is not finite appears.
    fn not_finite(
        &self,
        pair: [&Array2<f64>; 2],
        variances: Variances<'_>,
        [row, col]: [usize; 2],
    ) -> BackendError {
        let mut found = None;
        let see = |number: usize, field: &Field| {
            let values = || field.nngp.iter().chain(&field.ntk);
            if let (None, Some(value)) = (found, values().find(|value| !value.is_finite())) {
                found = Some((number, *value));
            }
        };
        if let Err(error) = run(&self.network, pair, variances, &Control::new(), see) {
            return error;
        }
        let (number, value) = found.unwrap_or((0, f64::NAN));
        let place = match number.checked_sub(1) {
            Some(k) => self.network.nodes()[k].place.to_string(),
            None => "the input".to_owned(),
        };
        let reason = format!(
            "it first appears at {place}; the expectation does not exist or overflows there, smaller inputs or a smaller w_std upstream would do"
        );
        BackendError::NotFinite { row, col, value, reason }
    }
}

impl Backend for ReferenceBackend {
    fn plan(&self) -> Option<&Plan> {
        None
    }

    fn numerics(&self) -> Numerics {
        // It has no plan whose digest would name the network.
        let numerics =
            Numerics::new("reference").with("precision", "f64").with("network", self.network.to_toml());
        if self.network.input().is_spherical() {
            numerics.with("quadrature", self.rotations)
        } else {
            numerics
        }
    }

    fn describe(&self) -> String {
        match self.network.input() {
            Input::Vector { .. } | Input::Image { .. } => "reference f64".to_owned(),
            Input::Sphere { .. } | Input::Molecule { .. } => format!("reference f64, {}", self.rotations),
        }
    }

    fn prepare(&self, pairs: Pairs, control: &Control) -> Result<Box<dyn Prepared>, BackendError> {
        self.network.ensure_kernel()?;
        pairs.check(self.network.input())?;
        if self.network.input().is_spherical() {
            let (mode, limit) = (self.rotations, self.memory_limit);
            return rotations::prepare(&self.network, self.kinds, mode, limit, &pairs, control);
        }
        let of: usize = pairs.sets().iter().map(|samples| samples.len()).sum();
        let held = memory::per_sample(&self.network).saturating_mul(of as u64);
        let needed = held.saturating_add(memory::per_pair(&self.network));
        if needed > self.memory_limit {
            return Err(BackendError::Memory {
                what: "the reference, with its full tensors,".to_owned(),
                needed,
                available: self.memory_limit,
                remedy: "use the cpu backend, smaller images or a larger memory limit".to_owned(),
            });
        }
        let first = self.samples(pairs.first(), control)?;
        control.report(Progress::Prepared { done: first.own.len(), of });
        let second = match &pairs {
            Pairs::Within(_) => None,
            Pairs::Cross(_, x2) => Some(self.samples(x2, control)?),
        };
        control.report(Progress::Prepared { done: of, of });
        Ok(Box::new(ReferenceSession { backend: self.clone(), first, second, held }))
    }
}

/// Samples and their kernels with themselves.
struct PreparedSet {
    features: Vec<Array2<f64>>,
    own: Vec<Own>,
}

struct ReferenceSession {
    backend: ReferenceBackend,
    first: PreparedSet,
    second: Option<PreparedSet>,
    held: u64,
}

impl ReferenceSession {
    /// K and Θ of sample i of the first set and j of the second.
    fn entry(&self, i: usize, j: usize, control: &Control) -> Result<[f64; 2], BackendError> {
        let (first, second, i, j) = match &self.second {
            Some(second) => (&self.first, second, i, j),
            None => (&self.first, &self.first, i.min(j), i.max(j)),
        };
        if self.second.is_none() && i == j {
            return Ok(first.own[i].output);
        }
        let pair = [&first.features[i], &second.features[j]];
        let variances = Variances::Of([&first.own[i].variances, &second.own[j].variances]);
        let [k, theta] = run(&self.backend.network, pair, variances, control, |_, _| {})?;
        if !(k.is_finite() && (self.backend.kinds == KernelSet::Nngp || theta.is_finite())) {
            return Err(self.backend.not_finite(pair, variances, [i, j]));
        }
        Ok([k, theta])
    }
}

impl Prepared for ReferenceSession {
    fn tile(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        control: &Control,
    ) -> Result<Kernels, BackendError> {
        let shape = (rows.len(), cols.len());
        let (mut nngp, mut ntk) = (Array2::zeros(shape), Array2::zeros(shape));
        for (a, i) in rows.enumerate() {
            for (b, j) in cols.clone().enumerate() {
                control.check()?;
                [nngp[[a, b]], ntk[[a, b]]] = self.entry(i, j, control)?;
            }
        }
        Ok(Kernels { nngp, ntk: (self.backend.kinds == KernelSet::Both).then_some(ntk) })
    }

    fn tile_shape(&self) -> [usize; 2] {
        [4, 4]
    }

    fn concurrency(&self) -> usize {
        let [held, per_tile] = self.memory();
        let fit = self.backend.memory_limit.saturating_sub(held) / per_tile.max(1);
        let cores = thread::available_parallelism().map_or(1, |n| n.get());
        cores.min(usize::try_from(fit).unwrap_or(cores)).max(1)
    }

    fn memory(&self) -> [u64; 2] {
        [self.held, memory::per_pair(&self.backend.network)]
    }
}
