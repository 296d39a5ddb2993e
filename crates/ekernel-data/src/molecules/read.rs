//! Molecules from whatever a [`Source`] names.

use std::path::Path;

use crate::error::DataError;
use crate::molecules::{Molecules, npz, qm9_csv, xyz};
use crate::place::Place;
use crate::rows::Rows;
use crate::source::{Source, TargetSource};

/// Reads molecules from what a source names; see [`molecules`](crate::molecules) for the forms.
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
        Some("xyz" | "extxyz") => xyz::read_file(path, &rows, property)?,
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
