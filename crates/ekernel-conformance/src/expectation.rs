//! Cases that are known to be off.

/// A case whose error is above the tolerance.
///
/// Roundings differ between instruction sets and adapters, so a case counts as mended below half of the tolerance.
#[derive(Clone, Copy, Debug)]
pub struct Expectation {
    /// The set of cases.
    pub set: &'static str,
    /// The name of the case, of random ones its index; or "*": some of the set.
    pub case: &'static str,
    /// Why it is off.
    pub reason: Reason,
    /// The largest error that it may have.
    pub bound: f64,
}

/// Why digits are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A kink reads what a smooth dual gave: values are nearly parallel where samples are not.
    KinkBehindSmooth,
    /// A kink reads what a local pool gave: a difference of sums of few values.
    KinkBehindPool,
    /// A kink reads what a truncation left of a smooth dual.
    KinkBehindTruncation,
    /// A kink in the head reads values that are nearly parallel.
    KinkInHead,
    /// Patches of signed samples are nearly opposite: their angle is the root of a rounded difference.
    NearlyOpposite,
    /// A sign reads values that are nearly parallel: its dual is as steep there as an angle.
    SteepSign,
    /// Smooth activations that are steep amplify what was rounded.
    Steep,
    /// It is the reference that loses digits, since it carries K.
    Reference,
}

/// A case by its name, why it is off, and the largest error that it may have.
pub type Named = (&'static str, Reason, f64);

/// Expectations, set by set.
pub fn named(sets: &[(&'static str, &[Named])]) -> Vec<Expectation> {
    let of = |&(set, cases): &(&'static str, &[Named])| -> Vec<Expectation> {
        cases.iter().map(|&(case, reason, bound)| Expectation { set, case, reason, bound }).collect()
    };
    sets.iter().flat_map(of).collect()
}

impl Expectation {
    /// What is to be done if the case is not off any more.
    pub(crate) fn mended(self, error: f64, tolerance: f64) -> Option<String> {
        (error < 0.5 * tolerance).then(|| {
            format!(
                "{}: expected to exceed {tolerance:.1e} ({:?}), does not any more ({error:.1e}): remove the expectation",
                self.case, self.reason
            )
        })
    }
}
