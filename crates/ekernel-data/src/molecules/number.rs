//! Numbers in text files.

/// A number as QM9 writes it: `1.5`, `-0.`, `2.1e-5`, or Mathematica's `2.1*^-5`.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.split_once("*^") {
        Some((mantissa, exponent)) => format!("{mantissa}e{exponent}").parse().ok(),
        None => text.parse().ok(),
    }
}
