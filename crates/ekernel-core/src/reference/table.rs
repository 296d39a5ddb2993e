//! The entries of the reference, from its tables and from the layers themselves.

use super::{
    activations::ACTIVATIONS,
    domains,
    entry::{Default, Entry, Key, Part},
    inputs::{INPUTS, Space, VECTOR},
    layers::{LAYERS, Op},
};
use crate::{Layer, Network};

/// The keys that every layer has.
pub const COMMON: &[Key] = &[
    Key {
        name: "name",
        default: Default::Otherwise("none"),
        about: "a word by which later layers name this one",
    },
    Key {
        name: "inputs",
        default: Default::Otherwise("the layer above"),
        about: "names of the layers that are read; \"input\" is the network's input",
    },
];

/// Every input, layer and activation, in the order of the documents.
///
/// # Panics
/// If an example is no architecture, which the tests of this module exclude.
pub fn entries() -> Vec<Entry> {
    let inputs = INPUTS.iter().map(|Space { name, summary, keys, input, layers }| {
        let example = architecture(input, layers);
        let domain = domains::name(read(&example).input().domain());
        Entry {
            part: Part::Input,
            name,
            summary,
            keys: keys.to_vec(),
            example,
            domains: vec![["", domain]],
            needs_gaussian: false,
        }
    });
    let layers = LAYERS.iter().map(|Op { name, summary, keys, input, layers }| {
        of_layer(Part::Layer, name, summary, keys.concat(), architecture(input, layers))
    });
    let activations = ACTIVATIONS.iter().map(|(name, summary, keys)| {
        let values = keys.iter().filter_map(|key| match key.default {
            Default::Is(value) => Some(format!("\n{} = {value}", key.name)),
            Default::Required | Default::Otherwise(_) => None,
        });
        let layer = format!("op = \"{name}\"{}", values.collect::<String>());
        let example = architecture(VECTOR, &["op = \"dense\"", &layer, "op = \"dense\""]);
        of_layer(Part::Activation, name, summary, keys.to_vec(), example)
    });
    inputs.chain(layers).chain(activations).collect()
}

/// The input, layer or activation whose word is most like `word`, if one is like it at all.
pub fn nearest(word: &str) -> Option<String> {
    crate::error::nearest(word, INPUTS.iter().map(|input| input.name).chain(Layer::names()))
}

fn of_layer(part: Part, name: &'static str, summary: &'static str, keys: Vec<Key>, example: String) -> Entry {
    let network = read(&example);
    let layer = layer_of(&network, name);
    let (domains, needs_gaussian) = (domains::of(layer), layer.needs_gaussian());
    Entry { part, name, summary, keys, example, domains, needs_gaussian }
}

fn layer_of<'a>(network: &'a Network, name: &str) -> &'a Layer {
    let found = network.entries().iter().find(|entry| entry.layer.name() == name);
    &found.expect("the example of a layer holds it").layer
}

fn read(example: &str) -> Network {
    example.parse().expect("the examples are architectures")
}

/// An architecture file of the lines of its input and of each layer.
fn architecture(input: &str, layers: &[&str]) -> String {
    let layers: Vec<String> = layers.iter().map(|lines| format!("\n[[layers]]\n{lines}\n")).collect();
    format!("[input]\n{input}\n{}", layers.concat())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Input, KernelSet, Plan, error::Place, keys::Keys};

    /// The table of the word in the example: of `[input]`, or of the first layer of that op.
    fn table_of(entry: &Entry) -> toml::Table {
        let file: toml::Table = entry.example.parse().unwrap();
        if entry.part == Part::Input {
            return file["input"].as_table().unwrap().clone();
        }
        let layers = file["layers"].as_array().unwrap();
        let is_meant = |layer: &&toml::Value| layer["op"].as_str() == Some(entry.name);
        layers.iter().find(is_meant).unwrap().as_table().unwrap().clone()
    }

    /// What the reader makes of a table, in words, and the keys it asks for beside space, op, name and inputs.
    fn read_table(entry: &Entry, table: &toml::Table) -> Result<(String, BTreeSet<&'static str>), String> {
        let index = usize::from(entry.part != Part::Input);
        let place = Place { index, op: entry.name.to_owned(), name: None };
        let mut keys = Keys::new(place, table);
        let read = match entry.part {
            Part::Input => Input::read(&mut keys).map(|input| format!("{input:?}")),
            Part::Layer | Part::Activation => Layer::read(&mut keys).map(|layer| format!("{layer:?}")),
        };
        let asked = keys.known().iter().copied().filter(|key| !["space", "op"].contains(key)).collect();
        read.map(|read| (read, asked)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_layer_and_activation_has_an_entry() {
        let named =
            |part| entries().into_iter().filter(move |entry| entry.part == part).map(|entry| entry.name);
        let layers: Vec<&str> = named(Part::Layer).chain(named(Part::Activation)).collect();
        assert_eq!(layers, Layer::names().collect::<Vec<_>>());
        assert_eq!(named(Part::Input).collect::<Vec<_>>(), ["vector", "image", "sphere", "molecule"]);
    }

    #[test]
    fn keys_are_those_that_the_readers_ask_for() {
        for entry in entries() {
            let (_, asked) = read_table(&entry, &table_of(&entry)).unwrap();
            let said: BTreeSet<&str> = entry.keys.iter().map(|key| key.name).collect();
            assert_eq!(said, asked, "{}", entry.name);
        }
    }

    #[test]
    fn defaults_are_those_of_the_readers() {
        for entry in entries() {
            let table = table_of(&entry);
            for key in &entry.keys {
                let mut without = table.clone();
                without.remove(key.name);
                let left_out = read_table(&entry, &without);
                match key.default {
                    Default::Required => {
                        let refused = left_out.unwrap_err();
                        assert!(refused.contains(key.name), "{} {}: {refused}", entry.name, key.name);
                    }
                    Default::Is(value) => {
                        let mut with: toml::Table = format!("{} = {value}", key.name).parse().unwrap();
                        with.extend(without);
                        let said = read_table(&entry, &with).unwrap().0;
                        assert_eq!(left_out.unwrap().0, said, "{} {}", entry.name, key.name);
                    }
                    Default::Otherwise(_) => {
                        left_out.unwrap();
                    }
                }
            }
        }
    }

    #[test]
    fn examples_have_plans() {
        for entry in entries() {
            let network: Network = entry.example.parse().unwrap();
            let plan = Plan::new(&network, KernelSet::Both);
            if entry.name == "max_pool" {
                assert!(matches!(plan, Err(crate::ArchError::NoKernel { .. })), "{plan:?}");
                continue;
            }
            assert!(plan.is_ok(), "{}: {}", entry.name, plan.unwrap_err());
        }
    }

    #[test]
    fn domains_are_found() {
        let of = |name: &str| entries().into_iter().find(|entry| entry.name == name).unwrap().domains;
        assert_eq!(of("lift"), [["grid", "group grid"]]);
        assert_eq!(of("atom_sum"), [["vector of each atom", "vector"]]);
        assert_eq!(of("relu").len(), 6);
        assert_eq!(of("conv"), [["grid", "grid"]]);
        assert_eq!(of("sphere"), [["", "sphere"]]);
        assert!(entries().iter().all(|entry| !entry.domains.is_empty()));
    }
}
