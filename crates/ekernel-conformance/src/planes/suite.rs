//! The tests; [`conformance!`](crate::conformance) makes a `#[test]` of each.

use std::sync::LazyLock;

use ekernel_core::{Input, KernelSet, Plan};

use super::{falsifiers, fixtures, fixtures::errors};
use crate::{
    Case, Draw, Subject, Tally, Verdict,
    cases::{self, awkward::awkward_images},
    draws,
    entries::error_where,
    falsify::Falsifier,
    identity, judge, kernels, work,
};

/// Cases that are made, and their expected kernels computed, once for all subjects.
type Set = LazyLock<Vec<Case>>;

/// How many digits published kernels have where a sample repeats.
const PUBLISHED_REPEATS: f64 = 1e-9;

/// Published kernels: of distinct samples, and where a sample repeats.
pub fn oracles(subject: &Subject) {
    let mut tally = Tally::new(subject, "published kernels");
    for fixture in fixtures() {
        let plan = fixture.case.plan();
        if !subject.concerned_by(&plan) {
            continue;
        }
        let backend = subject.backend(plan);
        let [cross, within] =
            [fixture.cross(), fixture.within()].map(|(pairs, _)| kernels(backend.as_ref(), pairs.clone()));
        let name = &fixture.case.name;
        let (Ok(cross), Ok(within)) = (&cross, &within) else {
            tally.fail(format!("{name}: {cross:?}, {within:?}"), String::new());
            continue;
        };
        let [apart, repeats] = errors(fixture, cross, within);
        tally.compare(name, apart, subject.tolerances.exact);
        // There published values lose digits too.
        tally.compare(name, repeats, subject.tolerances.exact.max(PUBLISHED_REPEATS));
    }
    tally.finish(subject.at_least(2 * fixtures().len()));
}

/// Repeated, nearly repeated, constant, collinear, half-black, two-tone and black images under every fixture.
pub fn awkward_images_under_all_fixtures(subject: &Subject) {
    static CASES: Set = LazyLock::new(|| {
        let mut cases = Vec::new();
        for fixture in fixtures() {
            let Input::Image { height, width, channels } = *fixture.case.network.input() else { continue };
            for (kind, samples) in awkward_images([height, width, channels]) {
                let name = format!("{}, {kind}", fixture.case.name);
                let samples = samples.select(&[0, 1, 2, 4]);
                cases.push(Case::new(name, fixture.case.network.clone(), samples));
            }
        }
        cases
    });
    close(subject, "awkward images", subject.some(&*CASES));
}

/// Each activation, read as it is and by a kinked one.
pub fn every_activation(subject: &Subject) {
    static CASES: Set = LazyLock::new(cases::activations);
    close(subject, "activations", &*CASES);
}

/// From one pixel to 224×224.
pub fn every_size(subject: &Subject) {
    static CASES: Set = LazyLock::new(cases::sizes);
    close(subject, "sizes", &*CASES);
}

/// Sums over many taps, channels or pooled positions, whose error must not grow with their length.
pub fn long_sums(subject: &Subject) {
    static CASES: Set = LazyLock::new(cases::long_sums);
    close(subject, "long sums", &*CASES);
}

/// Values that are exactly opposite or exactly parallel where nothing says so.
pub fn exactly_opposite_or_parallel_values(subject: &Subject) {
    static CASES: Set = LazyLock::new(cases::opposite);
    close(subject, "opposite values", &*CASES);
}

/// Pixels of which float32 does not hold the squares.
pub fn faint_pixels(subject: &Subject) {
    static CASES: Set = LazyLock::new(cases::faint);
    close(subject, "faint pixels", &*CASES);
}

/// Windows that see around the border: behind pools, wider than the image, even ones under a group.
pub fn windows_around_the_border(subject: &Subject) {
    static CASES: Set = LazyLock::new(cases::wrapping);
    close(subject, "windows around the border", &*CASES);
}

/// Smooth activations that are steep, by which a rounding grows from layer to layer.
pub fn steep_activations(subject: &Subject) {
    static CASES: Set = LazyLock::new(cases::steep);
    close(subject, "steep activations", &*CASES);
}

/// A kink in the head that reads one value, at every angle.
pub fn heads_of_one_value(subject: &Subject) {
    static CASES: Set = LazyLock::new(cases::heads);
    close(subject, "heads of one value", &*CASES);
}

/// Sets of nearly equal images.
pub fn nearly_equal_images(subject: &Subject) {
    static CASES: Set = LazyLock::new(cases::near);
    close(subject, "nearly equal images", &*CASES);
}

/// Constant images under kinks, whose kernels are known in closed form.
pub fn parallel_values_are_exact(subject: &Subject) {
    let tally = Tally::of(subject, "parallel values", parallel(), subject.tolerances.exact);
    tally.finish(subject.at_least(parallel().len()));
}

fn parallel() -> &'static [Case] {
    static CASES: Set = LazyLock::new(cases::parallel);
    &CASES
}

/// Random networks on noise.
pub fn random_networks(subject: &Subject) {
    draws::fixed(subject, Draw::Noise, subject.tolerances.exact);
}

