//! A backend whose kernel of samples i and j depends on i and j alone, not symmetrically, with
//! noise in every bit.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use ekernel_core::{
    Backend, BackendError, Control, KernelSet, Kernels, Numerics, Pairs, Plan, Prepared, Samples,
};
use ndarray::Array2;

/// What a tile does other than return its values.
pub(crate) type Act =
    dyn Fn(&Range<usize>, &Range<usize>, &Control) -> Result<(), BackendError> + Send + Sync;

#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) name: String,
    pub(crate) network: &'static str,
    pub(crate) precision: &'static str,
    pub(crate) kinds: KernelSet,
    pub(crate) tile_shape: [usize; 2],
    pub(crate) concurrency: usize,
    pub(crate) memory: [u64; 2],
    pub(crate) act: Arc<Act>,
    /// One entry instead of what it should be.
    pub(crate) planted: Option<(usize, usize, f64)>,
    pub(crate) calls: Arc<Mutex<Calls>>,
}

#[derive(Debug, Default)]
pub(crate) struct Calls {
    pub(crate) prepared: usize,
    pub(crate) tiles: Vec<(Range<usize>, Range<usize>)>,
    /// How often each pair was computed.
    pub(crate) pairs: BTreeMap<(usize, usize), usize>,
    pub(crate) running: usize,
    pub(crate) most_running: usize,
}

struct PreparedFake {
    fake: Fake,
    symmetric: bool,
}

impl Fake {
    pub(crate) fn new(kinds: KernelSet) -> Fake {
        Fake {
            name: "fake".to_owned(),
            network: "one layer",
            precision: "f64",
            kinds,
            tile_shape: [3, 4],
            concurrency: 2,
            memory: [0, 0],
            act: Arc::new(|_, _, _| Ok(())),
            planted: None,
            calls: Arc::default(),
        }
    }

    pub(crate) fn slow(kinds: KernelSet, pause: Duration) -> Fake {
        let act = move |_: &_, _: &_, _: &_| {
            thread::sleep(pause);
            Ok(())
        };
        Fake { act: Arc::new(act), ..Fake::new(kinds) }
    }

    pub(crate) fn tiles_computed(&self) -> usize {
        self.calls.lock().unwrap().tiles.len()
    }
}

/// Noise of (i, j): the low bits of a mixed 64-bit number make the mantissa, so no two entries
/// agree.
pub(crate) fn value(kernel: u64, i: usize, j: usize) -> f64 {
    let mut z = (i as u64) << 40 ^ (j as u64) << 8 ^ kernel;
    for constant in [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
        z = (z ^ z >> 30).wrapping_mul(constant).wrapping_add(1);
    }
    f64::from_bits(0x3ff0_0000_0000_0000 | z >> 12) * if i == j { 3.0 } else { 1.0 }
}

/// What the Gram matrix should be.
pub(crate) fn expected(pairs: &Pairs, kinds: KernelSet) -> Kernels {
    let shape = (pairs.first().len(), pairs.second().len());
    let kernel = |kernel| {
        Array2::from_shape_fn(shape, |(i, j)| {
            if pairs.is_symmetric() { value(kernel, i.min(j), i.max(j)) } else { value(kernel, i, j) }
        })
    };
    Kernels { nngp: kernel(0), ntk: (kinds == KernelSet::Both).then(|| kernel(1)) }
}

pub(crate) fn samples(n: usize) -> Samples {
    Samples::Vectors(Array2::from_shape_fn((n, 2), |(i, c)| (3 * i + c) as f64))
}

/// Bits, so that nothing is equal by rounding or by the rules for zeros.
pub(crate) fn bits(kernels: &Kernels) -> Vec<u64> {
    kernels.nngp.iter().chain(kernels.ntk.iter().flatten()).map(|value| value.to_bits()).collect()
}

impl Backend for Fake {
    fn plan(&self) -> Option<&Plan> {
        None
    }

    fn numerics(&self) -> Numerics {
        let numerics = Numerics::new(&self.name).with("precision", self.precision);
        if self.network.is_empty() { numerics } else { numerics.with("network", self.network) }
    }

    fn describe(&self) -> String {
        self.name.clone()
    }

    fn prepare(&self, pairs: Pairs, control: &Control) -> Result<Box<dyn Prepared>, BackendError> {
        control.check()?;
        self.calls.lock().unwrap().prepared += 1;
        Ok(Box::new(PreparedFake { fake: self.clone(), symmetric: pairs.is_symmetric() }))
    }
}

impl Prepared for PreparedFake {
    fn tile(
        &self,
        rows: Range<usize>,
        cols: Range<usize>,
        control: &Control,
    ) -> Result<Kernels, BackendError> {
        {
            let mut calls = self.fake.calls.lock().unwrap();
            calls.running += 1;
            calls.most_running = calls.most_running.max(calls.running);
            calls.tiles.push((rows.clone(), cols.clone()));
            for (i, j) in rows.clone().flat_map(|i| cols.clone().map(move |j| (i, j))) {
                *calls.pairs.entry((i, j)).or_default() += 1;
            }
        }
        let acted = (self.fake.act)(&rows, &cols, control);
        self.fake.calls.lock().unwrap().running -= 1;
        acted?;
        let kernel = |kernel| {
            Array2::from_shape_fn((rows.len(), cols.len()), |(a, b)| {
                let (i, j) = (rows.start + a, cols.start + b);
                match self.fake.planted {
                    Some((row, col, planted)) if (row, col) == (i, j) => planted,
                    _ if self.symmetric => value(kernel, i.min(j), i.max(j)),
                    _ => value(kernel, i, j),
                }
            })
        };
        Ok(Kernels { nngp: kernel(0), ntk: (self.fake.kinds == KernelSet::Both).then(|| kernel(1)) })
    }

    fn tile_shape(&self) -> [usize; 2] {
        self.fake.tile_shape
    }

    fn concurrency(&self) -> usize {
        self.fake.concurrency
    }

    fn memory(&self) -> [u64; 2] {
        self.fake.memory
    }
}
