//! A network, pairs of samples, and the kernels that are expected of them.

use std::sync::{Arc, OnceLock};

use ekernel_core::{BackendError, KernelSet, Kernels, Network, Pairs, Plan, Quadrature, Samples};

use crate::trusted::Trusted;

/// Pairs of samples, and what is expected of them.
pub(crate) type Check = (Pairs, Result<Kernels, BackendError>);

/// A network with samples. What is expected is computed once, by whom the case trusts, and shared by all subjects.
pub struct Case {
    /// What it is called in reports.
    pub name: String,
    /// The network.
    pub network: Network,
    /// The samples.
    pub samples: Arc<Samples>,
    trusted: Trusted,
    quadrature: Quadrature,
    checks: OnceLock<Vec<Check>>,
}

impl Case {
    /// A case that trusts the literal reference; on the sphere, on the small grid, where that is fast enough.
    pub fn new(name: impl Into<String>, network: Network, samples: impl Into<Arc<Samples>>) -> Case {
        Case {
            name: name.into(),
            network,
            samples: samples.into(),
            trusted: Trusted::Reference,
            quadrature: Quadrature::Fast,
            checks: OnceLock::new(),
        }
    }

    /// A case of which kernels are known: published ones, or closed forms.
    pub(crate) fn known(
        name: impl Into<String>,
        network: Network,
        quadrature: Quadrature,
        checks: Vec<(Pairs, Kernels)>,
    ) -> Case {
        let samples = Arc::clone(checks[0].0.first());
        let checks: Vec<Check> = checks.into_iter().map(|(pairs, kernels)| (pairs, Ok(kernels))).collect();
        Case { quadrature, checks: OnceLock::from(checks), ..Case::new(name, network, samples) }
    }

    /// The same, trusting the CPU in float64.
    #[must_use]
    pub fn against_double(self) -> Case {
        Case { trusted: Trusted::Double, ..self }
    }

    /// The same on another grid.
    pub(crate) fn on(self, quadrature: Quadrature) -> Case {
        Case { quadrature, ..self }
    }

    /// The plan of the network.
    ///
    /// # Panics
    /// If it has none.
    pub fn plan(&self) -> Plan {
        Plan::with_quadrature(&self.network, KernelSet::Both, self.quadrature)
            .unwrap_or_else(|error| panic!("{} has no plan: {error}\n{}", self.name, self.network))
    }

    /// What is compared: the samples against themselves, and against their first half, unless other kernels are known.
    pub(crate) fn checks(&self) -> &[Check] {
        self.checks.get_or_init(|| {
            let half: Vec<usize> = (0..self.samples.len().div_ceil(2)).collect();
            let half = self.samples.select(&half);
            let pairs =
                [Pairs::within(Arc::clone(&self.samples)), Pairs::cross(Arc::clone(&self.samples), half)];
            let check = |pairs: Pairs| {
                let kernels = self.trusted.kernels(&self.network, self.quadrature, pairs.clone());
                (pairs, kernels)
            };
            pairs.map(check).into()
        })
    }
}
