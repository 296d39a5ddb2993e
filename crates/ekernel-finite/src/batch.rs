//! Samples as the items that a finite network reads.

use std::ops::Range;

use ekernel_core::{AtomPairing, Input, Network, Samples};
use ekernel_signals::Signals;
use ndarray::Axis;

use crate::{error::FiniteError, scalar::Scalar};

/// Items `[item][position][channel]`: samples, or the atoms of molecules sorted by their label.
#[derive(Clone, Debug)]
pub(crate) struct Batch<T> {
    pub(crate) entries: Vec<T>,
    /// The sample of each item.
    pub(crate) owners: Vec<usize>,
    /// The items of each label.
    pub(crate) ranges: Vec<Range<usize>>,
    /// What dropout masks of each item and each sample are drawn for.
    pub(crate) item_keys: Vec<u64>,
    pub(crate) sample_keys: Vec<u64>,
    pub(crate) samples: usize,
}

/// Reads samples for a network.
pub(crate) struct Reader {
    input: Input,
    signals: Signals,
}

impl Reader {
    pub(crate) fn new(network: &Network) -> Result<Reader, FiniteError> {
        Ok(Reader { input: network.input().clone(), signals: Signals::new(network.input())? })
    }

    /// The most atoms with a signal of one of the samples; 1 where they are no molecules.
    pub(crate) fn places(&self, samples: &Samples) -> usize {
        (0..samples.len()).map(|i| self.signals.count(samples, i)).max().unwrap_or(1).max(1)
    }

    /// The samples of a set; `set` and the index name a sample's dropout masks.
    pub(crate) fn read<T: Scalar>(
        &self,
        samples: &Samples,
        set: u64,
        labels: usize,
    ) -> Result<Batch<T>, FiniteError> {
        let key = |i: usize, atom: usize| (set << 60) | ((i as u64) << 16) | atom as u64;
        let mut items: Vec<(usize, usize, usize, Vec<f64>)> = Vec::new();
        for i in 0..samples.len() {
            match samples {
                Samples::Vectors(x) => items.push((0, i, 0, x.row(i).to_vec())),
                Samples::Images(x) => {
                    items.push((0, i, 0, x.index_axis(Axis(0), i).iter().copied().collect()));
                }
                Samples::Spheres(_) | Samples::Molecules(_) => {
                    let charges = self.signals.charges(samples, i);
                    for atom in 0..self.signals.count(samples, i) {
                        let values = self.signals.harmonics(samples, i, atom)?.values;
                        items.push((self.label(&charges, atom), i, atom, values));
                    }
                }
            }
        }
        items.sort_by_key(|(label, ..)| *label);
        if let Some((label, owner, ..)) = items.last().filter(|(label, ..)| *label >= labels) {
            return Err(FiniteError::Places { molecule: *owner, place: label + 1, places: labels });
        }
        let starts: Vec<usize> =
            (0..=labels).map(|label| items.partition_point(|(own, ..)| *own < label)).collect();
        Ok(Batch {
            ranges: starts.windows(2).map(|pair| pair[0]..pair[1]).collect(),
            owners: items.iter().map(|(_, owner, ..)| *owner).collect(),
            item_keys: items.iter().map(|(_, owner, atom, _)| key(*owner, *atom)).collect(),
            sample_keys: (0..samples.len()).map(|i| key(i, 0)).collect(),
            samples: samples.len(),
            entries: items.into_iter().flat_map(|(.., values)| values).map(T::of).collect(),
        })
    }

    /// Which network reads an atom.
    fn label(&self, charges: &[u8], atom: usize) -> usize {
        match &self.input {
            Input::Molecule { atoms: AtomPairing::Indexed, .. } => atom,
            Input::Molecule { atoms: AtomPairing::Elements, potential, .. } => {
                let center = |z: &u8| *z == charges[atom];
                potential.centers.iter().position(center).expect("only centers have signals")
            }
            _ => 0,
        }
    }
}

impl<T: Scalar> Batch<T> {
    /// Number of items.
    pub(crate) fn items(&self) -> usize {
        self.owners.len()
    }

    /// The samples of these indices.
    pub(crate) fn pick(&self, indices: &[usize]) -> Batch<T> {
        let per = self.entries.len() / self.items().max(1);
        let mut places = vec![Vec::new(); self.samples];
        indices.iter().enumerate().for_each(|(to, from)| places[*from].push(to));
        let mut picked = Batch {
            entries: Vec::new(),
            owners: Vec::new(),
            ranges: Vec::new(),
            item_keys: Vec::new(),
            sample_keys: indices.iter().map(|i| self.sample_keys[*i]).collect(),
            samples: indices.len(),
        };
        for range in &self.ranges {
            let start = picked.owners.len();
            let mut items: Vec<(usize, usize)> = Vec::new();
            for item in range.clone() {
                items.extend(places[self.owners[item]].iter().map(|to| (*to, item)));
            }
            items.sort_unstable();
            for (owner, item) in items {
                picked.owners.push(owner);
                picked.item_keys.push(self.item_keys[item]);
                picked.entries.extend_from_slice(&self.entries[item * per..][..per]);
            }
            picked.ranges.push(start..picked.owners.len());
        }
        picked
    }

    /// The samples of several batches, one after the other.
    ///
    /// # Panics
    /// If there is no batch.
    pub(crate) fn joined(batches: Vec<Batch<T>>) -> Batch<T> {
        batches.into_iter().reduce(Batch::and).expect("there is a batch")
    }

    /// The samples of two batches, one after the other.
    fn and(self, other: Batch<T>) -> Batch<T> {
        let per = self.entries.len() / self.items().max(1);
        let mut joined = Batch {
            entries: Vec::with_capacity(self.entries.len() + other.entries.len()),
            owners: Vec::new(),
            ranges: Vec::new(),
            item_keys: Vec::new(),
            sample_keys: [self.sample_keys, other.sample_keys].concat(),
            samples: self.samples + other.samples,
        };
        for (first, second) in self.ranges.iter().zip(&other.ranges) {
            let start = joined.owners.len();
            joined.entries.extend_from_slice(&self.entries[first.start * per..first.end * per]);
            joined.entries.extend_from_slice(&other.entries[second.start * per..second.end * per]);
            joined.owners.extend_from_slice(&self.owners[first.clone()]);
            joined.owners.extend(other.owners[second.clone()].iter().map(|owner| owner + self.samples));
            joined.item_keys.extend_from_slice(&self.item_keys[first.clone()]);
            joined.item_keys.extend_from_slice(&other.item_keys[second.clone()]);
            joined.ranges.push(start..joined.owners.len());
        }
        joined
    }
}
