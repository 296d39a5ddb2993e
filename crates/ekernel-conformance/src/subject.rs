//! What is tested: how a backend is made, how exact it is, and what is known of it.

use std::sync::Arc;

use ekernel_core::{Backend, BackendError, Plan};

use crate::Expectation;

/// A backend under test.
pub struct Subject {
    /// What it is called in reports.
    pub name: &'static str,
    /// How exact it is.
    pub tolerances: Tolerances,
    /// Makes it for a plan.
    pub make: Make,
    /// Which plans concern it, if not all do; the others are left out.
    pub concerns: Option<fn(&Plan) -> bool>,
    /// Make backends that must give the same bits: other numbers of threads, other sizes of buffers.
    pub twins: Vec<(String, Make)>,
    /// Make backends that must agree to rounding: all blocks of an orbit, other instruction sets.
    pub variants: Vec<(String, Make)>,
    /// Of a hundred cases of a large set, how many are computed: every one of published kernels alone, apart from these.
    pub share: usize,
    /// Cases that are known to be off.
    pub expected: Vec<Expectation>,
    /// Whether the backend decides by itself which values are defects, and reads nothing of the plan about it.
    pub asks_for_defects: bool,
    /// Why a tile under way reports nothing but its end, as long as it does not.
    pub silent_tiles: Option<&'static str>,
}

/// Makes a backend for a plan.
pub type Make = Arc<dyn Fn(Plan) -> Result<Box<dyn Backend>, BackendError>>;

/// The largest errors, relative to the largest entry.
#[derive(Clone, Copy, Debug)]
pub struct Tolerances {
    /// On samples of which no kernel loses digits.
    pub exact: f64,
    /// On all others, where a reference that carries K loses half of its digits.
    pub close: f64,
    /// On random cases of a new seed, some of which are badly conditioned by chance.
    pub chance: f64,
}

impl Tolerances {
    /// Those of a backend in float64.
    pub const DOUBLE: Tolerances = Tolerances { exact: 1e-12, close: 1e-7, chance: 1e-6 };

    /// Those of a backend in float32.
    pub const SINGLE: Tolerances = Tolerances { exact: 1e-6, close: 1e-6, chance: 5e-4 };
}

impl Subject {
    /// A backend of which nothing else is known.
    pub fn new<B: Backend + 'static>(
        name: &'static str,
        tolerances: Tolerances,
        make: impl Fn(Plan) -> Result<B, BackendError> + 'static,
    ) -> Subject {
        Subject {
            name,
            tolerances,
            make: boxed(make),
            concerns: None,
            twins: Vec::new(),
            variants: Vec::new(),
            share: 100,
            expected: Vec::new(),
            asks_for_defects: false,
            silent_tiles: None,
        }
    }

    /// The backend for a plan that is none of those broken on purpose.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn backend(&self, plan: Plan) -> Box<dyn Backend> {
        (self.make)(plan).unwrap_or_else(|error| panic!("{} cannot be made: {error}", self.name))
    }

    /// The same backend, with a twin.
    #[must_use]
    pub fn twin<B: Backend + 'static>(
        mut self,
        name: impl Into<String>,
        make: impl Fn(Plan) -> Result<B, BackendError> + 'static,
    ) -> Subject {
        self.twins.push((name.into(), boxed(make)));
        self
    }

    /// The same backend, with a variant.
    #[must_use]
    pub fn variant<B: Backend + 'static>(
        mut self,
        name: impl Into<String>,
        make: impl Fn(Plan) -> Result<B, BackendError> + 'static,
    ) -> Subject {
        self.variants.push((name.into(), boxed(make)));
        self
    }

    /// Whether a plan concerns it.
    pub(crate) fn concerned_by(&self, plan: &Plan) -> bool {
        self.concerns.is_none_or(|concerns| concerns(plan))
    }

    /// Of `all` cases, how many it computes at least.
    pub(crate) fn at_least(&self, all: usize) -> usize {
        if self.concerns.is_some() { 0 } else { all }
    }

    /// Its share of the cases of a large set, spread over all of them.
    pub(crate) fn some<T>(&self, cases: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        cases.into_iter().step_by((100 / self.share.max(1)).max(1))
    }

    /// Its share of `all` random cases.
    pub(crate) fn share_of(&self, all: usize) -> usize {
        all * self.share / 100
    }
}

fn boxed<B: Backend + 'static>(make: impl Fn(Plan) -> Result<B, BackendError> + 'static) -> Make {
    Arc::new(move |plan| Ok(Box::new(make(plan)?)))
}
