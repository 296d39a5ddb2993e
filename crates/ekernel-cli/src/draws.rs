//! Random subsets of the training samples, the same on every machine for the same seed.

use ekernel_data::Targets;

/// SplitMix64 (Steele, Lea, Flood 2014): 64 random bits a step, fixed by its seed for good.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    pub(crate) fn new(seed: u64) -> SplitMix64 {
        SplitMix64(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in 0..bound, by rejection.
    fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        let largest = u64::MAX - u64::MAX % bound;
        loop {
            let draw = self.next();
            if draw < largest {
                return (draw % bound) as usize;
            }
        }
    }

    /// Fisher-Yates.
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// A random order of the samples at `among`, of which every beginning is balanced: classes take turns, in an order drawn
/// anew for every round, until one runs out; regression samples are merely shuffled.
pub(crate) fn balanced_order(targets: &Targets, among: &[usize], seed: u64) -> Vec<usize> {
    let mut random = SplitMix64::new(seed);
    let Targets::Classes { labels, n_classes, .. } = targets else {
        let mut order = among.to_vec();
        random.shuffle(&mut order);
        return order;
    };
    let mut classes = vec![Vec::new(); *n_classes];
    for &sample in among {
        classes[labels[sample]].push(sample);
    }
    for class in &mut classes {
        random.shuffle(class);
    }
    let mut order = Vec::with_capacity(among.len());
    while order.len() < among.len() {
        random.shuffle(&mut classes);
        order.extend(classes.iter_mut().filter_map(Vec::pop));
    }
    order
}

/// The first `n` of [`balanced_order`], in rising order.
pub(crate) fn balanced(targets: &Targets, among: &[usize], n: usize, seed: u64) -> Vec<usize> {
    let mut drawn = balanced_order(targets, among, seed);
    drawn.truncate(n);
    drawn.sort_unstable();
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bits() {
        // The first outputs for seed 1234567 as published with the generator's Java and C sources.
        let mut random = SplitMix64::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn every_beginning_is_balanced() {
        let labels: Vec<usize> = (0..60).map(|i| i / 20).collect();
        let targets = Targets::Classes { labels: labels.clone(), n_classes: 3, names: None };
        let all: Vec<usize> = (0..60).collect();
        for n in [1, 2, 3, 10, 31, 60] {
            let drawn = balanced(&targets, &all, n, 7);
            assert_eq!(drawn.len(), n);
            let counts: Vec<usize> =
                (0..3).map(|class| drawn.iter().filter(|&&i| labels[i] == class).count()).collect();
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
        }
        assert_ne!(balanced(&targets, &all, 10, 1), balanced(&targets, &all, 10, 2));
        assert_eq!(balanced(&targets, &all, 10, 1), balanced(&targets, &all, 10, 1));
    }

    #[test]
    fn a_small_class_runs_out_and_the_others_go_on() {
        let targets = Targets::Classes { labels: vec![0, 0, 0, 0, 1], n_classes: 2, names: None };
        let order = balanced_order(&targets, &[0, 1, 2, 3, 4], 3);
        assert_eq!(order.len(), 5);
        assert!(order[..2].contains(&4));
    }
}
