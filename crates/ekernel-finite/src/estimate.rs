//! Kernels as means over sampled networks.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use ekernel_core::{BackendError, Control, KernelSet, Network, Pairs, Progress};
use ndarray::{Array2, s};

use crate::{
    batch::Batch,
    contraction::empirical_ntk,
    error::FiniteError,
    forward::{Masks, forward},
    network::FiniteNetwork,
    parameters::Parameters,
    random::Name,
    scalar::{Matrix, Scalar},
    statistics::Moments,
    widths::Widths,
};

/// The numbers that networks are computed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// float32.
    #[default]
    F32,
    /// float64.
    F64,
}

/// How kernels are sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The networks' widths.
    pub widths: Widths,
    /// How many networks.
    pub networks: usize,
    /// The first network, so that runs can be added up.
    pub first: u64,
    /// The seed.
    pub seed: u64,
    /// f32 or f64.
    pub precision: Precision,
    /// Threads; each computes a network of its own.
    pub threads: usize,
    /// Bytes that may be taken.
    pub memory: u64,
}

impl Options {
    /// Networks of these widths, seed 0, in f32 on one thread, with 4 GiB of memory.
    pub fn new(widths: Widths, networks: usize) -> Options {
        let (precision, memory) = (Precision::F32, 4 << 30);
        Options { widths, networks, first: 0, seed: 0, precision, threads: 1, memory }
    }
}

/// Sampled kernels with the standard error of each entry, shape (first, second).
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The NNGP, and its standard error.
    pub nngp: [Array2<f64>; 2],
    /// The NTK, and its standard error, if it was asked for.
    pub ntk: Option<[Array2<f64>; 2]>,
    /// How many networks were sampled.
    pub networks: usize,
}

/// Samples kernels: K̂ is the mean over networks and output features of N(x)·N(x'), Θ̂ that of the products of gradients.
///
/// Reports [`Progress::Prepared`] for every network. The result has the same bits for every number of threads.
///
/// # Errors
/// What the network, the samples or the memory do not allow; a network whose outputs are not finite; cancellation.
pub fn sample(
    network: &Network,
    pairs: &Pairs,
    kinds: KernelSet,
    options: &Options,
    control: &Control,
) -> Result<Estimate, FiniteError> {
    let mut whole = None;
    let piece = options.networks.max(1);
    sample_pieces(network, pairs, kinds, options, piece, &mut |found| whole = Some(found), control)?;
    let shape = (pairs.first().len(), pairs.second().len());
    Ok(whole.unwrap_or_else(|| Gathering::new(shape, kinds).estimate()))
}

/// Samples kernels as [`sample`] does, and hands every `piece` networks to `keep`, in the order of their numbers.
///
/// The last piece may be smaller. Where sampling ends early, the pieces before have been handed on.
///
/// # Errors
/// Those of [`sample`].
///
/// # Panics
/// If a piece has no network.
pub fn sample_pieces(
    network: &Network,
    pairs: &Pairs,
    kinds: KernelSet,
    options: &Options,
    piece: usize,
    keep: &mut (dyn FnMut(Estimate) + Send),
    control: &Control,
) -> Result<(), FiniteError> {
    assert_ne!(piece, 0, "a piece has a network");
    match options.precision {
        Precision::F32 => sample_in::<f32>(network, pairs, kinds, options, (piece, keep), control),
        Precision::F64 => sample_in::<f64>(network, pairs, kinds, options, (piece, keep), control),
    }
}

fn sample_in<T: Scalar>(
    network: &Network,
    pairs: &Pairs,
    kinds: KernelSet,
    options: &Options,
    (piece, keep): (usize, &mut (dyn FnMut(Estimate) + Send)),
    control: &Control,
) -> Result<(), FiniteError> {
    pairs.check(network.input())?;
    let sets: Vec<_> = pairs.sets().into_iter().map(|set| &**set).collect();
    let finite = &FiniteNetwork::<T>::fitting(network, options.widths, &sets)?;
    let read = sets.iter().zip(0..).map(|(samples, set)| finite.read(samples, set));
    let batch = Batch::joined(read.collect::<Result<_, _>>()?);
    let shape = (pairs.first().len(), pairs.second().len());
    let threads = options.threads.clamp(1, options.networks.max(1));
    ensure_memory(finite, &batch, kinds, options, threads)?;

    let next = AtomicUsize::new(0);
    let gathered = Mutex::new(Gathered {
        done: 0,
        of: options.networks,
        waiting: BTreeMap::new(),
        empty: Gathering::new(shape, kinds),
        gathering: Gathering::new(shape, kinds),
        piece,
        keep,
    });
    let failed = Mutex::new(None);
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= options.networks || failed.lock().expect("no panic").is_some() {
                return;
            }
            let name = Name { seed: options.seed, member: options.first + number as u64 };
            let result = control.check().map_err(FiniteError::from);
            match result.and_then(|()| kernels(finite, &batch, name, kinds, pairs)) {
                Ok(found) => {
                    let mut gathered = gathered.lock().expect("no panic");
                    gathered.put(number, found);
                    control.report(Progress::Prepared { done: gathered.done, of: options.networks });
                }
                Err(error) => {
                    failed.lock().expect("no panic").get_or_insert(error);
                    return;
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    failed.into_inner().expect("no panic").map_or(Ok(()), Err)
}

/// Networks are added up in the order of their numbers, so that the sums have the same bits for every number of threads.
struct Gathered<'a> {
    done: usize,
    of: usize,
    waiting: BTreeMap<usize, (Array2<f64>, Option<Array2<f64>>)>,
    empty: Gathering,
    gathering: Gathering,
    piece: usize,
    keep: &'a mut (dyn FnMut(Estimate) + Send),
}

impl Gathered<'_> {
    fn put(&mut self, number: usize, found: (Array2<f64>, Option<Array2<f64>>)) {
        self.waiting.insert(number, found);
        while let Some((nngp, ntk)) = self.waiting.remove(&self.done) {
            self.gathering.networks += 1;
            self.gathering.nngp.add(&nngp);
            self.gathering.ntk.iter_mut().zip(&ntk).for_each(|(moments, ntk)| moments.add(ntk));
            self.done += 1;
            if self.gathering.networks == self.piece || self.done == self.of {
                let whole = std::mem::replace(&mut self.gathering, self.empty.clone());
                (self.keep)(whole.estimate());
            }
        }
    }
}

