//! How a backend computes, as a value that can be compared and stored.

use std::{collections::BTreeMap, fmt, str::FromStr};

use thiserror::Error;

use crate::Plan;

/// Everything beside plan and samples that can change a bit of a result, as facts by name.
///
/// Two backends with equal numerics and equal plans compute the same bytes from the same samples. As text it is a line
/// `name = value` for every fact, sorted by name:
///
/// ```
/// # use ekernel_core::Numerics;
/// let numerics = Numerics::new("cpu").with("precision", "f32");
/// assert_eq!(numerics.to_string(), "backend = cpu\nprecision = f32\n");
/// assert_eq!(numerics.to_string().parse(), Ok(numerics));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Numerics(BTreeMap<String, String>);

/// A text that is no [`Numerics`].
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line} of the numerics is \"{text}\"; it should be: name = value, each name once")]
pub struct NotNumerics {
    /// The line, from 1 on.
    pub line: usize,
    /// What is there.
    pub text: String,
}

impl Numerics {
    /// The numerics of a family of backends, with no other fact yet.
    pub fn new(backend: &str) -> Numerics {
        Numerics(BTreeMap::new()).with("backend", backend)
    }

    /// Adds a fact, or replaces the one of this name. Line breaks in the value become spaces.
    ///
    /// # Panics
    /// If the name is empty, or holds "=", a line break or a space at an end.
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Numerics {
        let plain = !name.is_empty() && name.trim() == name && !name.contains(['=', '\n', '\r']);
        assert!(plain, "\"{name}\" cannot name a fact");
        self.0.insert(name.to_owned(), value.to_string().replace(['\n', '\r'], " ").trim().to_owned());
        self
    }

    /// Adds the nodes on which each stage of a plan on SO(3) is computed, if it has any.
    pub fn with_quadrature(self, plan: &Plan) -> Numerics {
        let nodes: Vec<String> = plan.rotations.iter().map(|stage| stage.nodes.to_string()).collect();
        if nodes.is_empty() { self } else { self.with("quadrature nodes", nodes.join(", ")) }
    }

    /// The facts, sorted by name.
    pub fn facts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a fact.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names of the facts in which two differ, with both values; a fact that one of them lacks is `None` there.
    pub fn differences<'a>(
        &'a self,
        other: &'a Numerics,
    ) -> Vec<(&'a str, Option<&'a str>, Option<&'a str>)> {
        let mut names: Vec<&str> = self.0.keys().chain(other.0.keys()).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let both = names.into_iter().map(|name| (name, self.get(name), other.get(name)));
        both.filter(|(_, this, that)| this != that).collect()
    }
}

impl fmt::Display for Numerics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.facts().try_for_each(|(name, value)| writeln!(f, "{name} = {value}"))
    }
}

impl FromStr for Numerics {
    type Err = NotNumerics;

    fn from_str(text: &str) -> Result<Numerics, NotNumerics> {
        let mut facts = BTreeMap::new();
        for (at, text) in text.lines().enumerate() {
            let refused = || NotNumerics { line: at + 1, text: text.to_owned() };
            let (name, value) = text.split_once('=').ok_or_else(refused)?;
            let (name, value) = (name.trim(), value.trim());
            if name.is_empty() || facts.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(refused());
            }
        }
        Ok(Numerics(facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_the_fact() {
        let one = Numerics::new("cpu").with("precision", "f32").with("blocks", "all");
        let other = Numerics::new("cpu").with("precision", "f64");
        let expected = [("blocks", Some("all"), None), ("precision", Some("f32"), Some("f64"))];
        assert_eq!(one.differences(&other), expected);
        assert!(one.differences(&one.clone()).is_empty());
    }

    #[test]
    fn what_is_no_numerics_is_refused_with_its_line() {
        for (text, line) in [("backend = cpu\nnothing", 2), ("= cpu", 1), ("a = 1\n a = 2", 2)] {
            let error = text.parse::<Numerics>().expect_err("refused");
            assert_eq!(error.line, line, "{text}");
        }
        let odd = Numerics::new("a = b\nc").with("adapter", " two  words ");
        assert_eq!(odd.to_string().parse(), Ok(odd));
    }
}
