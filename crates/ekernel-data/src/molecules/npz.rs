//! Molecules from an .npz file of padded arrays.

use std::path::Path;

use ndarray::{Array2, Array3, ArrayD, Axis, Ix1, Ix2, Ix3, s};

use crate::error::DataError;
use crate::molecules::{AtomReferences, Molecules, Property, check::crystal};
use crate::npy::NpyArray;
use crate::npz::NpzFile;
use crate::place::{Place, nearest_first};
use crate::rows::Rows;

/// A file of which one array after the other is read and checked.
struct Arrays<'a> {
    file: NpzFile,
    path: &'a Path,
}

pub(crate) fn read(path: &Path, rows: &Rows, property: Option<&str>) -> Result<Molecules, DataError> {
    let mut arrays = Arrays { file: NpzFile::open(path)?, path };
    // Small arrays first: a wrong name should not cost a long read.
    let property = match property {
        Some(name) => Some((name, arrays.floats(name)?)),
        None => None,
    };
    arrays.ensure_isolated()?;
    let (charges, positions) = arrays.atoms()?;
    let n = charges.nrows();
    let rows = arrays.rows(rows, n)?;
    let property = match property {
        Some((name, values)) => Some((name, arrays.column(values, name, n)?)),
        None => None,
    };
    let counts = arrays.optional_integers("n_atoms", n)?;
    let indices = arrays.optional_integers("index", n)?;

    let mut molecules = Molecules { references: arrays.references()?, ..Molecules::default() };
    for &row in &rows {
        let name = match &indices {
            Some(indices) => format!("row {row} (index {})", indices[row]),
            None => format!("row {row}"),
        };
        let padded = charges.row(row);
        let count = padded.iter().take_while(|&&charge| charge != 0).count();
        let fault = |reason: String| DataError::Molecule { molecule: name.clone(), reason };
        if let Some(atom) = padded.iter().skip(count).position(|&charge| charge != 0) {
            return Err(fault(format!(
                "the charge of atom {count} is 0 (padding), but atom {} is one",
                count + atom
            )));
        }
        if let Some(counts) = &counts
            && usize::try_from(counts[row]).ok() != Some(count)
        {
            return Err(fault(format!("n_atoms says {}, but {count} charges are not 0", counts[row])));
        }
        let atoms: Option<Vec<u8>> =
            padded.iter().take(count).map(|&charge| u8::try_from(charge).ok()).collect();
        let atoms = atoms.ok_or_else(|| fault(format!("{padded} are not all atomic numbers (1 to 118)")))?;
        molecules.positions.push(positions.slice(s![row, ..count, ..]).to_owned());
        molecules.charges.push(atoms);
        molecules.names.push(name);
    }
    molecules.property = property.map(|(name, values)| Property {
        name: name.to_owned(),
        values: rows.iter().map(|&row| values[row]).collect(),
    });
    Ok(molecules)
}

/// What the arrays of atoms are called, here and in the files of MD17, rMD17 and DimeNet.
const CHARGES: [&str; 4] = ["charges", "nuclear_charges", "z", "Z"];
const POSITIONS: [&str; 3] = ["positions", "coords", "R"];

/// What the vectors of a crystal's cell are called.
const CELLS: [&str; 6] = ["cell", "cells", "lattice", "lattices", "Lattice", "box"];

fn any_not_zero(array: &NpyArray) -> bool {
    match array {
        NpyArray::Floats(values) => values.iter().any(|value| *value != 0.0),
        NpyArray::Integers(values) => values.iter().any(|value| *value != 0),
        NpyArray::Bytes(values) => values.iter().any(|value| *value != 0),
        NpyArray::Bools(values) => values.iter().any(|value| *value),
        NpyArray::Texts(_) => false,
    }
}

