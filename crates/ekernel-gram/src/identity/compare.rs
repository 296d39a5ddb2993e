//! The identity of a computation, and in what two differ.

use std::collections::{BTreeMap, BTreeSet};

use ekernel_core::{Backend, BackendError, Control, KernelSet, Pairs, Plan};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    difference::{Difference, difference, quoted},
    digest::Set,
};

/// Everything that a kernel value depends on: two computations of one identity have the same bytes.
///
/// Whether the NTK is asked for is no part of it: the NNGP has the same bytes with and without it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    version: String,
    /// Absent for a backend that reads the network itself; it names the network among its numerics.
    plan: Option<NamedPlan>,
    numerics: BTreeMap<String, String>,
    first: Set,
    /// Absent of one set with itself.
    second: Option<Set>,
}

/// A plan by its digest. The text is for people, and not compared.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedPlan {
    digest: String,
    text: Vec<String>,
}

/// A backend that does not say which network it computes.
pub(crate) struct Unidentified;

/// The fact in which a backend without a plan names its network.
const NETWORK: &str = "network";

impl Identity {
    /// The identity of what `backend` computes of `pairs`.
    pub(crate) fn new(
        backend: &dyn Backend,
        pairs: &Pairs,
        control: &Control,
    ) -> Result<Result<Identity, Unidentified>, BackendError> {
        let numerics = backend.numerics();
        if backend.plan().is_none() && numerics.get(NETWORK).is_none() {
            return Ok(Err(Unidentified));
        }
        let second = if pairs.is_symmetric() { None } else { Some(Set::new(pairs.second(), control)?) };
        Ok(Ok(Identity {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            plan: backend.plan().map(NamedPlan::of),
            numerics: numerics.facts().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            first: Set::new(pairs.first(), control)?,
            second,
        }))
    }

    /// The identity of the second set with itself; of one set the identity itself.
    #[cfg(feature = "fs")]
    pub(crate) fn of_second(&self) -> Identity {
        match &self.second {
            Some(second) => Identity { first: second.clone(), second: None, ..self.clone() },
            None => self.clone(),
        }
    }

    /// What ties a tile to this computation.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let nameless = |plan: &NamedPlan| NamedPlan { digest: plan.digest.clone(), text: Vec::new() };
        let compared = Identity { plan: self.plan.as_ref().map(nameless), ..self.clone() };
        Sha256::digest(serde_json::to_vec(&compared).expect("strings and numbers have a JSON form")).into()
    }

    /// Everything in which a stored computation (`self`) and this one differ.
    pub(crate) fn differences(&self, now: &Identity) -> Vec<Difference> {
        let mut found = Vec::new();
        if self.version != now.version {
            let [stored, now] = [self, now].map(|identity| format!("\"{}\"", identity.version));
            found.push(difference("the version of ekernel", stored, now));
        }
        let facts: BTreeSet<&String> = self.numerics.keys().chain(now.numerics.keys()).collect();
        for fact in facts {
            let [stored, now] = [self, now].map(|identity| identity.numerics.get(fact));
            if stored != now {
                let what = if fact == "backend" { fact.clone() } else { format!("{fact} of the backend") };
                let [stored, now] = quoted([stored, now].map(|value| value.map(String::as_str)));
                found.push(difference(&format!("the {what}"), stored, now));
            }
        }
        found.extend(match (&self.plan, &now.plan) {
            (Some(stored), Some(now)) => stored.difference(now),
            (None, None) => None,
            (stored, _) => {
                let words = |some: bool| if some { "a plan" } else { "the layers themselves" };
                Some(difference("what is computed", words(stored.is_some()), words(stored.is_none())))
            }
        });
        if self.first != now.first {
            found.push(difference("the first set", self.first.describe(), now.first.describe()));
        }
        if self.second != now.second {
            let describe =
                |set: &Option<Set>| set.as_ref().map_or("the first again".to_owned(), Set::describe);
            found.push(difference("the second set", describe(&self.second), describe(&now.second)));
        }
        found
    }
}

impl NamedPlan {
    fn of(plan: &Plan) -> NamedPlan {
        // The plan for both kernels, so that the tiles of one serve the other.
        let mut plan = plan.clone();
        plan.kinds = KernelSet::Both;
        let text = plan.to_string().lines().map(str::to_owned).collect();
        NamedPlan { digest: plan.digest().to_string(), text }
    }

    /// Plans are a page long: the first line that differs is what helps.
    fn difference(&self, now: &NamedPlan) -> Option<Difference> {
        if self.digest == now.digest {
            return None;
        }
        let lines = self.text.len().max(now.text.len());
        let line = (0..lines).find(|&line| self.text.get(line) != now.text.get(line));
        Some(match line {
            Some(line) => {
                let words = |plan: &NamedPlan| {
                    plan.text.get(line).map_or("the end".to_owned(), |line| format!("\"{}\"", line.trim()))
                };
                difference(&format!("line {} of the plan of the network", line + 1), words(self), words(now))
            }
            None => difference("the digest of the network", &self.digest, &now.digest),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_of_plans_names_the_line() {
        let plan = |digest: &str, text: &[&str]| NamedPlan {
            digest: digest.to_owned(),
            text: text.iter().map(|line| (*line).to_owned()).collect(),
        };
        let found =
            |stored: &NamedPlan, now: &NamedPlan| stored.difference(now).map(|found| found.to_string());
        let stored = plan("1", &["a", "  b = 1"]);
        assert_eq!(found(&stored, &plan("1", &["other words"])), None);
        let words = "line 2 of the plan of the network there is \"b = 1\", here \"b = 2\"";
        assert_eq!(found(&stored, &plan("2", &["a", "b = 2"])).unwrap(), words);
        let words = "line 2 of the plan of the network there is \"b = 1\", here the end";
        assert_eq!(found(&stored, &plan("2", &["a"])).unwrap(), words);
        let words = "the digest of the network there is 1, here 2";
        assert_eq!(found(&stored, &plan("2", &["a", "  b = 1"])).unwrap(), words);
    }
}
