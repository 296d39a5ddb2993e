//! `ekernel layers [NAME]`: the reference of architecture files.

use clap::Args;
use ekernel_core::{
    Layer,
    reference::{COMMON, Default, Entry, Key, Part, entries, nearest},
};
use serde_json::json;

use crate::{failure::mistake, output, table::Table};

#[derive(Args, Debug)]
pub(crate) struct Layers {
    /// An input, layer or activation, by its word in architecture files [default: a list of all]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The whole reference as Markdown: docs/architecture-files.md
    #[arg(long, conflicts_with_all = ["name", "json"])]
    markdown: bool,
    /// The reference as JSON on standard output
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Layers) -> anyhow::Result<()> {
    let mut entries = entries();
    if arguments.markdown {
        return output::print(&markdown(&entries));
    }
    if let Some(name) = &arguments.name {
        entries.retain(|entry| entry.name == name);
        if entries.is_empty() {
            return Err(unknown(name));
        }
    }
    if arguments.json {
        return output::print_json(&entries.iter().map(document).collect::<Vec<_>>());
    }
    match (&arguments.name, &entries[..]) {
        (Some(_), [entry]) => output::print(&details(entry)),
        _ => output::print(&list(&entries)),
    }
}

fn unknown(name: &str) -> anyhow::Error {
    let reason = match Layer::absent(name) {
        Some(reason) => format!("is no layer of ekernel: {reason}"),
        None => {
            let near = nearest(name).map(|near| format!(", did you mean '{near}'?")).unwrap_or_default();
            format!("is no input, layer or activation{near}; `ekernel layers` lists them")
        }
    };
    mistake(format!("'{name}' {reason}"))
}

/// The heading of a part.
fn heading(part: Part) -> &'static str {
    match part {
        Part::Input => "Inputs",
        Part::Layer => "Layers",
        Part::Activation => "Activations",
    }
}

/// The key that holds the word.
fn word_key(part: Part) -> &'static str {
    match part {
        Part::Input => "space",
        Part::Layer | Part::Activation => "op",
    }
}

/// The domains in words: `grid → vector`; those that stay as they are once, by their names.
fn domains(entry: &Entry) -> Vec<String> {
    if entry.part == Part::Input {
        return entry.domains.iter().map(|[_, to]| (*to).to_owned()).collect();
    }
    let same: Vec<&str> =
        entry.domains.iter().filter(|[from, to]| from == to).map(|[from, _]| *from).collect();
    let others = entry.domains.iter().filter(|[from, to]| from != to);
    let others = others.map(|[from, to]| format!("{from} → {to}"));
    match &same[..] {
        [] => others.collect(),
        [one] => [format!("{one} → {one}")].into_iter().chain(others).collect(),
        several => [format!("{}, each to itself", several.join(", "))].into_iter().chain(others).collect(),
    }
}

fn default(key: &Key) -> String {
    match key.default {
        Default::Required => "required".to_owned(),
        Default::Is(value) => value.to_owned(),
        Default::Otherwise(words) => words.to_owned(),
    }
}

fn list(entries: &[Entry]) -> String {
    let mut text = String::new();
    for part in [Part::Input, Part::Layer, Part::Activation] {
        let mut table = Table::left(Vec::<String>::new());
        for entry in entries.iter().filter(|entry| entry.part == part) {
            table.row([format!("  {}", entry.name), entry.summary.to_owned()]);
        }
        text += &format!("{} ({} = \"…\"){table}\n", heading(part), word_key(part));
    }
    text + "ekernel layers NAME shows domains, keys, defaults and an example.\n"
}

fn details(entry: &Entry) -> String {
    let mut text = format!("{} = \"{}\": {}\n\n", word_key(entry.part), entry.name, entry.summary);
    for line in domains(entry) {
        text += &format!("domain   {line}\n");
    }
    if entry.needs_gaussian {
        text += "input    a Gaussian process: put a weighted layer before it\n";
    }
    let mut table = Table::left(["key", "default", ""]);
    for key in &entry.keys {
        table.row([key.name.to_owned(), default(key), key.about.to_owned()]);
    }
    if entry.part != Part::Input {
        for key in COMMON {
            table.row([key.name.to_owned(), default(key), key.about.to_owned()]);
        }
    }
    text + &format!("\n{table}\nExample\n\n{}", entry.example)
}

fn document(entry: &Entry) -> serde_json::Value {
    let keys: Vec<_> = entry
        .keys
        .iter()
        .map(|key| {
            let (required, value) = match key.default {
                Default::Required => (true, None),
                Default::Is(value) => (false, Some(value)),
                Default::Otherwise(_) => (false, None),
            };
            json!({ "key": key.name, "required": required, "default": value, "about": key.about })
        })
        .collect();
    let domains: Vec<_> = entry.domains.iter().map(|[from, to]| json!({ "from": from, "to": to })).collect();
    json!({
        "part": heading(entry.part).to_lowercase(),
        "name": entry.name,
        "summary": entry.summary,
        "keys": keys,
        "domains": domains,
        "needs_gaussian": entry.needs_gaussian,
        "example": entry.example,
    })
}

/// The page of the docs.
fn markdown(entries: &[Entry]) -> String {
    let mut text = String::from(
        "# Architecture files\n\n\
         <!-- `ekernel layers --markdown` writes this page from the code; a test compares them. -->\n\n\
         An architecture is a TOML file: `[input]`, then one `[[layers]]` for each layer, in order. `ekernel layers`\n\
         prints this reference, `ekernel layers NAME` one entry of it, and `ekernel plan FILE` what a network computes.\n\
         An unknown word or key is an error that names the nearest known one.\n\n\
         A layer reads the one above it, or those that `inputs` names. Behind the input and behind activations,\n\
         `flatten` and `dropout` stands a weighted layer (`dense`, `conv`, `lift`, `group_conv`, `s2_conv`, `so3_conv`)\n\
         before the next activation, `layer_norm` or `sum`.\n\n\
         Every layer may have these keys:\n\n",
    );
    text += &key_table(COMMON);
    for part in [Part::Input, Part::Layer, Part::Activation] {
        text += &format!("\n## {}\n", heading(part));
        for entry in entries.iter().filter(|entry| entry.part == part) {
            text += &format!("\n### {}\n\n{}\n\n", entry.name, entry.summary);
            if part != Part::Activation {
                text += &format!("Domain: {}.\n\n", domains(entry).join("; "));
            }
            if !entry.keys.is_empty() {
                text += &key_table(&entry.keys);
                text.push('\n');
            }
            text += &format!("```toml\n{}```\n", entry.example);
        }
    }
    text
}

fn key_table(keys: &[Key]) -> String {
    let rows = keys.iter().map(|key| {
        let default = match key.default {
            Default::Is(value) => format!("`{value}`"),
            _ => default(key),
        };
        format!("| `{}` | {default} | {} |\n", key.name, key.about.replace('|', "\\|"))
    });
    format!("| key | default | what it is |\n| --- | --- | --- |\n{}", rows.collect::<String>())
}
