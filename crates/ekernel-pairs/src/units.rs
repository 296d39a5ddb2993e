//! What samples are made of: copies of images, vectors, signals, atoms.

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use ekernel_core::{
    BackendError, GroupElement, Pairs, Plan, Samples,
    plan::{AtomPlan, Readout},
};
use ekernel_harmonic::Harmonics;
use ekernel_signals::{Signals, refused};

use crate::{Watch, Workers};

/// One unit: its set, and its number among the units of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unit {
    /// 0 is the first set, 1 the second.
    pub set: usize,
    /// Counted sample after sample.
    pub index: usize,
}

/// The units of all samples, and their numbers.
pub struct Units {
    plan: Arc<Plan>,
    pairs: Pairs,
    /// Every element of an orbit, each once; the identity first. Of signals the identity alone.
    elements: Vec<GroupElement>,
    signals: Option<Signals>,
    sets: Vec<Set>,
}

/// The units of one set.
#[derive(Default)]
struct Set {
    /// The root mean square by which each sample is divided; 1 where it is left as it is.
    rms: Vec<f64>,
    /// Where the units of each sample begin; the last entry is their number.
    starts: Vec<usize>,
    /// The atomic numbers of the units of each sample, where these are atoms.
    charges: Vec<Vec<u8>>,
    /// Per copy a fingerprint of its numbers: equal copies have equal ones. Empty for signals.
    prints: Vec<u128>,
    /// The numbers of each copy, where pairs are told apart by them or multiplied.
    numbers: Vec<Vec<f64>>,
    /// The coefficients of each signal, where a readout is the product of signals.
    harmonics: Vec<Harmonics>,
}

/// What is found of one sample.
struct Found {
    rms: f64,
    units: usize,
    charges: Vec<u8>,
    prints: Vec<u128>,
    numbers: Vec<Vec<f64>>,
    harmonics: Vec<Harmonics>,
}

impl Units {
    /// Counts the units of samples that fit the plan's input; `compares` says that pairs will be told apart by their numbers.
    ///
    /// # Errors
    /// Signals that the transforms refuse, and [`BackendError::Cancelled`].
    pub fn new(
        plan: &Arc<Plan>,
        pairs: Pairs,
        compares: bool,
        workers: Workers,
        watch: Watch<'_>,
    ) -> Result<Units, BackendError> {
        let signals = plan.input.is_spherical().then(|| Signals::new(&plan.input));
        let signals = signals.transpose().map_err(refused("the signals"))?;
        let mut units =
            Units { plan: Arc::clone(plan), elements: elements(plan), signals, sets: vec![], pairs };
        let of = units.pairs.sets().len();
        for (at, samples) in units.pairs.sets().into_iter().enumerate() {
            let found = watch.part(at..at + 1, of, |watch| {
                workers.map(samples.len(), watch, |index, _| units.look(samples, index, compares))
            })?;
            let mut set = Set { starts: vec![0], ..Set::default() };
            let mut count = 0;
            for found in found {
                count += found.units;
                set.rms.push(found.rms);
                set.starts.push(count);
                set.charges.push(found.charges);
                set.prints.extend(found.prints);
                set.numbers.extend(found.numbers);
                set.harmonics.extend(found.harmonics);
            }
            units.sets.push(set);
        }
        Ok(units)
    }