/// The networks of a piece so far.
#[derive(Clone)]
struct Gathering {
    networks: usize,
    nngp: Moments,
    ntk: Option<Moments>,
}

impl Gathering {
    fn new(shape: (usize, usize), kinds: KernelSet) -> Gathering {
        let ntk = (kinds == KernelSet::Both).then(|| Moments::new(shape));
        Gathering { networks: 0, nngp: Moments::new(shape), ntk }
    }

    fn estimate(self) -> Estimate {
        let ntk = self.ntk.map(Moments::estimate);
        Estimate { nngp: self.nngp.estimate(), ntk, networks: self.networks }
    }
}

/// K̂ and Θ̂ of one network.
fn kernels<T: Scalar>(
    finite: &FiniteNetwork<T>,
    batch: &Batch<T>,
    name: Name,
    kinds: KernelSet,
    pairs: &Pairs,
) -> Result<(Array2<f64>, Option<Array2<f64>>), FiniteError> {
    let program = &finite.program;
    let parameters = Parameters::draw(program, name);
    let tape = forward(program, &parameters, batch, Masks::Drawn(name, 0));
    let outputs: Vec<f64> = tape.values[program.steps.len()].iter().map(|y| y.wide()).collect();
    if let Some(value) = outputs.iter().find(|y| !y.is_finite()) {
        return Err(FiniteError::NotFinite {
            network: name.member,
            what: "an output".to_owned(),
            value: *value,
            remedy: "smaller inputs or a smaller w_std upstream would do",
        });
    }
    let n = batch.samples;
    let mut all = vec![0.0; n * n];
    let outputs = Matrix::new(&outputs, n, program.outputs());
    f64::product(&mut all, outputs, outputs.t(), 1.0 / program.fan, true);
    let nngp = block(all, n, pairs);
    let ntk = (kinds == KernelSet::Both)
        .then(|| block(empirical_ntk(program, &parameters, batch, &tape), n, pairs));
    Ok((nngp, ntk))
}

/// The pairs that are asked for out of all pairs.
fn block(all: Vec<f64>, n: usize, pairs: &Pairs) -> Array2<f64> {
    let all = Array2::from_shape_vec((n, n), all).expect("a square matrix");
    if pairs.is_symmetric() {
        return Array2::from_shape_fn((n, n), |(i, j)| all[[i.min(j), i.max(j)]]);
    }
    all.slice(s![..pairs.first().len(), pairs.first().len()..]).to_owned()
}

/// Says how much memory is needed where it would not fit.
fn ensure_memory<T: Scalar>(
    finite: &FiniteNetwork<T>,
    batch: &Batch<T>,
    kinds: KernelSet,
    options: &Options,
    threads: usize,
) -> Result<(), FiniteError> {
    let needed = bytes(finite, batch, kinds, threads);
    if needed <= options.memory {
        return Ok(());
    }
    let [items, samples] = [batch.items(), batch.samples];
    Err(FiniteError::Backend(BackendError::Memory {
        what: format!("sampling {samples} samples ({items} items) on {threads} threads"),
        needed,
        available: options.memory,
        remedy: "fewer samples at once, a smaller width or fewer threads would do".to_owned(),
    }))
}

/// Values, and on the way back gradients, of all items; parameters; a block of gradients by parameters; the sums.
fn bytes<T: Scalar>(finite: &FiniteNetwork<T>, batch: &Batch<T>, kinds: KernelSet, threads: usize) -> u64 {
    let program = &finite.program;
    let values = (batch.items() * program.numbers() * T::BYTES) as u64;
    let square = (batch.samples * batch.samples * size_of::<f64>()) as u64;
    let parameters = (program.parameter_count() * T::BYTES) as u64;
    let (back, block) = match kinds {
        KernelSet::Nngp => (0, 0),
        KernelSet::Both => (2 * values, 2 * (crate::contraction::BLOCK * T::BYTES) as u64),
    };
    threads as u64 * (values + back + block + parameters + 4 * square) + 6 * square
}