impl Arrays<'_> {
    /// Refuses crystals: `pbc` that is true along an axis, or a cell that is not 0 without `pbc`.
    fn ensure_isolated(&mut self) -> Result<(), DataError> {
        let crystal = |name: &str, remedy| {
            let reason = crystal(&format!("its array {name} makes it a crystal"), remedy);
            Err(DataError::Molecule { molecule: format!("of {}", self.path.display()), reason })
        };
        if self.file.contains("pbc") {
            if any_not_zero(&self.file.read("pbc")?) {
                return crystal("pbc", "save pbc as False");
            }
            return Ok(());
        }
        for name in CELLS {
            if self.file.contains(name) && any_not_zero(&self.file.read(name)?) {
                return crystal(name, "leave that array out, or save pbc as False beside it");
            }
        }
        Ok(())
    }

    /// The first of these names that the file holds, else the first of them.
    fn called(&self, names: &[&'static str]) -> &'static str {
        names.iter().find(|name| self.file.contains(name)).unwrap_or(&names[0])
    }

    /// Atomic numbers (molecules, atoms) and positions (molecules, atoms, 3), padded with 0.
    ///
    /// The files hold them so, or one row of atomic numbers for frames of one molecule, or all atoms behind each other with
    /// the number of each molecule in N.
    fn atoms(&mut self) -> Result<(Array2<i64>, Array3<f64>), DataError> {
        const WANTED: &str = "charges are atomic numbers (molecules, atoms), 0 for padding, or (atoms,) for frames of one molecule";
        let [charges_key, positions_key] = [self.called(&CHARGES), self.called(&POSITIONS)];
        let charges = self.integers(charges_key)?;
        let positions = self.floats(positions_key)?;
        let wrong = |arrays: &mut Self| {
            let wanted = "positions are (molecules, atoms, 3) in Å, as many as charges";
            arrays.shape(positions_key, wanted)
        };
        match (charges.ndim(), positions.ndim()) {
            (2, 3) if [charges.shape(), &[3]].concat() == positions.shape() => {
                let charges =
                    charges.into_dimensionality::<Ix2>().map_err(|_| self.shape(charges_key, WANTED))?;
                let positions = positions.into_dimensionality::<Ix3>().map_err(|_| wrong(self))?;
                Ok((charges, positions))
            }
            (2, _) => Err(wrong(self)),
            (1, 3) if positions.shape()[1..] == [charges.len(), 3] => {
                let positions = positions.into_dimensionality::<Ix3>().map_err(|_| wrong(self))?;
                let frames = positions.dim().0;
                let row: Vec<i64> = charges.iter().copied().collect();
                Ok((Array2::from_shape_fn((frames, row.len()), |(_, atom)| row[atom]), positions))
            }
            (1, 2) if self.file.contains("N") && positions.shape() == [charges.len(), 3] => {
                let counts = self.integers("N")?;
                let counts: Option<Vec<usize>> = counts.iter().map(|&n| usize::try_from(n).ok()).collect();
                let counts = counts.filter(|counts| counts.iter().sum::<usize>() == charges.len());
                let wanted = "N are the numbers of atoms of the molecules, whose sum is that of all atoms";
                let counts = counts.ok_or_else(|| self.shape("N", wanted))?;
                let atoms = counts.iter().copied().max().unwrap_or(0);
                let mut padded = Array2::zeros((counts.len(), atoms));
                let mut placed = Array3::zeros((counts.len(), atoms, 3));
                let mut from = 0;
                for (molecule, &count) in counts.iter().enumerate() {
                    for atom in 0..count {
                        padded[(molecule, atom)] = charges[[from + atom]];
                        for axis in 0..3 {
                            placed[(molecule, atom, axis)] = positions[[from + atom, axis]];
                        }
                    }
                    from += count;
                }
                Ok((padded, placed))
            }
            (1, 3) => Err(wrong(self)),
            _ => Err(self.shape(charges_key, WANTED)),
        }
    }

    fn place(&self, key: &str) -> Place {
        Place::entry(self.path, key)
    }

    fn shape(&mut self, key: &str, wanted: &'static str) -> DataError {
        match self.file.read(key) {
            Ok(array) => DataError::Shape { place: self.place(key), shape: array.shape().to_vec(), wanted },
            Err(error) => error,
        }
    }

    fn floats(&mut self, key: &str) -> Result<ArrayD<f64>, DataError> {
        match self.file.read(key)? {
            NpyArray::Floats(values) => Ok(values),
            NpyArray::Integers(values) => Ok(values.mapv(|value| value as f64)),
            other => Err(self.dtype(key, &other, "floats are expected here")),
        }
    }

    fn integers(&mut self, key: &str) -> Result<ArrayD<i64>, DataError> {
        match self.file.read(key)? {
            NpyArray::Integers(values) => Ok(values),
            NpyArray::Bytes(values) => Ok(values.mapv(i64::from)),
            other => Err(self.dtype(key, &other, "integers are expected here")),
        }
    }

    fn dtype(&self, key: &str, array: &NpyArray, wanted: &'static str) -> DataError {
        DataError::Dtype { place: self.place(key), dtype: array.dtype().to_owned(), wanted }
    }

    /// One value per molecule, (n,) or (n, 1).
    fn column<T>(&self, values: ArrayD<T>, key: &str, n: usize) -> Result<Vec<T>, DataError> {
        let shape = values.shape().to_vec();
        let values = match shape[..] {
            [_, 1] => values.index_axis_move(Axis(1), 0),
            _ => values,
        };
        match values.into_dimensionality::<Ix1>() {
            Ok(values) if values.len() == n => Ok(values.into_iter().collect()),
            _ => {
                let wanted = "one value per molecule is expected, shape (n,)";
                Err(DataError::Shape { place: self.place(key), shape, wanted })
            }
        }
    }

    fn optional_integers(&mut self, key: &str, n: usize) -> Result<Option<Vec<i64>>, DataError> {
        if !self.file.contains(key) {
            return Ok(None);
        }
        let values = self.integers(key)?;
        self.column(values, key, n).map(Some)
    }

    fn rows(&mut self, rows: &Rows, n: usize) -> Result<Vec<usize>, DataError> {
        rows.within(n, self.path)?;
        let Rows::Named(name) = rows else {
            return Ok((0..n).filter(|&row| rows.contains(row as u64)).collect());
        };
        let key = format!("{name}_idx");
        if !self.file.contains(&key) {
            let keys = self.file.keys();
            let named = keys.iter().filter_map(|key| key.strip_suffix("_idx")).map(str::to_owned).collect();
            let mut names = nearest_first(name, named);
            names.push("all".to_owned());
            names.push("ranges a..b".to_owned());
            return Err(DataError::UnknownProperty {
                path: self.path.to_owned(),
                what: "set of rows",
                name: name.clone(),
                names,
            });
        }
        let indices = self.integers(&key)?;
        let found = |row: i64| {
            usize::try_from(row).ok().filter(|&row| row < n).ok_or_else(|| DataError::Damaged {
                place: self.place(&key),
                format: "a list of rows",
                reason: format!("it holds {row}, and there are {n} molecules"),
            })
        };
        indices.iter().map(|&row| found(row)).collect()
    }

    fn references(&mut self) -> Result<Option<AtomReferences>, DataError> {
        const ELEMENTS: &str = "atomref_Z";
        const ENERGIES: &str = "atomref_U0";
        if !self.file.contains(ELEMENTS) || !self.file.contains(ENERGIES) {
            return Ok(None);
        }
        let elements = self.integers(ELEMENTS)?;
        let energies = self.floats(ENERGIES)?;
        let energies = self.column(energies, ENERGIES, elements.len())?;
        let mut pairs = Vec::new();
        for (&element, &energy) in elements.iter().zip(&energies) {
            match u8::try_from(element) {
                Ok(element) if energy.is_finite() => pairs.push((element, energy)),
                _ => {
                    return Err(DataError::Damaged {
                        place: self.place(ENERGIES),
                        format: "a list of atom energies",
                        reason: format!("the energy of element {element} is {energy}"),
                    });
                }
            }
        }
        Ok(Some(AtomReferences::new(pairs)))
    }
}
