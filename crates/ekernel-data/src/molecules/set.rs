//! A batch of molecules.

use ekernel_core::{Molecule, Samples};
use ndarray::Array2;

use crate::error::DataError;
use crate::molecules::references::AtomReferences;

/// A batch of molecules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Molecules {
    /// A name for each, for messages: `dsgdb9nsd_000001`, `row 3 (index 17)`, `water.xyz#1`.
    pub names: Vec<String>,
    /// Of each molecule an array (atoms, 3), in Å.
    pub positions: Vec<Array2<f64>>,
    /// Of each molecule the atomic numbers of its atoms, in the order of the positions.
    pub charges: Vec<Vec<u8>>,
    /// The property that was asked for.
    pub property: Option<Property>,
    /// Energies of isolated atoms, where the file holds them.
    pub references: Option<AtomReferences>,
}

/// One number per molecule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Property {
    /// The name under which it was asked for.
    pub name: String,
    /// In the unit of the file: QM9's energies are in Hartree.
    pub values: Vec<f64>,
}

impl Molecules {
    /// Number of molecules.
    pub fn len(&self) -> usize {
        self.charges.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.charges.is_empty()
    }

    /// The largest number of atoms in a molecule; 0 if there are no molecules.
    pub fn max_atoms(&self) -> usize {
        self.charges.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// The atomic numbers that occur, ascending.
    pub fn elements(&self) -> Vec<u8> {
        let mut elements: Vec<u8> = self.charges.iter().flatten().copied().collect();
        elements.sort_unstable();
        elements.dedup();
        elements
    }

    /// What a network reads: charges and positions, from which it makes signals on the sphere around each atom.
    pub fn samples(&self) -> Samples {
        let molecule = |(charges, positions): (&Vec<u8>, &Array2<f64>)| Molecule {
            charges: charges.clone(),
            positions: positions.clone(),
        };
        Samples::Molecules(self.charges.iter().zip(&self.positions).map(molecule).collect())
    }

    /// How many atoms of each of `elements` a molecule has, shape (n, elements).
    pub fn counts(&self, elements: &[u8]) -> Array2<f64> {
        Array2::from_shape_fn((self.len(), elements.len()), |(molecule, element)| {
            let of = |charge: &&u8| **charge == elements[element];
            self.charges[molecule].iter().filter(of).count() as f64
        })
    }

    /// The molecules at `indices`, in that order.
    ///
    /// # Panics
    /// If an index is not below [`Molecules::len`].
    pub fn select(&self, indices: &[usize]) -> Molecules {
        let property = self.property.as_ref().map(|property| Property {
            name: property.name.clone(),
            values: indices.iter().map(|&index| property.values[index]).collect(),
        });
        Molecules {
            names: indices.iter().map(|&index| self.names[index].clone()).collect(),
            positions: indices.iter().map(|&index| self.positions[index].clone()).collect(),
            charges: indices.iter().map(|&index| self.charges[index].clone()).collect(),
            property,
            references: self.references.clone(),
        }
    }

    /// Atomisation energies, E − Σ_atoms E_ref(Z): the property minus the energies of the isolated atoms, in the
    /// unit of both (for QM9's `U0` and [`AtomReferences::qm9_u0`] Hartree; negative means bound).
    ///
    /// # Errors
    /// [`DataError::NoProperty`], [`DataError::UnknownElement`].
    pub fn atomization(&self, references: &AtomReferences) -> Result<Vec<f64>, DataError> {
        let property = self.property.as_ref().ok_or(DataError::NoProperty)?;
        let mut energies = Vec::with_capacity(self.len());
        for (molecule, (&energy, charges)) in property.values.iter().zip(&self.charges).enumerate() {
            let mut isolated = 0.0;
            for (atom, &element) in charges.iter().enumerate() {
                isolated += references.energy(element).ok_or_else(|| DataError::UnknownElement {
                    molecule: self.names[molecule].clone(),
                    atom,
                    element,
                    known: references.elements(),
                })?;
            }
            energies.push(energy - isolated);
        }
        Ok(energies)
    }
}
