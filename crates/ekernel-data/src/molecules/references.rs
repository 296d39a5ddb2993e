//! Energies of isolated atoms, which turn total energies into atomisation energies.

/// One energy per element.
#[derive(Clone, Debug, PartialEq)]
pub struct AtomReferences {
    /// (atomic number, energy), ascending.
    energies: Vec<(u8, f64)>,
}

impl AtomReferences {
    /// References from (atomic number, energy); of two for one element the last counts.
    pub fn new(energies: impl IntoIterator<Item = (u8, f64)>) -> AtomReferences {
        let sorted: std::collections::BTreeMap<u8, f64> = energies.into_iter().collect();
        AtomReferences { energies: sorted.into_iter().collect() }
    }

    /// QM9's energies at 0 K of H, C, N, O and F in Hartree, B3LYP/6-31G(2df,p): the column U0 of the file
    /// `atomref.txt` of Ramakrishnan et al. 2014, doi:10.1038/sdata.2014.22.
    pub fn qm9_u0() -> AtomReferences {
        AtomReferences::new([
            (1, -0.500273),
            (6, -37.846772),
            (7, -54.583861),
            (8, -75.064579),
            (9, -99.718730),
        ])
    }

    /// The energy of an isolated atom.
    pub fn energy(&self, atomic_number: u8) -> Option<f64> {
        let index = self.energies.binary_search_by_key(&atomic_number, |(element, _)| *element).ok()?;
        Some(self.energies[index].1)
    }

    /// The atomic numbers with an energy, ascending.
    pub fn elements(&self) -> Vec<u8> {
        self.energies.iter().map(|(element, _)| *element).collect()
    }
}
