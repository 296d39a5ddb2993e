//! Reads the keys of one table of an architecture file, each once, and refuses what is left over.

use toml::Value;

use crate::{
    ArchError, Padding, Window,
    error::{Place, nearest},
};

/// The keys of one table, read one by one.
pub(crate) struct Keys<'a> {
    place: Place,
    table: &'a toml::Table,
    known: Vec<&'static str>,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(place: Place, table: &'a toml::Table) -> Keys<'a> {
        let known = if place.index == 0 { vec![] } else { vec!["op"] };
        Keys { place, table, known }
    }

    /// The keys that were asked for until now.
    #[cfg(test)]
    pub(crate) fn known(&self) -> &[&'static str] {
        &self.known
    }

    pub(crate) fn op(&self) -> String {
        self.place.op.clone()
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.table.get(key)
    }

    pub(crate) fn bad(&self, key: &str, found: impl ToString, needs: &str) -> ArchError {
        ArchError::Value {
            place: self.place.clone(),
            key: key.to_owned(),
            found: found.to_string(),
            needs: needs.to_owned(),
        }
    }

    /// Refuses every key that no reader asked for.
    pub(crate) fn finish(self) -> Result<(), ArchError> {
        match self.table.keys().find(|key| !self.known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(ArchError::UnknownKey {
                key: key.clone(),
                nearest: nearest(key, self.known.iter().copied()),
                known: self.known.join(", "),
                place: self.place,
            }),
        }
    }

    pub(crate) fn missing(&self, key: &str, example: &str) -> ArchError {
        ArchError::MissingKey { place: self.place.clone(), key: key.to_owned(), example: example.to_owned() }
    }

    pub(crate) fn number(&mut self, key: &'static str) -> Result<Option<f64>, ArchError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Float(x)) if x.is_finite() => Ok(Some(*x)),
            Some(Value::Integer(x)) => Ok(Some(*x as f64)),
            Some(other) => Err(self.bad(key, other, "a finite number")),
        }
    }

    pub(crate) fn positive(&mut self, key: &'static str) -> Result<Option<f64>, ArchError> {
        match self.number(key)? {
            Some(x) if x <= 0.0 => Err(self.bad(key, x, "a number above 0")),
            other => Ok(other),
        }
    }

    pub(crate) fn not_negative(&mut self, key: &'static str) -> Result<Option<f64>, ArchError> {
        match self.number(key)? {
            Some(x) if x < 0.0 => Err(self.bad(key, x, "a number of at least 0")),
            other => Ok(other),
        }
    }

    pub(crate) fn count(&mut self, key: &'static str) -> Result<Option<usize>, ArchError> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => {
                as_count(value).map(Some).ok_or_else(|| self.bad(key, value, "a whole number of at least 1"))
            }
        }
    }

    pub(crate) fn counts(&mut self, key: &'static str, needs: &str) -> Result<Option<Vec<usize>>, ArchError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let list = match value {
            Value::Array(list) => list.iter().map(as_count).collect(),
            _ => None,
        };
        list.map(Some).ok_or_else(|| self.bad(key, value, needs))
    }

    pub(crate) fn numbers(&mut self, key: &'static str, needs: &str) -> Result<Option<Vec<f64>>, ArchError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let number = |value: &Value| match value {
            Value::Float(x) if x.is_finite() => Some(*x),
            Value::Integer(x) => Some(*x as f64),
            _ => None,
        };
        let list = match value {
            Value::Array(list) => list.iter().map(number).collect(),
            _ => None,
        };
        list.map(Some).ok_or_else(|| self.bad(key, value, needs))
    }

    pub(crate) fn pair(&mut self, key: &'static str) -> Result<Option<[usize; 2]>, ArchError> {
        const NEEDS: &str = "two whole numbers of at least 1, rows and columns, for example [3, 3]";
        match self.counts(key, NEEDS)? {
            None => Ok(None),
            Some(list) => match list[..] {
                [rows, cols] => Ok(Some([rows, cols])),
                _ => Err(self.bad(key, format!("{list:?}"), NEEDS)),
            },
        }
    }

    pub(crate) fn word(&mut self, key: &'static str) -> Result<Option<&'a str>, ArchError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(word)) => Ok(Some(word)),
            Some(other) => Err(self.bad(key, other, "a word in quotes")),
        }
    }

    /// A word of a closed list.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Result<Option<T>, ArchError> {
        let Some(word) = self.word(key)? else { return Ok(None) };
        match choices.iter().find(|(name, _)| *name == word) {
            Some((_, value)) => Ok(Some(*value)),
            None => Err(ArchError::UnknownValue {
                place: self.place.clone(),
                key: key.to_owned(),
                found: word.to_owned(),
                nearest: nearest(word, choices.iter().map(|(name, _)| *name)),
                known: choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    pub(crate) fn name(&mut self) -> Result<Option<String>, ArchError> {
        match self.word("name")? {
            Some("input") => {
                Err(self.bad("name", "\"input\"", "another word: \"input\" is the network's input"))
            }
            Some("") => Err(self.bad("name", "\"\"", "a word of at least one letter")),
            word => Ok(word.map(str::to_owned)),
        }
    }

    pub(crate) fn inputs(&mut self) -> Result<Option<Vec<String>>, ArchError> {
        let Some(value) = self.take("inputs") else { return Ok(None) };
        let names = match value {
            Value::Array(list) => list.iter().map(|name| name.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        names
            .map(Some)
            .ok_or_else(|| self.bad("inputs", value, "a list of layer names, for example [\"a\", \"b\"]"))
    }

    pub(crate) fn padding(&mut self, default: Padding) -> Result<Padding, ArchError> {
        let choices = Padding::ALL.map(|padding| (padding.name(), padding));
        Ok(self.choice("padding", &choices)?.unwrap_or(default))
    }

    /// The window of a convolution: `filter`, `strides` (1), `padding` (valid).
    pub(crate) fn filter(&mut self) -> Result<Window, ArchError> {
        let size = self.pair("filter")?.ok_or_else(|| self.missing("filter", "filter = [3, 3]"))?;
        let strides = self.pair("strides")?.unwrap_or([1, 1]);
        Ok(Window { size, strides, padding: self.padding(Padding::Valid)? })
    }

    /// The parameters a, b, c of erf, sin and cos.
    pub(crate) fn amplitude_rate_offset(&mut self) -> Result<[f64; 3], ArchError> {
        Ok([
            self.number("a")?.unwrap_or(1.0),
            self.number("b")?.unwrap_or(1.0),
            self.number("c")?.unwrap_or(0.0),
        ])
    }
}

fn as_count(value: &Value) -> Option<usize> {
    value.as_integer().and_then(|x| usize::try_from(x).ok()).filter(|x| *x >= 1)
}
