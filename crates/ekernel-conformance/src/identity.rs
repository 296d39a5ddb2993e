//! Bit identity: an entry is the same in whatever tile, with whatever threads and buffers, among whatever other samples.

use ekernel_core::{Backend, Control, Kernels, Pairs};
use ndarray::{Array2, s};

use crate::{Case, Subject, Tally, judge, kernels, report};

/// Rows and columns that are computed apart.
type Part = (Vec<usize>, Vec<usize>);

/// Every entry is the same in whatever tile.
///
/// # Panics
/// If one is not.
pub(crate) fn tiles<'a>(subject: &Subject, cases: impl IntoIterator<Item = &'a Case>) {
    for case in concerning(subject, cases) {
        let backend = subject.backend(case.plan());
        for (pairs, _) in case.checks() {
            let whole = computed(backend.as_ref(), pairs.clone(), case);
            let control = Control::new();
            let session = backend.prepare(pairs.clone(), &control).expect("prepared before");
            let [n, m] = [pairs.first().len(), pairs.second().len()];
            for (rows, cols) in
                [(0..n, 0..m), (0..1, 0..m), (0..n, m - 1..m), (n / 2..n, 0..m.div_ceil(2)), (n - 1..n, 0..1)]
            {
                let tile = session.tile(rows.clone(), cols.clone(), &control).expect("computed before");
                let part = |x: &Array2<f64>| x.slice(s![rows.clone(), cols.clone()]).to_owned();
                let part = Kernels { nngp: part(&whole.nngp), ntk: whole.ntk.as_ref().map(part) };
                assert_eq!(tile, part, "{}: {}, tile {rows:?} × {cols:?}", subject.name, case.name);
            }
        }
    }
}

/// Twins of the subject give the same bits.
///
/// # Panics
/// If one does not.
pub(crate) fn twins<'a>(subject: &Subject, cases: impl IntoIterator<Item = &'a Case>) {
    for case in concerning(subject, cases) {
        let backend = subject.backend(case.plan());
        for (twin, make) in &subject.twins {
            let other = make(case.plan()).unwrap_or_else(|error| panic!("{twin} cannot be made: {error}"));
            for (pairs, _) in case.checks() {
                let [found, expected] =
                    [&other, &backend].map(|backend| computed(backend.as_ref(), pairs.clone(), case));
                assert_eq!(found, expected, "{} and {twin}: {}", subject.name, case.name);
            }
        }
    }
}

/// Variants of the subject agree with what is expected.
///
/// # Panics
/// If one does not, or refuses.
pub(crate) fn variants<'a>(
    subject: &Subject,
    cases: impl IntoIterator<Item = &'a Case> + Clone,
    tolerance: f64,
) {
    for (variant, make) in &subject.variants {
        let mut tally = Tally::new(subject, variant);
        let mut concerned = 0;
        for case in concerning(subject, cases.clone()) {
            let other = make(case.plan()).unwrap_or_else(|error| panic!("{variant} cannot be made: {error}"));
            tally.judge(case, &judge(other.as_ref(), case), tolerance);
            concerned += 1;
        }
        tally.finish(concerned.max(1));
    }
}

/// Every sub-matrix that is computed alone is that block of the whole; of `least` cases at least, which have kernels.
///
/// # Panics
/// If one is not, or too few were computed.
pub(crate) fn sub_matrices<'a>(subject: &Subject, cases: impl IntoIterator<Item = &'a Case>, least: usize) {
    let mut seen = 0;
    for case in concerning(subject, cases) {
        let backend = subject.backend(case.plan());
        let samples = &case.samples;
        let both = [Pairs::within(samples.clone()), Pairs::cross(samples.clone(), samples.clone())];
        let [Ok(within), Ok(cross)] = both.map(|pairs| kernels(backend.as_ref(), pairs)) else { continue };
        seen += 1;
        for (rows, cols) in parts(samples.len()) {
            let alone = Pairs::cross(samples.select(&rows), samples.select(&cols));
            let alone = computed(backend.as_ref(), alone, case);
            let whole = block(&cross, (&rows, &cols));
            assert_eq!(alone, whole, "{}: {}, {rows:?} × {cols:?}", subject.name, report::case(case));
            let mut sorted = rows.clone();
            sorted.sort_unstable();
            let alone = computed(backend.as_ref(), Pairs::within(samples.select(&sorted)), case);
            let whole = block(&within, (&sorted, &sorted));
            assert_eq!(alone, whole, "{}: {}, {sorted:?} within", subject.name, report::case(case));
        }
    }
    println!("{}: {seen} cases", subject.name);
    assert!(
        seen >= subject.at_least(least),
        "{}: {seen} cases were computed, {least} are needed",
        subject.name
    );
}

fn concerning<'a>(
    subject: &Subject,
    cases: impl IntoIterator<Item = &'a Case>,
) -> impl Iterator<Item = &'a Case> {
    cases.into_iter().filter(|case| subject.concerned_by(&case.plan()))
}

/// Single samples, every second one, halves, and a half in reverse.
fn parts(n: usize) -> Vec<Part> {
    let mut parts: Vec<Part> = (0..n).map(|i| (vec![i], vec![(3 * i + 1) % n])).collect();
    parts.push(((0..n).step_by(2).collect(), (1..n).step_by(2).collect()));
    parts.push(((0..n / 2).collect(), (n / 2..n).collect()));
    parts.push(((0..n.div_ceil(2)).rev().collect(), (n / 3..n).collect()));
    parts
}

fn block(whole: &Kernels, (rows, cols): (&[usize], &[usize])) -> Kernels {
    let part =
        |x: &Array2<f64>| Array2::from_shape_fn((rows.len(), cols.len()), |(i, j)| x[[rows[i], cols[j]]]);
    Kernels { nngp: part(&whole.nngp), ntk: whole.ntk.as_ref().map(part) }
}

fn computed(backend: &dyn Backend, pairs: Pairs, case: &Case) -> Kernels {
    kernels(backend, pairs).unwrap_or_else(|error| panic!("{}: {error}\n{}", case.name, case.network))
}
