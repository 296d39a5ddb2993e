//! From the text of an architecture file to a network.

use std::str::FromStr;

use crate::{ArchError, Input, Layer, Network, NetworkBuilder, error::Place, keys::Keys};

impl FromStr for Network {
    type Err = ArchError;

    /// Reads an architecture file.
    fn from_str(text: &str) -> Result<Network, ArchError> {
        read(text)
    }
}

/// Reads a network from the text of an architecture file.
fn read(text: &str) -> Result<Network, ArchError> {
    let table: toml::Table = text
        .parse()
        .map_err(|e: toml::de::Error| ArchError::Toml { message: e.to_string().trim_end().to_owned() })?;
    let mut input = None;
    let mut layers = None;
    for (key, value) in &table {
        match (key.as_str(), value) {
            ("input", toml::Value::Table(table)) => input = Some(table),
            ("layers", toml::Value::Array(entries)) => layers = Some(entries),
            ("input", _) => {
                return Err(section("[input]", "must be a table: [input], then space = \"image\""));
            }
            ("layers", _) => {
                return Err(section("[[layers]]", "must be tables: [[layers]], then op = \"dense\""));
            }
            (other, _) => {
                return Err(section(
                    other,
                    "is not a section of an architecture file; there are [input] and [[layers]]",
                ));
            }
        }
    }
    let input = input.ok_or_else(|| {
        section("[input]", "is missing; for example [input], space = \"image\", shape = [32, 32, 3]")
    })?;
    let place = Place { index: 0, op: "input".into(), name: None };
    let mut keys = Keys::new(place, input);
    let input = Input::read(&mut keys)?;
    keys.finish()?;
    let mut builder = NetworkBuilder::new(input);
    for (position, entry) in layers.into_iter().flatten().enumerate() {
        let toml::Value::Table(entry) = entry else {
            return Err(section(
                "[[layers]]",
                &format!("entry {} must be a table with op = \"…\"", position + 1),
            ));
        };
        let op = match entry.get("op") {
            Some(toml::Value::String(op)) => op.clone(),
            _ => {
                let place = Place { index: position + 1, op: "?".into(), name: None };
                return Err(ArchError::MissingKey {
                    place,
                    key: "op".into(),
                    example: "op = \"dense\"".into(),
                });
            }
        };
        let name = entry.get("name").and_then(|name| name.as_str()).map(str::to_owned);
        let mut keys = Keys::new(Place { index: position + 1, op, name }, entry);
        let (name, inputs) = (keys.name()?, keys.inputs()?);
        let layer = Layer::read(&mut keys)?;
        keys.finish()?;
        builder = builder.entry(layer, name, inputs);
    }
    builder.build()
}

fn section(section: &str, problem: &str) -> ArchError {
    ArchError::Section { section: section.to_owned(), problem: problem.to_owned() }
}
