//! The CSV files of the Python package qm9pack: one molecule per row, with lists in Python's notation.

use std::fs::File;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};
use ndarray::Array2;

use crate::error::DataError;
use crate::molecules::{Molecules, Property, atomic_number, properties::QM9_PROPERTIES};
use crate::number::number;
use crate::place::{Place, nearest_first};
use crate::rows::{MOLECULES, Rows};

pub(crate) fn read(path: &Path, rows: &Rows, property: Option<&str>) -> Result<Molecules, DataError> {
    rows.without_names(path, "a CSV file", MOLECULES)?;
    let file = File::open(path).map_err(|source| DataError::io(path, "open", source))?;
    let mut reader = ReaderBuilder::new().from_reader(file);
    let headers = reader.headers().map_err(|error| damaged(path, &error))?.clone();
    let columns = Columns::of(&headers, path, property)?;
    let mut molecules = Molecules {
        property: property.map(|name| Property { name: name.to_owned(), values: Vec::new() }),
        ..Molecules::default()
    };
    let mut record = StringRecord::new();
    let mut row = 0;
    while !rows.end_before(row as u64)
        && reader.read_record(&mut record).map_err(|error| damaged(path, &error))?
    {
        if rows.contains(row as u64) {
            let line = record.position().expect("a reader sets the position of its records").line();
            let fault = |reason| DataError::CsvRow { path: path.to_owned(), row, line, reason };
            columns.append(&record, row, &mut molecules).map_err(fault)?;
        }
        row += 1;
    }
    rows.within(row, path)?;
    Ok(molecules)
}

/// Where the needed columns stand.
struct Columns {
    elements: usize,
    positions: usize,
    name: Option<usize>,
    atoms: Option<usize>,
    property: Option<usize>,
}

impl Columns {
    fn of(headers: &StringRecord, path: &Path, property: Option<&str>) -> Result<Columns, DataError> {
        let find = |name: &str| headers.iter().position(|header| header == name);
        let need = |name: &str| {
            find(name).ok_or_else(|| {
                let names = nearest_first(name, headers.iter().map(str::to_owned).collect());
                DataError::UnknownProperty {
                    path: path.to_owned(),
                    what: "column",
                    name: name.to_owned(),
                    names,
                }
            })
        };
        let column = |name: &str| {
            let known = QM9_PROPERTIES.iter().find(|(short, _)| *short == name);
            need(known.map_or(name, |(_, column)| column))
        };
        Ok(Columns {
            elements: need("Elements")?,
            positions: need("XYZ_Ang")?,
            name: find("XYZ_file"),
            atoms: find("N_atoms"),
            property: property.map(column).transpose()?,
        })
    }

    fn append(&self, record: &StringRecord, row: usize, molecules: &mut Molecules) -> Result<(), String> {
        let field = |column: usize| {
            record.get(column).expect("the reader refuses records of other lengths than the first")
        };
        let charges = elements(field(self.elements))?;
        let positions = positions(field(self.positions))?;
        if positions.nrows() != charges.len() {
            return Err(format!("{} elements, but {} positions", charges.len(), positions.nrows()));
        }
        if let Some(column) = self.atoms
            && field(column).trim().parse() != Ok(charges.len())
        {
            return Err(format!("N_atoms is {}, but there are {} elements", field(column), charges.len()));
        }
        if let (Some(column), Some(property)) = (self.property, &mut molecules.property) {
            let text = field(column);
            let value = number(text).ok_or_else(|| format!("{} is '{text}', not a number", property.name))?;
            property.values.push(value);
        }
        let name = self.name.map(|column| field(column).trim_end_matches(".xyz").to_owned());
        molecules.names.push(name.unwrap_or_else(|| format!("row {row}")));
        molecules.positions.push(positions);
        molecules.charges.push(charges);
        Ok(())
    }
}

/// `['C','H','H']`.
fn elements(text: &str) -> Result<Vec<u8>, String> {
    let list = text.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let list = list.ok_or_else(|| format!("Elements is '{text}', not a list such as ['C','H']"))?;
    list.split(',')
        .map(|item| {
            let symbol = item.trim().trim_matches(['\'', '"']);
            atomic_number(symbol).ok_or_else(|| format!("'{symbol}' in Elements is no element"))
        })
        .collect()
}

/// `[[x,y,z],[x,y,z]]`.
fn positions(text: &str) -> Result<Array2<f64>, String> {
    let list = text.trim().strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]"));
    let list = list.ok_or_else(|| "XYZ_Ang is not a list such as [[x,y,z],[x,y,z]]".to_owned())?;
    let mut values = Vec::new();
    for (atom, triple) in list.split("],").enumerate() {
        let triple = triple.trim().trim_start_matches('[');
        let before = values.len();
        for item in triple.split(',') {
            let value =
                number(item).ok_or_else(|| format!("'{item}' in XYZ_Ang of atom {atom} is not a number"))?;
            values.push(value);
        }
        if values.len() != before + 3 {
            return Err(format!("atom {atom} has {} coordinates in XYZ_Ang, not 3", values.len() - before));
        }
    }
    Array2::from_shape_vec((values.len() / 3, 3), values).map_err(|error| error.to_string())
}

fn damaged(path: &Path, error: &csv::Error) -> DataError {
    DataError::Damaged { place: Place::file(path), format: "a CSV file", reason: error.to_string() }
}
