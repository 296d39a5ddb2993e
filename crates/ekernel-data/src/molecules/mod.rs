//! Molecules: atoms at positions in ångström, with a property to be learned.
//!
//! Read are the .npz layout below, the CSV files of the Python package qm9pack, .xyz files (plain, extended, and
//! QM9's own form), and folders of .xyz files. A [`Source`](crate::Source) names them as `FILE`, `FILE:ROWS` or
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
mod properties;
mod qm9_csv;
mod read;
mod references;
mod set;
mod total_energy;
mod unit;
mod xyz;

pub use check::MoleculeLimits;
pub use elements::{atomic_number, element_symbol};
pub(crate) use elements::{element_label, element_labels};
pub use read::read_molecules;
pub use references::AtomReferences;
pub use set::{Molecules, Property};
pub use total_energy::EnergyScale;
pub use unit::Unit;