/// Random networks on awkward samples.
pub fn random_networks_on_awkward_samples(subject: &Subject) {
    draws::fixed(subject, Draw::Awkward, subject.tolerances.close);
}

/// Random networks whose kinks read local pools.
pub fn random_networks_with_local_pools(subject: &Subject) {
    draws::fixed(subject, Draw::PooledNoise, subject.tolerances.exact);
    draws::fixed(subject, Draw::PooledAwkward, subject.tolerances.close);
}

/// New random networks in every run.
pub fn fresh_random_networks(subject: &Subject) {
    draws::fresh(subject, Draw::Noise, subject.tolerances.chance);
    draws::fresh(subject, Draw::Awkward, subject.tolerances.chance);
}

/// Where an expectation does not exist there is no kernel, whatever stands behind.
pub fn undefined_kernels_are_errors(subject: &Subject) {
    let mut tried = 0;
    for case in cases::undefined() {
        let plan = case.plan();
        if subject.concerned_by(&plan) {
            tried += 1;
            let verdict = judge(subject.backend(plan).as_ref(), &case);
            assert!(matches!(verdict, Verdict::Undefined), "{}, {}: {verdict:?}", subject.name, case.name);
        }
    }
    assert!(tried >= subject.at_least(6), "{tried} cases");
}

/// The NNGP alone is the NNGP, and no NTK.
pub fn the_nngp_alone(subject: &Subject) {
    let mut tally = Tally::new(subject, "the NNGP alone");
    for fixture in subject.some(fixtures()) {
        let plan = fixture.case.plan();
        if subject.concerned_by(&plan) {
            let alone = Plan::new(&fixture.case.network, KernelSet::Nngp).expect("a plan");
            let (pairs, expected) = fixture.cross();
            let found = kernels(subject.backend(alone).as_ref(), pairs.clone()).expect("computed");
            assert!(found.ntk.is_none(), "{}: an NTK that nobody asked for", fixture.case.name);
            let error = error_where(&found.nngp, &expected.nngp, |i, j| (i, j) != (1, 0));
            tally.compare(&fixture.case.name, error, subject.tolerances.exact);
        }
    }
    tally.finish(subject.at_least(subject.some(fixtures()).count()));
}

/// An entry is the same to the last bit in whatever tile.
pub fn tiles_do_not_show(subject: &Subject) {
    identity::tiles(subject, subject.some(fixtures()).map(|fixture| &fixture.case));
}

/// All blocks of an orbit, and every instruction set, give the same kernels to rounding.
pub fn variants_agree(subject: &Subject) {
    let some = |case: &&Case| {
        let named = ["c4_", "cnn", "d1_"].iter().any(|name| case.name.starts_with(name));
        named || case.plan().group.is_some()
    };
    let cases = || fixtures().iter().map(|fixture| &fixture.case).filter(some);
    let some: Vec<&Case> = subject.some(cases()).collect();
    identity::variants(subject, some, subject.tolerances.exact.max(PUBLISHED_REPEATS));
}

/// An entry is the same to the last bit with whatever threads and buffers.
pub fn threads_and_buffers_do_not_show(subject: &Subject) {
    identity::twins(subject, subject.some(fixtures()).map(|fixture| &fixture.case));
}

/// An entry is the same to the last bit among whatever other samples.
pub fn other_samples_do_not_show(subject: &Subject) {
    let least = cases::mixed().len();
    identity::sub_matrices(subject, cases::mixed(), least);
    identity::sub_matrices(subject, &draws::mixed(subject, Draw::Noise), 1);
}

/// Work that was cancelled before it began does not begin.
pub fn cancelled_work_does_not_begin(subject: &Subject) {
    work::cancelled_before(subject, &fixtures()[0].case);
}

/// Little is reported after preparation was cancelled.
pub fn cancelled_preparation_ends(subject: &Subject) {
    work::cancelled_preparation(subject, &cases::many());
}

/// Little is reported after a tile was cancelled.
pub fn cancelled_tiles_end(subject: &Subject) {
    for case in cases::large_pairs() {
        if subject.concerned_by(&case.plan()) {
            work::cancelled_within(subject, &case, subject.silent_tiles);
        }
    }
}

/// A falsifier must show in published kernels.
pub fn falsified(subject: &Subject, falsifier: &Falsifier) {
    let cases = fixtures().iter().map(|fixture| &fixture.case);
    falsifier.run(subject, cases, subject.tolerances.exact.max(PUBLISHED_REPEATS));
}

/// Dropped defects must show where patches are parallel, unless the backend does not read them.
pub fn falsified_by_dropped_defects(subject: &Subject) {
    falsifiers::DROPPED_DEFECTS.run_where_read(subject, parallel(), subject.tolerances.exact);
}

/// Compares on a set of cases that all must be computed.
fn close<'a>(subject: &Subject, set: &str, cases: impl IntoIterator<Item = &'a Case>) {
    let cases: Vec<&Case> = cases.into_iter().collect();
    let tally = Tally::of(subject, set, cases.iter().copied(), subject.tolerances.close);
    tally.finish(subject.at_least(cases.len()));
}
