//! Backends that are broken on purpose around one that is not.

use std::{ops::Range, sync::Arc};

use ekernel_core::{Backend, BackendError, Control, Kernels, Numerics, Pairs, Plan, Prepared, Samples};

/// A backend that hears other pairs, or whose kernels are changed.
pub(crate) struct Broken {
    inner: Box<dyn Backend>,
    pairs: fn(Pairs) -> Pairs,
    kernels: fn(Kernels) -> Kernels,
}

struct BrokenSession {
    inner: Box<dyn Prepared>,
    kernels: fn(Kernels) -> Kernels,
}

impl Broken {
    fn new(inner: Box<dyn Backend>) -> Broken {
        Broken { inner, pairs: |pairs| pairs, kernels: |kernels| kernels }
    }

    /// Takes the first sample of a pair for the second.
    pub(crate) fn swapped_slots(inner: Box<dyn Backend>) -> Box<dyn Backend> {
        let swapped = |pairs: Pairs| match pairs {
            Pairs::Within(x) => Pairs::Within(x),
            Pairs::Cross(x, y) => Pairs::cross(repeated(&y, x.len()), repeated(&x, y.len())),
        };
        Box::new(Broken { pairs: swapped, ..Broken::new(inner) })
    }

    /// Forgets the NTK.
    pub(crate) fn zeroed_ntk(inner: Box<dyn Backend>) -> Box<dyn Backend> {
        let zeroed = |kernels: Kernels| Kernels { ntk: kernels.ntk.map(|ntk| 0.0 * ntk), ..kernels };
        Box::new(Broken { kernels: zeroed, ..Broken::new(inner) })
    }

    /// Takes a sample with itself for two equal ones, which dropout tells apart.
    pub(crate) fn ignored_sameness(inner: Box<dyn Backend>) -> Box<dyn Backend> {
        let apart = |pairs: Pairs| match pairs {
            Pairs::Within(x) => Pairs::Cross(Arc::clone(&x), x),
            Pairs::Cross(x, y) => Pairs::Cross(x, y),
        };
        Box::new(Broken { pairs: apart, ..Broken::new(inner) })
    }
}

/// `count` samples, these again and again.
fn repeated(samples: &Samples, count: usize) -> Samples {
    let indices: Vec<usize> = (0..count).map(|i| i % samples.len()).collect();
    samples.select(&indices)
}

impl Backend for Broken {
    fn plan(&self) -> Option<&Plan> {
        self.inner.plan()
    }

    fn numerics(&self) -> Numerics {
        self.inner.numerics()
    }

    fn describe(&self) -> String {
        format!("{}, broken", self.inner.describe())
    }

    fn prepare(&self, pairs: Pairs, control: &Control) -> Result<Box<dyn Prepared>, BackendError> {
        let inner = self.inner.prepare((self.pairs)(pairs), control)?;
        Ok(Box::new(BrokenSession { inner, kernels: self.kernels }))
    }
}

impl Prepared for BrokenSession {
    fn tile(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        control: &Control,
    ) -> Result<Kernels, BackendError> {
        self.inner.tile(rows, cols, control).map(self.kernels)
    }

    fn tile_shape(&self) -> [usize; 2] {
        self.inner.tile_shape()
    }

    fn concurrency(&self) -> usize {
        self.inner.concurrency()
    }

    fn memory(&self) -> [u64; 2] {
        self.inner.memory()
    }
}
