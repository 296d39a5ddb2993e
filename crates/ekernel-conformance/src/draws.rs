//! Random cases: fixed ones, and new ones in every run; what fails is shrunk.

use std::{
    hash::{BuildHasher, RandomState},
    sync::OnceLock,
};

use ekernel_core::{Domain, Layer, Network, PerAtom, Samples};
use ekernel_testnets::{awkward_cases, cases, sphere_cases};
use proptest::{
    prelude::ProptestConfig,
    strategy::{BoxedStrategy, Strategy, ValueTree},
    test_runner::{RngSeed, TestRunner},
};

use crate::{Case, Subject, Tally, Verdict, cases::beside_others, entries::exceeds, judge, report};

/// How often a failing case is made simpler at most.
const SHRINKS: usize = 200;

/// A kind of random cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Draw {
    /// Networks on vectors and images, noise.
    Noise,
    /// The same on repeated, nearly repeated, constant, collinear, half-black and black samples.
    Awkward,
    /// Networks whose kinks read local pools, noise.
    PooledNoise,
    /// The same on awkward samples.
    PooledAwkward,
    /// Networks on the sphere and on molecules.
    Sphere,
    /// Those whose kernels are constant on the group somewhere, K = ±√(vv'), where the reference, which carries K, loses half of its
    /// digits.
    ConstantSphere,
}

/// A case that may become simpler.
type Tree = Box<dyn ValueTree<Value = (Network, Samples)>>;

impl Draw {
    /// The name of its set of cases.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Draw::Noise => "noise",
            Draw::Awkward => "awkward samples",
            Draw::PooledNoise => "noise behind local pools",
            Draw::PooledAwkward => "awkward samples behind local pools",
            Draw::Sphere => "on the sphere",
            Draw::ConstantSphere => "constant on the group",
        }
    }

    /// How many fixed cases there are.
    pub(crate) fn count(self) -> usize {
        match self {
            Draw::Noise | Draw::Awkward => 256,
            Draw::PooledNoise | Draw::PooledAwkward => 48,
            Draw::Sphere => 120,
            Draw::ConstantSphere => 40,
        }
    }

    fn strategy(self) -> BoxedStrategy<(Network, Samples)> {
        match self {
            Draw::Noise | Draw::PooledNoise => cases().boxed(),
            Draw::Awkward | Draw::PooledAwkward => awkward_cases().boxed(),
            Draw::Sphere | Draw::ConstantSphere => sphere_cases().boxed(),
        }
    }

    /// Whether a network is one of the draw.
    fn contains(self, network: &Network) -> bool {
        let wanted = match self {
            Draw::Noise | Draw::Awkward => true,
            Draw::PooledNoise | Draw::PooledAwkward => kink_behind_pool(network),
            Draw::Sphere => return !is_constant(network),
            Draw::ConstantSphere => return is_constant(network),
        };
        // Of one feature there are only parallel and opposite patches, K = ±√(vv').
        wanted && network.input().channels() > 1
    }

    /// Case `index` of a seed, which does not depend on the other cases.
    fn tree(self, seed: u64, index: usize) -> Tree {
        let seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index as u64);
        let config = ProptestConfig { rng_seed: RngSeed::Fixed(seed), ..ProptestConfig::default() };
        let mut runner = TestRunner::new(config);
        let strategy = self.strategy();
        loop {
            let tree = strategy.new_tree(&mut runner).expect("a case");
            if self.contains(&tree.current().0) {
                return Box::new(tree);
            }
        }
    }

    fn case(name: String, tree: &Tree) -> Case {
        let (network, samples) = tree.current();
        Case::new(name, network, samples)
    }

    /// The fixed cases, the same ones in every run.
    fn fixed(self) -> &'static [Case] {
        static DRAWN: [OnceLock<Vec<Case>>; 6] = [const { OnceLock::new() }; 6];
        DRAWN[self as usize].get_or_init(|| {
            let case = |index: usize| Draw::case(index.to_string(), &self.tree(FIXED_SEED, index));
            (0..self.count()).map(case).collect()
        })
    }
}

