//! In what two computations differ, in words.

use std::fmt;

/// One thing in which a store and this run differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs: the version, the network, a fact of the backend, the samples, the tile shape.
    pub what: String,
    /// Its value in the store.
    pub stored: String,
    /// Its value in this run.
    pub now: String,
}

impl Difference {
    pub(crate) fn of_tiles(stored: [usize; 2], now: [usize; 2]) -> Difference {
        let [stored, now] = [stored, now].map(|[rows, cols]| format!("{rows} × {cols}"));
        difference("the tile shape", stored, now)
    }
}

/// Two values as they are shown: quoted, and long ones where they differ.
pub(super) fn quoted(values: [Option<&str>; 2]) -> [String; 2] {
    let from = match values {
        [Some(one), Some(other)] => start_of_difference(one, other),
        _ => 0,
    };
    let words = |value: &str| format!("\"{}\"", excerpt(value, from));
    values.map(|value| value.map_or("not set".to_owned(), words))
}

/// Characters of a long value that are shown, and those of them ahead of the difference.
const SHOWN: usize = 60;
const AHEAD: usize = 20;

/// The number of characters that two texts begin with alike.
fn start_of_difference(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count()
}

/// A short text, or the part of a long one around the character `at`.
fn excerpt(text: &str, at: usize) -> String {
    let skipped = if text.chars().count() <= SHOWN { 0 } else { at.saturating_sub(AHEAD) };
    let shown: String = text.chars().skip(skipped).take(SHOWN).collect();
    let [before, after] = [skipped > 0, text.chars().count() > skipped + SHOWN];
    format!("{}{shown}{}", if before { "…" } else { "" }, if after { "…" } else { "" })
}

pub(super) fn difference(what: &str, stored: impl ToString, now: impl ToString) -> Difference {
    Difference { what: what.to_owned(), stored: stored.to_string(), now: now.to_string() }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} there is {}, here {}", self.what, self.stored, self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_shown_where_they_differ() {
        assert_eq!(excerpt("f32", start_of_difference("f32", "f64")), "f32");
        let [one, other] =
            ["relu", "erf"].map(|op| format!("{}op = {op}{}", "ä".repeat(100), "z".repeat(90)));
        let due = format!("…{}op = relu{}…", "ä".repeat(15), "z".repeat(36));
        assert_eq!(excerpt(&one, start_of_difference(&one, &other)), due);
    }
}
