//! Whether molecules can be what they claim to be.

use crate::error::DataError;
use crate::molecules::{Molecules, element_symbol};

/// Why a crystal is refused, and what would do where it is none.
pub(super) fn crystal(what: &str, remedy: &str) -> String {
    format!(
        "{what}, and only isolated molecules are read: atoms would not see their neighbours in the next cell; if the atoms \
         are isolated, {remedy}"
    )
}

/// What [`Molecules::check`] accepts.
#[derive(Clone, Debug, PartialEq)]
pub struct MoleculeLimits {
    /// The smallest distance between two atoms, in Å. The default is 0.3: the shortest bond, H-H, is 0.74 Å long, and
    /// positions in other units are found out by it.
    pub min_distance: f64,
    /// The atomic numbers that may occur; every element if absent.
    pub elements: Option<Vec<u8>>,
    /// The largest number of atoms.
    pub max_atoms: Option<usize>,
    /// Lists of atomic numbers: a molecule has an atom of each list.
    pub centers: Vec<Vec<u8>>,
}

impl Default for MoleculeLimits {
    fn default() -> MoleculeLimits {
        MoleculeLimits { min_distance: 0.3, elements: None, max_atoms: None, centers: Vec::new() }
    }
}

impl Molecules {
    /// Checks that each molecule has at least two atoms, none too close to another, only listed elements, a center, and not
    /// too many atoms.
    ///
    /// # Errors
    /// [`DataError::SingleAtom`], [`DataError::AtomsTooClose`], [`DataError::UnknownElement`], [`DataError::NoCenter`],
    /// [`DataError::TooManyAtoms`], and those of the arrays: [`DataError::Molecule`],
    /// [`DataError::PositionNotFinite`], [`DataError::PropertyNotFinite`].
    pub fn check(&self, limits: &MoleculeLimits) -> Result<(), DataError> {
        self.check_arrays()?;
        for (index, (positions, charges)) in self.positions.iter().zip(&self.charges).enumerate() {
            let molecule = || self.names[index].clone();
            let atoms = charges.len();
            if atoms == 1 {
                return Err(DataError::SingleAtom { molecule: molecule() });
            }
            if let Some(limit) = limits.max_atoms
                && atoms > limit
            {
                return Err(DataError::TooManyAtoms { molecule: molecule(), atoms, limit });
            }
            if let Some(known) = &limits.elements
                && let Some(atom) = charges.iter().position(|element| !known.contains(element))
            {
                let (element, known) = (charges[atom], known.clone());
                return Err(DataError::UnknownElement { molecule: molecule(), atom, element, known });
            }
            let seen = |centers: &Vec<u8>| charges.iter().any(|element| centers.contains(element));
            if let Some(centers) = limits.centers.iter().find(|centers| !seen(centers)) {
                return Err(DataError::NoCenter { molecule: molecule(), centers: centers.clone() });
            }
            for first in 0..atoms {
                for second in first + 1..atoms {
                    let square: f64 =
                        (0..3).map(|k| (positions[[first, k]] - positions[[second, k]]).powi(2)).sum();
                    let (distance, limit) = (square.sqrt(), limits.min_distance);
                    if distance < limit {
                        return Err(DataError::AtomsTooClose {
                            molecule: molecule(),
                            first,
                            second,
                            distance,
                            limit,
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// Checks that the arrays fit together and hold numbers and elements.
    pub(crate) fn check_arrays(&self) -> Result<(), DataError> {
        let n = self.len();
        let n_values = self.property.as_ref().map_or(n, |property| property.values.len());
        if self.names.len() != n || self.positions.len() != n || n_values != n {
            let reason = format!(
                "{n} lists of charges, {} positions, {} names and {n_values} values of the property",
                self.positions.len(),
                self.names.len()
            );
            return Err(DataError::Molecule { molecule: "batch".to_owned(), reason });
        }
        for (index, (positions, charges)) in self.positions.iter().zip(&self.charges).enumerate() {
            let fault =
                |reason: String| Err(DataError::Molecule { molecule: self.names[index].clone(), reason });
            if charges.is_empty() {
                return fault("it has no atoms".to_owned());
            }
            if positions.dim() != (charges.len(), 3) {
                return fault(format!(
                    "{} charges but positions of shape {:?}",
                    charges.len(),
                    positions.shape()
                ));
            }
            if let Some(&charge) = charges.iter().find(|&&charge| element_symbol(charge).is_none()) {
                return fault(format!("{charge} is no atomic number; they go from 1 to 118"));
            }
            if let Some(((atom, axis), &value)) =
                positions.indexed_iter().find(|(_, value)| !value.is_finite())
            {
                let (molecule, axis) = (self.names[index].clone(), ['x', 'y', 'z'][axis]);
                return Err(DataError::PositionNotFinite { molecule, atom, axis, value });
            }
            if let Some(property) = &self.property
                && !property.values[index].is_finite()
            {
                let (molecule, value) = (self.names[index].clone(), property.values[index]);
                return Err(DataError::PropertyNotFinite {
                    molecule,
                    property: property.name.clone(),
                    value,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::molecules::{AtomReferences, Property};

    fn water() -> Molecules {
        Molecules {
            names: vec!["water".to_owned()],
            positions: vec![array![[0.0, 0.0, 0.1173], [0.0, 0.7572, -0.4692], [0.0, -0.7572, -0.4692]]],
            charges: vec![vec![8, 1, 1]],
            property: Some(Property { name: "U0".to_owned(), values: vec![-76.404702] }),
            references: None,
        }
    }

    #[test]
    fn water_is_a_molecule() {
        water().check(&MoleculeLimits { elements: Some(vec![1, 8]), ..MoleculeLimits::default() }).unwrap();
        let energy = water().atomization(&AtomReferences::qm9_u0()).unwrap()[0];
        assert!((energy - (-76.404702 + 75.064579 + 2.0 * 0.500273)).abs() < 1e-12);
    }

    #[test]
    fn faults() {
        let fault = |change: &dyn Fn(&mut Molecules)| {
            let mut molecules = water();
            change(&mut molecules);
            molecules.check(&MoleculeLimits::default()).unwrap_err().to_string()
        };
        let close = fault(&|m| m.positions[0][[2, 1]] = 0.7);
        assert!(close.contains("atoms 1 and 2 are 0.0572 Å apart"), "{close}");
        let nan = fault(&|m| m.positions[0][[1, 2]] = f64::NAN);
        assert!(nan.contains("atom 1 has the coordinate NaN (z)"), "{nan}");
        assert!(fault(&|m| m.property.as_mut().unwrap().values[0] = f64::INFINITY).contains("its U0 is inf"));
        assert!(fault(&|m| m.charges[0][0] = 0).contains("0 is no atomic number"));
        assert!(fault(&|m| m.charges[0].truncate(2)).contains("2 charges but positions of shape [3, 3]"));
        assert!(fault(&|m| m.names.clear()).contains("0 names"));
        let alone = fault(&|m| {
            m.charges[0].truncate(1);
            m.positions[0] = array![[0.0, 0.0, 0.0]];
        });
        assert!(alone.contains("single atom"), "{alone}");

        let limited = |limits| water().check(&limits).unwrap_err().to_string();
        let unknown = limited(MoleculeLimits { elements: Some(vec![1, 6]), ..MoleculeLimits::default() });
        assert!(unknown.contains("atom 0 is O (8), but the elements listed are H (1), C (6)"), "{unknown}");
        let centers = vec![vec![1, 8], vec![6, 7]];
        let alone = limited(MoleculeLimits { centers, ..MoleculeLimits::default() });
        assert!(alone.contains("no atom of the centers C (6), N (7)"), "{alone}");
        let many = limited(MoleculeLimits { max_atoms: Some(2), ..MoleculeLimits::default() });
        assert!(many.contains("has 3 atoms; at most 2"), "{many}");
        let unreferenced = water().atomization(&AtomReferences::new([(8, -75.0)])).unwrap_err();
        assert!(matches!(unreferenced, DataError::UnknownElement { atom: 1, element: 1, .. }));
        let without = Molecules { property: None, ..water() };
        assert!(matches!(without.atomization(&AtomReferences::qm9_u0()), Err(DataError::NoProperty)));
    }
}
