//! Numbers in text files.

/// A number as programs write it: `1.5`, `-0.`, `2.1e-5`, Mathematica's `2.1*^-5`, or Fortran's `2.1D-05`.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.split_once("*^").or_else(|| text.split_once(['d', 'D'])) {
        Some((mantissa, exponent)) => format!("{mantissa}e{exponent}").parse().ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn programs_write_exponents_in_their_own_ways() {
        for text in ["2.5e-3", "2.5E-03", "2.5*^-3", "2.5D-03", "2.5d-3", " 0.0025 "] {
            assert_eq!(number(text), Some(0.0025), "{text}");
        }
        for text in ["", "1.0D", "D", "abc", "1.0D-03D"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
