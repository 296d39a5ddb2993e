//! How the classes of one set are found again in another.

use unicode_normalization::UnicodeNormalization;

/// What the classes of a set are called.
pub(crate) struct Keys<'a> {
    count: usize,
    names: Option<&'a [String]>,
    /// Whether the data hold the numbers.
    numbered: bool,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(count: usize, names: Option<&'a [String]>, numbered: bool) -> Keys<'a> {
        Keys { count, names, numbered }
    }

    /// Of each class the one of `other` that it is; nothing where `other` lacks it.
    ///
    /// # Errors
    /// Why names and numbers cannot be matched, and what would do.
    pub(crate) fn places_in(&self, other: &Keys<'_>) -> Result<Vec<Option<usize>>, String> {
        let places: Vec<Option<usize>> = match (self.names, other.names) {
            (Some(names), Some(known)) => {
                let composed =
                    |names: &[String]| -> Vec<String> { names.iter().map(|name| composed(name)).collect() };
                let (mut names, mut known) = (composed(names), composed(known));
                // Of names that are numbers, 07 is 7.
                if let (Some(numbers), Some(others)) = (all_numbers(&names), all_numbers(&known)) {
                    (names, known) = (numbers, others);
                }
                names.iter().map(|name| known.iter().position(|other| other == name)).collect()
            }
            _ => {
                let (numbers, known) = (self.numbers()?, other.numbers()?);
                numbers.iter().map(|number| known.iter().position(|other| other == number)).collect()
            }
        };
        Ok(places)
    }

    /// `class 3` or `class 'tumour'`.
    pub(crate) fn describe(&self, class: usize) -> String {
        match self.names.and_then(|names| names.get(class)) {
            Some(name) => format!("class '{name}'"),
            None => format!("class {class}"),
        }
    }

    /// The number of each class: that of the data, or its name where every name is a number.
    fn numbers(&self) -> Result<Vec<i64>, String> {
        let (false, Some(names)) = (self.numbered, self.names) else {
            return Ok((0..self.count as i64).collect());
        };
        let mut numbers = Vec::with_capacity(names.len());
        for name in names {
            match name.trim().parse() {
                Ok(number) if !numbers.contains(&number) => numbers.push(number),
                _ => {
                    return Err(format!(
                        "one set has class names, such as '{name}', the other numbers; save both alike: numbers in both, \
                         or names in both"
                    ));
                }
            }
        }
        Ok(numbers)
    }
}

/// The numbers that all names are, each another one, as they are usually written.
fn all_numbers(names: &[String]) -> Option<Vec<String>> {
    let numbers: Vec<String> = names
        .iter()
        .map(|name| name.trim().parse::<i64>().map(|n| n.to_string()))
        .collect::<Result<_, _>>()
        .ok()?;
    let different: std::collections::BTreeSet<&String> = numbers.iter().collect();
    (different.len() == numbers.len()).then_some(numbers)
}

/// A name in Unicode's composed form (NFC).
fn composed(name: &str) -> String {
    name.nfc().collect()
}