/// The seed of the fixed cases.
const FIXED_SEED: u64 = 7;

/// The seed of this run: that of the environment variable `EKERNEL_SEED`, or a new one. It is printed.
///
/// # Panics
/// If the variable is no number.
fn fresh_seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(|| match std::env::var("EKERNEL_SEED") {
        Ok(text) => text.parse().unwrap_or_else(|e| panic!("EKERNEL_SEED={text} is no seed: {e}")),
        Err(_) => RandomState::new().hash_one("ekernel"),
    });
    println!("EKERNEL_SEED={seed} draws these cases again");
    seed
}

/// Compares the subject on its share of the fixed cases of a draw.
///
/// # Panics
/// If one is off, or one that was expected to be off is not.
pub(crate) fn fixed(subject: &Subject, draw: Draw, tolerance: f64) {
    let mut drawn = Drawn::new(subject, draw, tolerance, FIXED_SEED);
    let mut concerned = 0;
    for (index, case) in draw.fixed()[..subject.share_of(draw.count())].iter().enumerate() {
        if subject.concerned_by(&case.plan()) {
            concerned += 1;
            drawn.judge(case, index);
        }
    }
    // Most kernels exist. A subject that no network concerns would show nothing.
    let least = if draw == Draw::Noise { 1 } else { subject.at_least(1) };
    drawn.tally.finish((concerned * 7 / 8).max(least));
}

/// How much larger the error may be on new cases where a sign reads values: its dual is as steep as an angle where two are nearly
/// parallel, so that no bound holds for every seed.
const SIGN: f64 = 100.0;

/// Compares the subject on new cases of a draw; any seed must do.
///
/// # Panics
/// If one is off.
pub(crate) fn fresh(subject: &Subject, draw: Draw, tolerance: f64) {
    let mut drawn = Drawn::new(subject, draw, tolerance, fresh_seed());
    let count = subject.share_of(draw.count() / 4);
    for index in 0..count {
        let case = Draw::case(format!("{index} of seed {}", drawn.seed), &draw.tree(drawn.seed, index));
        if subject.concerned_by(&case.plan()) {
            let sign = case.network.nodes().iter().any(|node| node.layer.name() == "sign");
            drawn.tolerance = if sign { SIGN * tolerance } else { tolerance };
            drawn.judge(&case, index);
        }
    }
    drawn.tally.finish(subject.at_least(count * 3 / 4));
}

/// A quarter of the subject's share of the fixed cases of a draw, each beside samples of other kinds.
pub(crate) fn mixed(subject: &Subject, draw: Draw) -> Vec<Case> {
    let cases = &draw.fixed()[..subject.share_of(draw.count() / 4)];
    let mixed = |case: &Case| {
        let samples = beside_others(&case.samples);
        Case::new(format!("{}, {}", draw.name(), case.name), case.network.clone(), samples)
    };
    cases.iter().map(mixed).collect()
}

/// Random cases under test.
struct Drawn<'a> {
    subject: &'a Subject,
    draw: Draw,
    tolerance: f64,
    seed: u64,
    tally: Tally,
    /// Whether a case was shrunk; one is enough.
    shrunk: bool,
}

