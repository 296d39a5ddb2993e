//! Symbols of the elements.

const SYMBOLS: [&str; 118] = [
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar", "K",
    "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr",
    "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe",
    "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu",
    "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra",
    "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md", "No", "Lr", "Rf", "Db",
    "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og",
];

/// The symbol of an element, from its atomic number 1..=118.
pub fn element_symbol(atomic_number: u8) -> Option<&'static str> {
    SYMBOLS.get(usize::from(atomic_number).checked_sub(1)?).copied()
}

/// The atomic number of an element, from its symbol in any case, or from the number itself (`C`, `cl`, `6`); D and T are
/// hydrogen.
pub fn atomic_number(text: &str) -> Option<u8> {
    if matches!(text, "D" | "d" | "T" | "t") {
        return Some(1);
    }
    let position = SYMBOLS.iter().position(|symbol| symbol.eq_ignore_ascii_case(text));
    match position {
        Some(position) => u8::try_from(position + 1).ok(),
        None => text.parse().ok().filter(|&number| element_symbol(number).is_some()),
    }
}

/// `F (9)`.
pub(crate) fn element_label(atomic_number: u8) -> String {
    format!("{} ({atomic_number})", element_symbol(atomic_number).unwrap_or("no element"))
}

/// `H (1), C (6)`.
pub(crate) fn element_labels(atomic_numbers: &[u8]) -> String {
    atomic_numbers.iter().map(|&number| element_label(number)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_numbers() {
        for (number, symbol) in [(1, "H"), (6, "C"), (9, "F"), (17, "Cl"), (53, "I"), (79, "Au"), (118, "Og")]
        {
            assert_eq!(element_symbol(number), Some(symbol));
            assert_eq!(atomic_number(symbol), Some(number));
            assert_eq!(atomic_number(&symbol.to_uppercase()), Some(number));
            assert_eq!(atomic_number(&number.to_string()), Some(number));
        }
        assert_eq!(element_symbol(0), None);
        assert_eq!(element_symbol(119), None);
        for text in ["", "Xx", "0", "119", "-1", "1.0"] {
            assert_eq!(atomic_number(text), None, "{text}");
        }
    }
}
