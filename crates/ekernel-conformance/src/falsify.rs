//! The suite must see what is broken on purpose.

use ekernel_core::{Backend, Plan};

use crate::{Case, Subject, Verdict, case::Check, judge, kernels};

/// Something broken on purpose.
pub struct Falsifier {
    /// What it is called in reports.
    pub what: &'static str,
    /// How it is broken.
    pub how: Breakage,
    /// On how many cases it must have been tried, of a subject that every plan concerns.
    pub least: usize,
}

/// How something is broken.
#[derive(Clone, Copy)]
pub enum Breakage {
    /// A part of the plan; false where the plan has none of the kind.
    Plan(fn(&mut Plan) -> bool),
    /// What the backend reads or gives, of the plans of which something of the kind is left.
    Backend(fn(Box<dyn Backend>) -> Box<dyn Backend>, fn(&Plan) -> bool),
}

impl Falsifier {
    /// Breaks the subject on each case. It must give a number that is wrong by more than `tolerance`: one that refuses
    /// proves nothing and is not counted.
    ///
    /// # Panics
    /// If it goes unseen, or was tried on too few cases.
    pub(crate) fn run<'a>(
        &self,
        subject: &Subject,
        cases: impl IntoIterator<Item = &'a Case>,
        tolerance: f64,
    ) {
        let least = subject.at_least(self.least);
        self.try_all(subject, cases, (tolerance, least), |_, _| false);
    }

    /// The same of what a backend may leave unread: then every kernel is that of the whole plan, to the last bit.
    ///
    /// # Panics
    /// As [`Falsifier::run`].
    pub(crate) fn run_where_read<'a>(
        &self,
        subject: &Subject,
        cases: impl IntoIterator<Item = &'a Case>,
        tolerance: f64,
    ) {
        let least = if subject.asks_for_defects { 0 } else { subject.at_least(1) };
        self.try_all(subject, cases, (tolerance, least), |broken, case| {
            let whole = subject.backend(case.plan());
            let bits = |backend: &dyn Backend| -> Vec<_> {
                let computed = |(pairs, _): &Check| kernels(backend, pairs.clone()).ok();
                case.checks().iter().map(computed).collect()
            };
            bits(broken) == bits(whole.as_ref())
        });
    }

    fn try_all<'a>(
        &self,
        subject: &Subject,
        cases: impl IntoIterator<Item = &'a Case>,
        (tolerance, least): (f64, usize),
        unread: impl Fn(&dyn Backend, &Case) -> bool,
    ) {
        let (mut seen, mut refused, mut left, mut smallest) = (0, 0, 0, f64::INFINITY);
        let mut unseen = Vec::new();
        // Shaders of broken plans are compiled for each; a subject with a small share of cases sees the first ones.
        let most = subject.share_of(60).max(least);
        for case in cases {
            if seen == most {
                break;
            }
            let whole = case.plan();
            let mut plan = whole.clone();
            let broken = match self.how {
                Breakage::Plan(breaks) => breaks(&mut plan).then(|| (subject.make)(plan)),
                Breakage::Backend(breaks, concerns) => {
                    concerns(&plan).then(|| (subject.make)(plan).map(breaks))
                }
            };
            let Some(broken) = broken.filter(|_| subject.concerned_by(&whole)) else { continue };
            let Ok(broken) = broken else {
                refused += 1;
                continue;
            };
            match judge(broken.as_ref(), case) {
                Verdict::Computed(error) if error > tolerance && error.is_finite() => {
                    seen += 1;
                    smallest = smallest.min(error);
                }
                Verdict::Computed(_) if unread(broken.as_ref(), case) => left += 1,
                Verdict::Computed(error) => unseen.push(format!("{} ({error:.1e})", case.name)),
                Verdict::Undefined | Verdict::Refused(_) => refused += 1,
            }
        }
        let what = format!("{}, {}", subject.name, self.what);
        println!(
            "{what}: seen on {seen} cases, by {smallest:.1e} at least; {refused} refused, {left} unread"
        );
        assert!(unseen.is_empty(), "{what}: unseen on {}", unseen.join(", "));
        assert!(seen >= least, "{what}: seen on {seen} cases, {least} are needed");
    }
}
