//! Writes the keys of one table of an architecture file.

/// The lines of one table.
#[derive(Default)]
pub(crate) struct Section {
    lines: Vec<String>,
}

impl Section {
    pub(crate) fn number(&mut self, key: &str, value: f64) {
        self.lines.push(format!("{key} = {value:?}"));
    }

    pub(crate) fn count(&mut self, key: &str, value: usize) {
        self.lines.push(format!("{key} = {value}"));
    }

    pub(crate) fn counts(&mut self, key: &str, values: &[usize]) {
        self.lines.push(format!("{key} = {values:?}"));
    }

    pub(crate) fn numbers(&mut self, key: &str, values: &[f64]) {
        self.lines.push(format!("{key} = {values:?}"));
    }

    pub(crate) fn word(&mut self, key: &str, value: &str) {
        self.lines.push(format!("{key} = {}", quoted(value)));
    }

    pub(crate) fn words(&mut self, key: &str, values: &[String]) {
        let words: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        self.lines.push(format!("{key} = [{}]", words.join(", ")));
    }

    pub(crate) fn into_text(self) -> String {
        self.lines.into_iter().map(|line| line + "\n").collect()
    }
}

fn quoted(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}
