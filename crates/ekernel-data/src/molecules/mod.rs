//! Molecules: atoms at positions in ångström, with a property to be learned.
//!
//! Read are the .npz layout below, the CSV files of the Python package qm9pack, .xyz files (plain, extended, and
//! QM9's own form), and folders of .xyz files. A [`Source`] names them as `FILE`, `FILE:ROWS` or
//! `FILE:ROWS,PROPERTY`; ROWS is `all`, a range `a..b` (either end may be absent), or in an .npz file the NAME of an
//! array `NAME_idx` of row numbers, such as `train` and `test`.
//!
//! | array of the .npz | shape | meaning |
//! | --- | --- | --- |
//! | `positions` | (n, atoms, 3) | in Å, zero-padded |
//! | `charges` | (n, atoms) | atomic numbers; 0 is padding, at the end of the row |
//! | `n_atoms` | (n,), optional | checked against the charges |
//! | `index` | (n,), optional | a number for each molecule, for messages |
//! | `atomref_Z`, `atomref_U0` | (elements,), optional | energies of isolated atoms |
//! | PROPERTY | (n,) | such as `U0` |

mod check;
mod elements;
mod npz;
mod qm9_csv;
mod references;
mod rows;
mod unit;
mod xyz;

use std::path::Path;

use ekernel_core::{Molecule, Samples};
use ndarray::Array2;

use crate::error::DataError;
use crate::place::Place;
use crate::source::{Source, TargetSource};

pub use check::MoleculeLimits;
pub use elements::{atomic_number, element_symbol};
pub(crate) use elements::{element_label, element_labels};
pub use references::AtomReferences;
use rows::Rows;
pub use unit::Unit;

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

/// QM9's properties in the order of its .xyz files, and the columns of qm9pack's CSV files that hold them.
const QM9_PROPERTIES: [(&str, &str); 15] = [
    ("A", "RotA_GHz"),
    ("B", "RotB_GHz"),
    ("C", "RotC_GHz"),
    ("mu", "Dipole_debye"),
    ("alpha", "Polarizability_bohr3"),
    ("homo", "HOMO_au"),
    ("lumo", "LUMO_au"),
    ("gap", "HOMO_LUMO_gap_au"),
    ("r2", "R2_bohr2"),
    ("zpve", "ZPVE_au"),
    ("U0", "InternalEnergy_0K_au"),
    ("U", "InternalEnergy_298K_au"),
    ("H", "Enthalphy_298K_au"),
    ("G", "GibbsFreeEnergy_298K_au"),
    ("Cv", "Heatcapacity_Cv_cal_mol_K"),
];

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

/// Reads molecules from what a source names; see [the module](self) for the forms.
///
/// # Errors
/// [`DataError`] says which file, line or molecule, what is wrong with it and what would do. Positions and property
/// are finite afterwards; [`Molecules::check`] looks at the chemistry.
pub fn read_molecules(source: &Source) -> Result<Molecules, DataError> {
    let path = &source.path;
    let property = match &source.targets {
        None => None,
        Some(TargetSource::Key(name)) => Some(name.as_str()),
        Some(TargetSource::File(file)) => {
            return Err(DataError::KeyNotUsed {
                path: path.clone(),
                key: file.display().to_string(),
                format: "molecules, which hold their properties",
                remedy: "write FILE:ROWS,PROPERTY, such as qm9.npz:train,U0",
            });
        }
    };
    let rows = Rows::parse(source.inputs.as_deref());
    let metadata = std::fs::metadata(path).map_err(|error| DataError::io(path, "open", error))?;
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let molecules = match extension.as_deref() {
        _ if metadata.is_dir() => xyz::read_folder(path, &rows, property)?,
        Some("npz") => npz::read(path, &rows, property)?,
        Some("csv") => qm9_csv::read(path, &rows, property)?,
        Some("xyz") => xyz::read_file(path, &rows, property)?,
        _ => return Err(unknown_format(path)),
    };
    if molecules.is_empty() {
        return Err(DataError::NoMolecules {
            place: Place { path: path.clone(), key: source.inputs.clone() },
        });
    }
    molecules.check_arrays()?;
    Ok(molecules)
}

fn unknown_format(path: &Path) -> DataError {
    DataError::UnknownFormat {
        path: path.to_owned(),
        hint: "its extension is not known",
        known: "molecules come from .npz, qm9pack's .csv, .xyz files, or a folder of .xyz files",
    }
}

/// A number as QM9 writes it: `1.5`, `-0.`, `2.1e-5`, or Mathematica's `2.1*^-5`.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.split_once("*^") {
        Some((mantissa, exponent)) => format!("{mantissa}e{exponent}").parse().ok(),
        None => text.parse().ok(),
    }
}
