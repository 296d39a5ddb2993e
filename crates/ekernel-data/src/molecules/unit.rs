//! Units of the properties of molecules.

use std::fmt;

/// The unit a property is stored in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// QM9's energies.
    Hartree,
    /// Electronvolt.
    ElectronVolt,
    /// Kilocalories per mole.
    KcalPerMol,
    /// Anything else: reported as it is stored.
    AsStored,
}

/// CODATA 2018: the Hartree energy in meV.
const HARTREE: f64 = 27_211.386_245_988;
/// 4184 J over Avogadro's number and the elementary charge, in meV.
const KCAL_PER_MOL: f64 = 43.364_104_241;

impl Unit {
    /// The unit of a property of QM9, by its name in [`Molecules`](crate::Molecules) or its column in qm9pack's CSV files:
    /// energies are in Hartree, other names in a unit that is not known here.
    ///
    /// ```
    /// use ekernel_data::molecules::Unit;
    ///
    /// assert_eq!(Unit::of_property("U0"), Unit::Hartree);
    /// assert_eq!(Unit::of_property("InternalEnergy_0K_au"), Unit::Hartree);
    /// assert_eq!(Unit::of_property("alpha"), Unit::AsStored);
    /// ```
    pub fn of_property(name: &str) -> Unit {
        const ENERGIES: [&str; 8] = ["U0", "U", "H", "G", "homo", "lumo", "gap", "zpve"];
        let name = name.strip_suffix("_atomization").unwrap_or(name);
        if ENERGIES.contains(&name) || name.ends_with("_au") { Unit::Hartree } else { Unit::AsStored }
    }

    /// How many meV one of it is; absent for what is no energy.
    pub fn milli_electron_volts(self) -> Option<f64> {
        match self {
            Unit::Hartree => Some(HARTREE),
            Unit::ElectronVolt => Some(1000.0),
            Unit::KcalPerMol => Some(KCAL_PER_MOL),
            Unit::AsStored => None,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unit::Hartree => "Hartree",
            Unit::ElectronVolt => "eV",
            Unit::KcalPerMol => "kcal/mol",
            Unit::AsStored => "as stored",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_agree_with_each_other() {
        // 1 Hartree = 627.509474 kcal/mol.
        let ratio = HARTREE / KCAL_PER_MOL;
        assert!((ratio - 627.509_474).abs() < 1e-5, "{ratio}");
        assert_eq!(Unit::AsStored.milli_electron_volts(), None);
    }

    #[test]
    fn names() {
        for (name, unit) in [
            ("U0", Unit::Hartree),
            ("U0_atomization", Unit::Hartree),
            ("HOMO_LUMO_gap_au", Unit::Hartree),
            ("mu", Unit::AsStored),
            ("energy", Unit::AsStored),
            ("Cv", Unit::AsStored),
        ] {
            assert_eq!(Unit::of_property(name), unit, "{name}");
        }
    }
}
