//! What the host keeps of every copy of every sample.

use std::hash::{DefaultHasher, Hash, Hasher};

use ekernel_core::{BackendError, Control, GroupElement, Plan, Samples};

use crate::threads::on_all_cores;

/// One set of samples.
pub(crate) struct Set {
    /// What each sample was divided by.
    pub(crate) sizes: Vec<f64>,
    /// Per copy, `[sample][element]`, a fingerprint of its numbers; equal copies have equal ones.
    pub(crate) prints: Vec<u128>,
    /// Per copy its numbers divided by their norm, where pairs are told apart by them; empty for black ones, which nothing is
    /// parallel to.
    pub(crate) directions: Vec<Vec<f64>>,
    /// Per sample, whether float32 cannot compute it ([`Plan::is_faint`]).
    pub(crate) faint: Vec<bool>,
    /// Each sample's value with itself at each readout, where the head needs it.
    pub(crate) own: Vec<Vec<f64>>,
}

impl Set {
    /// `keep` says whether directions are wanted.
    ///
    /// Errors: [`BackendError::Cancelled`].
    pub(crate) fn new(
        plan: &Plan,
        samples: &Samples,
        elements: &[GroupElement],
        keep: bool,
        control: &Control,
    ) -> Result<Set, BackendError> {
        let of_sample = |index: usize| {
            let size = size(plan, samples, index);
            let numbers: Vec<Vec<f64>> =
                elements.iter().map(|element| samples.copy(index, *element, size)).collect();
            // Copies have the same pixels, the first answers for all.
            let faint = numbers.first().is_some_and(|numbers| is_faint(plan, numbers));
            let copy = |numbers: Vec<f64>| (print(&numbers), keep.then(|| direction(numbers)));
            let copies: Vec<_> = numbers.into_iter().map(copy).collect();
            Ok((size, faint, copies))
        };
        let mut set = Set { sizes: vec![], prints: vec![], directions: vec![], faint: vec![], own: vec![] };
        for (size, faint, copies) in on_all_cores(samples.len(), control, of_sample)? {
            set.sizes.push(size);
            set.faint.push(faint);
            for (print, direction) in copies {
                set.prints.push(print);
                set.directions.extend(direction);
            }
        }
        Ok(set)
    }

    /// Bytes that it takes on the host.
    pub(crate) fn bytes(&self) -> u64 {
        let numbers = |lists: &[Vec<f64>]| lists.iter().map(|list| size_of_val(&**list)).sum::<usize>();
        let all = size_of_val(&*self.sizes)
            + size_of_val(&*self.prints)
            + size_of_val(&*self.faint)
            + numbers(&self.directions)
            + numbers(&self.own);
        all as u64
    }
}

/// What a sample is divided by before it is rounded: its root mean square if the plan is homogeneous. Parallel samples are
/// equal then, to the last bit of every plane, and a head that reads their angle finds none.
pub(crate) fn size(plan: &Plan, samples: &Samples, index: usize) -> f64 {
    if plan.is_homogeneous() { samples.root_mean_square(index) } else { 1.0 }
}

fn is_faint(plan: &Plan, numbers: &[f64]) -> bool {
    // Vectors are multiplied in float64.
    let Some(stage) = plan.stages.first() else { return false };
    plan.is_faint(&stage.variances(0, (numbers, plan.input.channels()), &[]))
}

fn direction(mut numbers: Vec<f64>) -> Vec<f64> {
    let norm = numbers.iter().map(|x| x * x).sum::<f64>().sqrt();
    if norm == 0.0 {
        return vec![];
    }
    numbers.iter_mut().for_each(|x| *x /= norm);
    numbers
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
