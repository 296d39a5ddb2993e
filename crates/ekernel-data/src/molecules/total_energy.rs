//! Which unit a total energy looks like.

use crate::molecules::{AtomReferences, Molecules, Unit};

/// What the size of total energies says about their unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EnergyScale {
    /// They are near the sums of the energies of the atoms in this unit.
    Near(Unit),
    /// They are far from those sums in every unit: the median of energy over sum, in Hartree.
    Far(f64),
}

/// How far the energy of a molecule may be from the sum of its atoms: bonds are a hundredth of it, methods differ less.
const NEAR: std::ops::Range<f64> = 0.9..1.1;

impl Molecules {
    /// Compares a property that is a total energy by its name (U0, U, H, G) with the sums of the energies of the atoms; nothing
    /// for other properties, and for molecules of other elements than H, C, N, O and F alone.
    pub fn energy_scale(&self) -> Option<EnergyScale> {
        const TOTAL: [&str; 8] = [
            "U0",
            "U",
            "H",
            "G",
            "InternalEnergy_0K_au",
            "InternalEnergy_298K_au",
            "Enthalphy_298K_au",
            "GibbsFreeEnergy_298K_au",
        ];
        let property = self.property.as_ref().filter(|property| TOTAL.contains(&property.name.as_str()))?;
        let atoms = AtomReferences::qm9_u0();
        let sum =
            |charges: &Vec<u8>| charges.iter().map(|&element| atoms.energy(element)).sum::<Option<f64>>();
        let mut ratios: Vec<f64> = property
            .values
            .iter()
            .zip(&self.charges)
            .filter_map(|(energy, charges)| Some(energy / sum(charges)?))
            .collect();
        ratios.sort_unstable_by(f64::total_cmp);
        let ratio = *ratios.get(ratios.len() / 2)?;
        let units = [Unit::Hartree, Unit::ElectronVolt, Unit::KcalPerMol];
        let near = units.into_iter().find(|unit| {
            let (hartree, unit) = (Unit::Hartree.milli_electron_volts(), unit.milli_electron_volts());
            hartree.zip(unit).is_some_and(|(hartree, unit)| NEAR.contains(&(ratio * unit / hartree)))
        });
        Some(near.map_or(EnergyScale::Far(ratio), EnergyScale::Near))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::molecules::Property;

    /// Methane and water with energies in a unit of which a Hartree has `factor`.
    fn molecules(name: &str, factor: f64) -> Molecules {
        let charges = vec![vec![6, 1, 1, 1, 1], vec![8, 1, 1], vec![15]];
        Molecules {
            names: vec!["methane".to_owned(), "water".to_owned(), "phosphorus".to_owned()],
            positions: charges.iter().map(|z| Array2::zeros((z.len(), 3))).collect(),
            charges,
            property: Some(Property {
                name: name.to_owned(),
                values: vec![-40.48 * factor, -76.4 * factor, -341.0 * factor],
            }),
            references: None,
        }
    }

    #[test]
    fn the_unit_is_seen_by_the_size() {
        for (factor, unit) in
            [(1.0, Unit::Hartree), (27.2114, Unit::ElectronVolt), (627.509, Unit::KcalPerMol)]
        {
            assert_eq!(molecules("U0", factor).energy_scale(), Some(EnergyScale::Near(unit)));
            assert_eq!(molecules("gap", factor).energy_scale(), None);
        }
        assert!(matches!(molecules("G", -0.01).energy_scale(), Some(EnergyScale::Far(_))));
    }

    #[test]
    fn unknown_elements_say_nothing() {
        let phosphorus = molecules("U0", 1.0).select(&[2]);
        assert_eq!(phosphorus.energy_scale(), None);
    }
}