    fn look(&self, samples: &Samples, index: usize, compares: bool) -> Result<Found, BackendError> {
        if let Some(signals) = &self.signals {
            let units = signals.count(samples, index);
            let keep = self.plan.unit_readouts().contains(&Readout::Sphere);
            let kept = 0..if keep { units } else { 0 };
            let harmonics = |unit| signals.harmonics(samples, index, unit).map_err(refused("the signals"));
            return Ok(Found {
                rms: 1.0,
                units,
                charges: signals.charges(samples, index),
                prints: vec![],
                numbers: vec![],
                harmonics: kept.map(harmonics).collect::<Result<_, _>>()?,
            });
        }
        // Parallel samples of one size are equal, to the last bit of every plane, and a head that reads their angle finds none.
        let rms = if self.plan.is_homogeneous() { samples.root_mean_square(index) } else { 1.0 };
        let numbers: Vec<Vec<f64>> =
            self.elements.iter().map(|element| samples.copy(index, *element, rms)).collect();
        let keep = compares || self.plan.readouts.contains(&Readout::Vector);
        Ok(Found {
            rms,
            units: numbers.len(),
            charges: vec![],
            prints: numbers.iter().map(|numbers| print(numbers)).collect(),
            numbers: if keep { numbers } else { vec![] },
            harmonics: vec![],
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// How many sets there are: 1 if the Gram matrix is symmetric.
    pub fn sets(&self) -> usize {
        self.sets.len()
    }

    /// How many samples a set has.
    pub fn samples(&self, set: usize) -> usize {
        self.sets[set].rms.len()
    }

    /// How many units a set has.
    pub fn len(&self, set: usize) -> usize {
        self.sets[set].starts.last().copied().unwrap_or(0)
    }

    /// The units of a sample.
    pub fn of_sample(&self, set: usize, sample: usize) -> impl ExactSizeIterator<Item = Unit> + use<> {
        let starts = &self.sets[set].starts;
        (starts[sample]..starts[sample + 1]).map(move |index| Unit { set, index })
    }

    /// The numbers of a copy of an image or a vector, `[position][channel]`, in the size in which it is computed.
    pub fn numbers(&self, unit: Unit) -> Vec<f64> {
        let (sample, copy) = (unit.index / self.elements.len(), unit.index % self.elements.len());
        self.set(unit.set).copy(sample, self.elements[copy], self.sets[unit.set].rms[sample])
    }

    /// The coefficients of a signal.
    ///
    /// # Errors
    /// Values that the transforms refuse.
    pub fn harmonics(&self, unit: Unit) -> Result<Harmonics, BackendError> {
        let set = &self.sets[unit.set];
        if let Some(kept) = set.harmonics.get(unit.index) {
            return Ok(kept.clone());
        }
        let sample = set.starts.partition_point(|start| *start <= unit.index) - 1;
        let signals = self.signals.as_ref().expect("only the units of spherical inputs are signals");
        let at = unit.index - set.starts[sample];
        signals.harmonics(self.set(unit.set), sample, at).map_err(refused("the signals"))
    }

    /// The unit of an element of the orbit.
    pub(crate) fn copy(&self, set: usize, sample: usize, element: GroupElement) -> Unit {
        let at = self.elements.iter().position(|e| *e == element);
        Unit { set, index: sample * self.elements.len() + at.expect("the elements of all orbits are listed") }
    }

    /// Whether two copies are bit for bit equal; signals are not compared.
    pub(crate) fn identical(&self, [first, second]: [Unit; 2]) -> bool {
        let print = |unit: Unit| self.sets[unit.set].prints.get(unit.index);
        print(first).is_some_and(|first| print(second) == Some(first))
    }

    /// Σ f f' over the numbers that are kept of two copies, divided by their count: K⁰ of vectors.
    pub(crate) fn inner(&self, units: [Unit; 2]) -> f64 {
        let [first, second] = units.map(|unit| &self.sets[unit.set].numbers[unit.index]);
        first.iter().zip(second).map(|(x, y)| x * y).sum::<f64>() / first.len() as f64
    }

    /// The product of two signals that are kept.
    pub(crate) fn product(&self, units: [Unit; 2]) -> f64 {
        let [first, second] = units.map(|unit| &self.sets[unit.set].harmonics[unit.index]);
        first.inner(second)
    }

    /// What the kernel of two samples is multiplied by.
    pub(crate) fn scale(&self, samples: [(usize, usize); 2]) -> f64 {
        let [x, y] = samples.map(|(set, sample)| self.sets[set].rms[sample]);
        x * y
    }

    /// The units of two samples that are compared, as their numbers within the samples; of all but molecules, the first ones.
    pub(crate) fn compared(&self, samples: [(usize, usize); 2]) -> Cow<'static, [[usize; 2]]> {
        match &self.plan.atoms {
            None => Cow::Borrowed(&[[0, 0]]),
            Some(atoms) => {
                let [first, second] = samples.map(|(set, sample)| &self.sets[set].charges[sample]);
                atoms.pairing.pairs(first, second).map(|(i, j)| [i, j]).collect::<Vec<_>>().into()
            }
        }
    }

    /// Units of two samples by their numbers within them.
    pub(crate) fn places(&self, samples: [(usize, usize); 2], units: [usize; 2]) -> [Unit; 2] {
        [0, 1].map(|side| {
            let (set, sample) = samples[side];
            Unit { set, index: self.sets[set].starts[sample] + units[side] }
        })
    }

    /// Pairs of units of a pair of samples, on average; 1 of all but molecules.
    pub(crate) fn mean_pairs(&self) -> f64 {
        let [first, second] = [&self.sets[0], &self.sets[self.sets.len() - 1]].map(|set| &set.charges);
        let mean = |atoms: &AtomPlan| atoms.pairing.mean_pairs(first, second);
        self.plan.atoms.as_ref().map_or(1.0, mean)
    }

    /// These samples of the first set against those of the last, as two sets.
    pub(crate) fn select(
        &self,
        [rows, cols]: [&[usize]; 2],
        workers: Workers,
        watch: Watch<'_>,
    ) -> Result<Units, BackendError> {
        let pairs = Pairs::cross(self.pairs.first().select(rows), self.pairs.second().select(cols));
        Units::new(&self.plan, pairs, false, workers, watch)
    }

    /// Bytes that are held.
    pub(crate) fn bytes(&self) -> u64 {
        let of = |set: &Set| {
            let numbers: usize = set.numbers.iter().map(|list| size_of_val(&**list)).sum();
            let harmonics: usize = set.harmonics.iter().map(|unit| size_of_val(&*unit.values)).sum();
            let charges: usize =
                set.charges.iter().map(|list| size_of_val(&**list) + size_of::<Vec<u8>>()).sum();
            size_of_val(&*set.rms)
                + size_of_val(&*set.starts)
                + size_of_val(&*set.prints)
                + numbers
                + harmonics
                + charges
        };
        self.sets.iter().map(of).sum::<usize>() as u64
    }

    fn set(&self, set: usize) -> &Samples {
        if set == 0 { self.pairs.first() } else { self.pairs.second() }
    }
}

/// Every element of an orbit, each once; the identity first.
fn elements(plan: &Plan) -> Vec<GroupElement> {
    let mut elements = vec![GroupElement::IDENTITY];
    for readout in &plan.readouts {
        if let Readout::Planes { orbit, .. } = readout {
            for g in orbit {
                if !elements.contains(g) {
                    elements.push(*g);
                }
            }
        }
    }
    elements
}

/// 128 bits of hash: no two copies of any data set share them by chance.
fn print(numbers: &[f64]) -> u128 {
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        // 0 and −0 are equal.
        numbers.iter().for_each(|x| (x + 0.0).to_bits().hash(&mut hasher));
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}
