//! Random subsets of the training samples, the same for every network and on every machine.

use ekernel_data::Targets;

use crate::random::SplitMix64;

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawOptions {
    /// Numbers of training samples, in any order.
    pub sizes: Vec<usize>,
    /// Training samples that kernels are computed of, and from which the others are drawn.
    pub pool: usize,
    /// Draws of each size.
    pub draws: usize,
    /// Fixes the pool and all draws.
    pub seed: u64,
}

/// The subsets of the training set that all networks are trained on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draws {
    /// Sizes in rising order, each with its draws, as positions in the pool.
    rounds: Vec<(usize, Vec<Vec<usize>>)>,
    pool: Vec<usize>,
    per_size: usize,
}

impl Draws {
    /// A pool of training samples, and from it balanced draws of every size; only one where a size takes the whole pool.
    pub fn new(targets: &Targets, options: &DrawOptions) -> Draws {
        let DrawOptions { sizes, pool, draws, seed } = options;
        let all: Vec<usize> = (0..targets.len()).collect();
        let pool = balanced(targets, &all, *pool, *seed);
        let of_pool = targets.select(&pool);
        let within: Vec<usize> = (0..pool.len()).collect();
        let mut sizes = sizes.clone();
        sizes.sort_unstable();
        sizes.dedup();
        let of_size = |n: usize| {
            let count = if n >= pool.len() { 1 } else { *draws };
            (0..count as u64).map(|draw| balanced(&of_pool, &within, n, seed + 1 + draw)).collect()
        };
        let rounds = sizes.into_iter().map(|n| (n, of_size(n))).collect();
        Draws { rounds, pool, per_size: *draws }
    }

    /// All `n` training samples at once.
    pub fn whole(n: usize) -> Draws {
        let all: Vec<usize> = (0..n).collect();
        Draws { rounds: vec![(n, vec![all.clone()])], pool: all, per_size: 1 }
    }

    /// The samples that kernels are computed of, as positions in the training set, in rising order.
    pub fn pool(&self) -> &[usize] {
        &self.pool
    }

    /// Draws of each size that is smaller than the pool.
    pub fn per_size(&self) -> usize {
        self.per_size
    }

    /// Sizes in rising order, each with its draws, as positions in the pool.
    pub fn rounds(&self) -> impl Iterator<Item = (usize, &[Vec<usize>])> {
        self.rounds.iter().map(|(n, draws)| (*n, &draws[..]))
    }

    /// Whether there is more than one size.
    pub fn is_curve(&self) -> bool {
        self.rounds.len() > 1
    }
}

/// A random order of the samples at `among`, of which every beginning is balanced: classes take turns, in an order drawn
/// anew for every round, until one runs out; regression samples are merely shuffled.
fn balanced_order(targets: &Targets, among: &[usize], seed: u64) -> Vec<usize> {
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

/// `n` of the samples at `among`, drawn at random with balanced classes, in rising order.
pub fn balanced(targets: &Targets, among: &[usize], n: usize, seed: u64) -> Vec<usize> {
    let mut drawn = balanced_order(targets, among, seed);
    drawn.truncate(n);
    drawn.sort_unstable();
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_is_balanced() {
        let labels: Vec<usize> = (0..60).map(|i| i / 20).collect();
        let targets = Targets::Classes { labels: labels.clone(), n_classes: 3, names: None, numbered: true };
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
        let targets =
            Targets::Classes { labels: vec![0, 0, 0, 0, 1], n_classes: 2, names: None, numbered: true };
        let order = balanced_order(&targets, &[0, 1, 2, 3, 4], 3);
        assert_eq!(order.len(), 5);
        assert!(order[..2].contains(&4));
    }

    #[test]
    fn draws_come_from_the_pool_and_repeat() {
        let targets = Targets::Classes {
            labels: (0..40).map(|i| i % 4).collect(),
            n_classes: 4,
            names: None,
            numbered: true,
        };
        let options = DrawOptions { sizes: vec![8, 4, 20], pool: 20, draws: 3, seed: 0 };
        let draws = Draws::new(&targets, &options);
        let rounds: Vec<_> = draws.rounds().map(|(n, draws)| (n, draws.len())).collect();
        assert_eq!(rounds, [(4, 3), (8, 3), (20, 1)]);
        assert_eq!(draws.pool().len(), 20);
        assert_eq!(draws.rounds[2].1[0], (0..20).collect::<Vec<_>>());
        assert_ne!(draws.rounds[1].1[0], draws.rounds[1].1[1]);
        assert_eq!(draws, Draws::new(&targets, &options));
    }
}