impl Drawn<'_> {
    fn new(subject: &Subject, draw: Draw, tolerance: f64, seed: u64) -> Drawn<'_> {
        let set = if seed == FIXED_SEED { draw.name().to_owned() } else { format!("{}, fresh", draw.name()) };
        let tally = Tally::new(subject, &set);
        Drawn { subject, draw, tolerance, seed, tally, shrunk: false }
    }

    fn verdict(&self, case: &Case) -> Verdict {
        judge(self.subject.backend(case.plan()).as_ref(), case)
    }

    /// Counts a case; the first one that nobody expected to be off is shrunk.
    fn judge(&mut self, case: &Case, index: usize) {
        let verdict = self.verdict(case);
        let off = |verdict: &Verdict| match verdict {
            Verdict::Computed(error) => exceeds(*error, self.tolerance),
            Verdict::Undefined => false,
            Verdict::Refused(_) => true,
        };
        if self.shrunk || !off(&verdict) || self.tally.expectation(case).is_some() {
            return self.tally.judge(case, &verdict, self.tolerance);
        }
        let fails = |case: &Case| Some(self.verdict(case)).filter(off);
        let mut tree = self.draw.tree(self.seed, index);
        let (simplest, last) = shrunk(&mut tree, self.draw, fails);
        let report = report::case(simplest.as_ref().unwrap_or(case));
        self.tally.fail(format!("{}: {verdict:?}; made simple, {last:?}", case.name), report);
        self.shrunk = true;
    }
}

/// The simplest case found that fails beside the one drawn, and how it does.
fn shrunk(
    tree: &mut Tree,
    draw: Draw,
    fails: impl Fn(&Case) -> Option<Verdict>,
) -> (Option<Case>, Option<Verdict>) {
    let mut simplest = (None, None);
    let mut failed = true;
    for _ in 0..SHRINKS {
        if !(if failed { tree.simplify() } else { tree.complicate() }) {
            break;
        }
        let next = Draw::case("made simple".to_owned(), tree);
        let verdict = if draw.contains(&next.network) { fails(&next) } else { None };
        failed = verdict.is_some();
        if failed {
            simplest = (Some(next), verdict);
        }
    }
    simplest
}

/// Whether a kink reads, perhaps through other layers, what a local pool gave.
fn kink_behind_pool(network: &Network) -> bool {
    let pool = network.nodes().iter().position(|node| matches!(node.layer, Layer::Pool(_)));
    let kinked = |name: &str| ["relu", "leaky_relu", "abs", "sign"].contains(&name);
    pool.is_some_and(|pool| network.nodes()[pool..].iter().any(|node| kinked(node.layer.name())))
}

/// Whether a kernel is a constant on the group.
pub(crate) fn is_constant(network: &Network) -> bool {
    network.nodes().iter().any(|node| {
        matches!(
            node.domain,
            Domain::Rotations { bandlimit: 1 } | Domain::Atoms(PerAtom::Rotations { bandlimit: 1 })
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_the_same_in_every_run_and_of_their_draw() {
        for draw in [Draw::Noise, Draw::PooledAwkward, Draw::Sphere] {
            let [one, two] = [0, 1].map(|index| draw.tree(3, index).current());
            assert_eq!(draw.tree(3, 0).current(), one, "{draw:?}");
            assert_ne!(one, two, "{draw:?}");
            assert!(draw.contains(&one.0) && draw.contains(&two.0), "{draw:?}");
        }
    }

    /// A case that fails when it has a relu ends with fewer layers or samples.
    #[test]
    fn what_fails_is_shrunk() {
        let has_relu = |network: &Network| network.nodes().iter().any(|node| node.layer.name() == "relu");
        let draw = Draw::Noise;
        let index = (0..100).find(|&index| {
            let network = draw.tree(1, index).current().0;
            has_relu(&network) && network.nodes().len() > 6
        });
        let mut tree = draw.tree(1, index.expect("relus are common"));
        let before = tree.current();
        let size = |(network, samples): &(Network, Samples)| (network.nodes().len(), samples.len());
        let fails = |case: &Case| has_relu(&case.network).then_some(Verdict::Computed(1.0));
        let (case, verdict) = shrunk(&mut tree, draw, fails);
        let case = case.expect("it was made simpler");
        assert!(verdict.is_some() && has_relu(&case.network));
        let after = size(&(case.network.clone(), Samples::clone(&case.samples)));
        let before = size(&before);
        assert!(after != before && after.0 <= before.0 && after.1 <= before.1, "{before:?}, {after:?}");
        assert!(report::case(&case).contains("relu"), "{}", report::case(&case));
    }
}
