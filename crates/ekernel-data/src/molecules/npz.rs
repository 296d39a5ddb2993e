//! Molecules from an .npz file of padded arrays.

use std::path::Path;

use ndarray::{ArrayD, Axis, Ix1, Ix2, Ix3, s};

use crate::error::DataError;
use crate::molecules::{AtomReferences, Molecules, Property};
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
    let charges = arrays.integers("charges")?.into_dimensionality::<Ix2>().map_err(|_| {
        arrays.shape("charges", "charges are atomic numbers (molecules, atoms), 0 for padding")
    })?;
    let n = charges.nrows();
    let rows = arrays.rows(rows, n)?;
    let positions = arrays.floats("positions")?;
    let atoms = charges.ncols();
    let positions = match positions.into_dimensionality::<Ix3>() {
        Ok(positions) if positions.dim() == (n, atoms, 3) => positions,
        _ => {
            return Err(
                arrays.shape("positions", "positions are (molecules, atoms, 3) in Å, as many as charges")
            );
        }
    };
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

impl Arrays<'_> {
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
