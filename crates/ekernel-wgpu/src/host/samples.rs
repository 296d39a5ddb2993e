//! What is kept of the samples of delicate pairs: one that is nearly parallel to another often is to many.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use ekernel_core::BackendError;

use super::Maps;
use crate::device::lock;

/// Bytes of samples that are kept at most.
const KEPT: usize = 128 << 20;

/// Numbers and maps of every copy of a sample.
pub(crate) type Copies = Vec<(Vec<f64>, Maps)>;

/// By set and index.
type Key = (usize, usize);

/// Prepared samples, the last ones that were asked for, and the values of samples with themselves.
#[derive(Default)]
pub(crate) struct DelicateSamples {
    kept: Mutex<Kept>,
    own: Mutex<HashMap<Key, Vec<f64>>>,
}

#[derive(Default)]
struct Kept {
    /// With the time when they were last asked for.
    samples: HashMap<Key, (u64, Arc<Copies>)>,
    time: u64,
    bytes: usize,
}

impl DelicateSamples {
    /// The copies of a sample, prepared if they are not kept.
    ///
    /// Errors: those of `prepare`.
    pub(crate) fn copies(
        &self,
        key: Key,
        prepare: impl FnOnce() -> Result<Copies, BackendError>,
    ) -> Result<Arc<Copies>, BackendError> {
        if let Some(found) = lock(&self.kept).find(key) {
            return Ok(found);
        }
        let made = Arc::new(prepare()?);
        lock(&self.kept).keep(key, &made, KEPT);
        Ok(made)
    }

    /// The values of a sample with itself, computed if they are not known.
    ///
    /// Errors: those of `compute`.
    pub(crate) fn own(
        &self,
        key: Key,
        compute: impl FnOnce() -> Result<Vec<f64>, BackendError>,
    ) -> Result<Vec<f64>, BackendError> {
        if let Some(found) = lock(&self.own).get(&key) {
            return Ok(found.clone());
        }
        let own = compute()?;
        lock(&self.own).insert(key, own.clone());
        Ok(own)
    }

    /// Bytes that are kept.
    pub(crate) fn bytes(&self) -> u64 {
        lock(&self.kept).bytes as u64
    }
}

impl Kept {
    fn find(&mut self, key: Key) -> Option<Arc<Copies>> {
        self.time += 1;
        let (time, found) = self.samples.get_mut(&key)?;
        *time = self.time;
        Some(Arc::clone(found))
    }

    /// Keeps a sample and, while that makes more than `most` bytes, gives up those that nobody has asked for the longest.
    fn keep(&mut self, key: Key, made: &Arc<Copies>, most: usize) {
        if self.samples.contains_key(&key) {
            return;
        }
        self.bytes += bytes(made);
        while self.bytes > most
            && let Some(oldest) = self.samples.iter().min_by_key(|(_, (time, _))| *time).map(|(key, _)| *key)
            && let Some((_, copies)) = self.samples.remove(&oldest)
        {
            self.bytes -= bytes(&copies);
        }
        self.samples.insert(key, (self.time, Arc::clone(made)));
    }
}

fn bytes(copies: &Copies) -> usize {
    copies.iter().map(|(numbers, maps)| size_of_val(&**numbers) + maps.bytes()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept() {
        let mut kept = Kept::default();
        let sample = || Arc::new(vec![(vec![0.0; 10], Maps(vec![]))]);
        for index in 0..3 {
            assert!(kept.find((0, index)).is_none());
            kept.keep((0, index), &sample(), 240);
        }
        assert!(kept.bytes == 240 && kept.find((0, 0)).is_some());
        kept.keep((0, 3), &sample(), 240);
        assert!(kept.bytes == 240 && kept.find((0, 1)).is_none() && kept.find((0, 0)).is_some());
    }
}
