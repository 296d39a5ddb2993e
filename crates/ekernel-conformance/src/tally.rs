//! What a test computed, and what went wrong.

use crate::{Case, Expectation, Subject, Verdict, entries::exceeds, judge, report};

/// Counts the cases of a set.
pub(crate) struct Tally {
    what: String,
    computed: usize,
    undefined: usize,
    worst: f64,
    /// What is wrong in a line each, and with what it can be computed again.
    failures: Vec<(String, String)>,
    /// Of this set, with whether their cases came.
    expected: Vec<(Expectation, bool)>,
}

impl Tally {
    /// Nothing yet, of a set of cases.
    pub(crate) fn new(subject: &Subject, set: &str) -> Tally {
        let expected = subject.expected.iter().filter(|expected| expected.set == set);
        Tally {
            what: format!("{}, {set}", subject.name),
            computed: 0,
            undefined: 0,
            worst: 0.0,
            failures: Vec::new(),
            expected: expected.map(|expected| (*expected, false)).collect(),
        }
    }

    /// Compares the subject on each case that concerns it.
    pub(crate) fn of<'a>(
        subject: &Subject,
        set: &str,
        cases: impl IntoIterator<Item = &'a Case>,
        bound: f64,
    ) -> Tally {
        let mut tally = Tally::new(subject, set);
        for case in cases {
            let plan = case.plan();
            if subject.concerned_by(&plan) {
                tally.judge(case, &judge(subject.backend(plan).as_ref(), case), bound);
            }
        }
        tally
    }

    /// The expectation of a case, if there is one.
    pub(crate) fn expectation(&mut self, case: &Case) -> Option<Expectation> {
        let found = self
            .expected
            .iter_mut()
            .find(|(expected, _)| [case.name.as_str(), "*"].contains(&expected.case))?;
        found.1 |= found.0.case != "*";
        Some(found.0)
    }

    /// Counts what was found of a case.
    pub(crate) fn judge(&mut self, case: &Case, verdict: &Verdict, tolerance: f64) {
        let expectation = self.expectation(case);
        let bound = expectation.map_or(tolerance, |expected| expected.bound);
        match verdict {
            Verdict::Computed(error) => {
                self.computed += 1;
                self.worst = self.worst.max(*error);
                if exceeds(*error, 0.5 * tolerance) {
                    let ops: Vec<_> = case.network.nodes().iter().map(|node| node.layer.name()).collect();
                    println!("{}, {}: {error:.1e}, {}", self.what, case.name, ops.join(" "));
                }
                if exceeds(*error, bound) {
                    self.fail(format!("{}: {error:.1e} > {bound:.1e}", case.name), report::case(case));
                } else if let Some(expected) = expectation {
                    match expected.case {
                        "*" if exceeds(*error, tolerance) => self.came(expected),
                        "*" => {}
                        _ => expected
                            .mended(*error, tolerance)
                            .into_iter()
                            .for_each(|mended| self.fail(mended, String::new())),
                    }
                }
            }
            Verdict::Undefined => self.undefined += 1,
            Verdict::Refused(why) => self.fail(format!("{}: {why}", case.name), report::case(case)),
        }
    }

    /// A case of a set that is expected to be off is off.
    fn came(&mut self, expected: Expectation) {
        let all = self.expected.iter_mut().filter(|(other, _)| other.case == expected.case);
        all.for_each(|(_, came)| *came = true);
    }

    /// Counts a number that is no whole case.
    pub(crate) fn compare(&mut self, name: &str, error: f64, bound: f64) {
        self.computed += 1;
        self.worst = self.worst.max(error);
        if exceeds(error, bound) {
            self.fail(format!("{name}: {error:.1e} > {bound:.1e}"), String::new());
        }
    }

    /// Something is wrong: what, and with what it can be computed again.
    pub(crate) fn fail(&mut self, what: String, report: String) {
        self.failures.push((what, report));
    }

    /// Ends the test: `least` cases at least must have been computed.
    ///
    /// # Panics
    /// If something is wrong, or too little was computed.
    pub(crate) fn finish(mut self, least: usize) {
        for (expected, _) in self.expected.iter().filter(|(_, came)| !came) {
            let what =
                format!("no case {} is off ({:?}): remove the expectation", expected.case, expected.reason);
            self.failures.push((what, String::new()));
        }
        let Tally { what, computed, undefined, worst, failures, .. } = self;
        println!("{what}: {computed} computed, worst {worst:.1e}; {undefined} undefined");
        let lines: Vec<&str> = failures.iter().map(|(line, _)| line.as_str()).collect();
        let reports: Vec<String> =
            failures.iter().map(|(line, report)| format!("{line}\n{report}")).collect();
        assert!(
            failures.is_empty(),
            "{what}: {} of {computed}\n{}\n\n{}",
            failures.len(),
            lines.join("\n"),
            reports.join("\n")
        );
        assert!(computed >= least, "{what}: {computed} cases were computed, {least} are needed");
    }
}

#[cfg(test)]
mod tests {
    use ekernel_core::{BackendError, Plan, Samples};
    use ekernel_cpu::CpuBackend;
    use ndarray::array;

    use super::*;
    use crate::{Reason, Tolerances};

    fn nothing(_: Plan) -> Result<CpuBackend, BackendError> {
        unreachable!("nothing is made")
    }

    fn finished(least: usize, verdicts: Vec<Verdict>, expected: Vec<Expectation>) -> bool {
        let mut subject = Subject::new("test", Tolerances::SINGLE, nothing);
        subject.expected = expected;
        let mut tally = Tally::new(&subject, "set");
        for (i, verdict) in verdicts.iter().enumerate() {
            let network = "[input]\nspace = 'vector'\nshape = [1]\n[[layers]]\nop = 'dense'".parse();
            let samples = Samples::Vectors(array![[1.0]]);
            let case = Case::new(format!("{i}"), network.expect("a network"), samples);
            tally.judge(&case, verdict, 1e-6);
        }
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| tally.finish(least))).is_ok()
    }

    #[test]
    fn too_few_too_large_nan_and_refusals_fail() {
        use Verdict::{Computed, Refused, Undefined};
        assert!(finished(2, vec![Computed(1e-7), Computed(1e-6), Undefined], vec![]));
        assert!(!finished(3, vec![Computed(1e-7), Computed(1e-6), Undefined], vec![]));
        assert!(!finished(2, vec![Computed(1e-7), Computed(2e-6)], vec![]));
        assert!(!finished(1, vec![Computed(f64::NAN)], vec![]));
        assert!(!finished(1, vec![Computed(0.0), Refused("why".to_owned())], vec![]));
    }

    #[test]
    fn an_expected_case_may_be_off_but_not_further_nor_mended_nor_absent() {
        let expected =
            |case| vec![Expectation { set: "set", case, reason: Reason::NearlyOpposite, bound: 1e-5 }];
        let one = |error| vec![Verdict::Computed(error)];
        assert!(finished(1, one(5e-6), expected("0")));
        assert!(!finished(1, one(2e-5), expected("0")));
        assert!(!finished(1, one(1e-7), expected("0")));
        assert!(!finished(1, one(1e-7), expected("1")));
        assert!(finished(2, vec![Verdict::Computed(1e-9), Verdict::Computed(5e-6)], expected("*")));
        assert!(!finished(2, vec![Verdict::Computed(1e-9), Verdict::Computed(5e-5)], expected("*")));
        assert!(!finished(1, one(1e-9), expected("*")));
    }
}
