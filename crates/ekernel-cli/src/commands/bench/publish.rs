//! Where the result goes.

use std::{io::Write, path::PathBuf};

use ekernel_data::write_atomically;

use crate::output;

/// The form of the JSON document.
pub(super) const FORMAT: u32 = 1;

/// Prints the text, and writes the document where it is wanted.
pub(super) fn publish(
    json: Option<&Option<PathBuf>>,
    text: &str,
    document: &serde_json::Value,
) -> anyhow::Result<()> {
    match json {
        None => output::print(text),
        Some(None) => output::print_json(document),
        Some(Some(path)) => {
            let json = serde_json::to_string_pretty(document)?;
            write_atomically(path, |file| writeln!(file, "{json}"))?;
            output::print(text)
        }
    }
}
