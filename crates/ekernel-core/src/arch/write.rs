//! From a network to the text of an architecture file.

use std::fmt;

use crate::{Network, keys::Section};

impl Network {
    /// The network as an architecture file.
    pub fn to_toml(&self) -> String {
        let mut text = String::from("[input]\n");
        let mut section = Section::default();
        self.input().write(&mut section);
        text += &section.into_text();
        for entry in self.entries() {
            let mut section = Section::default();
            section.word("op", entry.layer.name());
            if let Some(name) = &entry.name {
                section.word("name", name);
            }
            if let Some(inputs) = &entry.inputs {
                section.words("inputs", inputs);
            }
            entry.layer.write(&mut section);
            text += "\n[[layers]]\n";
            text += &section.into_text();
        }
        text
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_toml())
    }
}
