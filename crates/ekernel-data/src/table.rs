//! Tables of numbers: CSV files with or without names of columns.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};
use ekernel_core::Samples;
use ndarray::{Array1, Array2};

use crate::dataset::{Dataset, ReadOptions};
use crate::error::DataError;
use crate::memory;
use crate::npy::NpyArray;
use crate::number::number;
use crate::place::{Place, nearest_first};
use crate::rows::{Rows, TABLES};
use crate::samples::checked;
use crate::source::{Source, TargetSource};
use crate::target_kind::{TargetKind, as_said, whole_numbers};
use crate::targets::Targets;

/// What stands for a missing value.
const MISSING: [&str; 9] = ["", "na", "n/a", "nan", "null", "none", "?", "-", "#n/a"];

/// Whole numbers of at most so many different values are taken for classes where nothing else is said.
const CLASSES: usize = 20;

/// Reads samples, and of `FILE:ROWS,COLUMN` or `FILE:ROWS,COLUMN+COLUMN` targets; every other column is a feature.
pub(crate) fn read(source: &Source, options: &ReadOptions) -> Result<Dataset, DataError> {
    let path = &source.path;
    let rows = Rows::parse(source.inputs.as_deref());
    rows.without_names(path, "a table", TABLES)?;
    let text = fs::read_to_string(path).map_err(|problem| match problem.kind() {
        std::io::ErrorKind::InvalidData => DataError::Damaged {
            place: Place::file(path),
            format: "a table",
            reason: "it is not UTF-8 text".to_owned(),
        },
        _ => DataError::io(path, "read", problem),
    })?;
    let table = Table::read(path, text.trim_start_matches('\u{feff}'), &rows)?;
    let target_columns = match &source.targets {
        Some(TargetSource::Key(name)) => table.columns(name)?,
        Some(TargetSource::File(file)) => {
            return Err(DataError::KeyNotUsed {
                path: path.clone(),
                key: file.display().to_string(),
                format: "a table, which holds its targets",
                remedy: "name a column: FILE:ROWS,COLUMN, such as FILE:all,COLUMN",
            });
        }
        None => Vec::new(),
    };
    let noise = source.noise.as_deref().map(|name| table.column(name)).transpose()?;
    let is_feature = |&column: &usize| {
        !target_columns.contains(&column)
            && Some(column) != noise
            && !options.ignored_columns.contains(&table.names[column])
            && !table.is_index(column)
    };
    let features: Vec<usize> = (0..table.names.len()).filter(is_feature).collect();
    let place = Place::file(path);
    memory::ensure_fits(&place, features.len() as u128 * table.records.len() as u128 * 8)?;
    let samples = checked(Samples::Vectors(table.numbers(&features)?), &place)?;
    let mut notes = Vec::new();
    if let Some(index) = (0..table.names.len()).find(|&column| table.is_index(column)) {
        notes.push(format!("column {} without a name is an index, and no feature", index + 1));
    }
    let mut doubt = None;
    let targets = match &target_columns[..] {
        [] => None,
        [column] => Some(table.targets(*column, options.targets, &mut doubt)?),
        several => Some(table.values(several, options.targets)?),
    };
    let noise_column = noise;
    let noise = noise.map(|column| table.noise(column)).transpose()?;
    let mut dataset = Dataset::checked(samples, place.clone(), targets.map(|targets| (targets, place)))?;
    dataset.names = Some(table.records.iter().map(|record| record.row.to_string()).collect());
    dataset.features =
        table.named.then(|| features.iter().map(|&column| table.names[column].clone()).collect());
    let learned = target_columns.iter().chain(&noise_column);
    dataset.target_columns = learned.map(|&column| table.names[column].clone()).collect();
    dataset.noise = noise;
    dataset.note = notes.join("; ");
    dataset.doubt = doubt;
    Ok(dataset)
}

/// The wanted rows of a file.
struct Table<'a> {
    path: &'a Path,
    /// Names of columns; their numbers where the file has no line of names.
    names: Vec<String>,
    named: bool,
    records: Vec<Record>,
}

struct Record {
    /// Data row, counted from 0, and line, counted from 1.
    row: usize,
    line: u64,
    fields: StringRecord,
}

impl Table<'_> {
    fn read<'a>(path: &'a Path, text: &str, rows: &Rows) -> Result<Table<'a>, DataError> {
        let damaged =
            |reason: String| DataError::Damaged { place: Place::file(path), format: "a table", reason };
        let first = text.lines().next().unwrap_or_default();
        let count = |delimiter: &char| first.matches(*delimiter).count();
        // Of as many, the last: a semicolon beside decimal commas.
        let delimiter = [',', '\t', ';'].into_iter().max_by_key(count).unwrap_or(',');
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter as u8)
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(text.as_bytes());
        let mut table = Table { path, names: Vec::new(), named: false, records: Vec::new() };
        let mut row = 0;
        for fields in reader.records() {
            let fields = fields.map_err(|error| damaged(error.to_string()))?;
            if table.names.is_empty() {
                table.named = !fields.iter().all(|field| is_missing(field) || number(field).is_some());
                table.names = match table.named {
                    true => fields.iter().map(str::to_owned).collect(),
                    false => (0..fields.len()).map(|column| column.to_string()).collect(),
                };
                if table.named {
                    table.ensure_different_names()?;
                    continue;
                }
            }
            if rows.end_before(row as u64) {
                break;
            }
            if rows.contains(row as u64) {
                let line = fields.position().map_or(0, csv::Position::line);
                let record = Record { row, line, fields };
                if record.fields.len() != table.names.len() {
                    let [found, wanted] = [record.fields.len(), table.names.len()];
                    return Err(table.fault(&record, format!("it has {found} values for {wanted} columns")));
                }
                table.records.push(record);
            }
            row += 1;
        }
        rows.within(row, path)?;
        if table.records.is_empty() {
            return Err(damaged("it holds no row of values".to_owned()));
        }
        Ok(table)
    }

    fn ensure_different_names(&self) -> Result<(), DataError> {
        let mut seen = BTreeSet::new();
        match self.names.iter().find(|name| !seen.insert(name.as_str())) {
            None => Ok(()),
            Some(name) => Err(DataError::Damaged {
                place: Place::file(self.path),
                format: "a table",
                reason: format!("two columns are called '{name}'; give each a name of its own"),
            }),
        }
    }

    /// The number of a column by its name.
    fn column(&self, name: &str) -> Result<usize, DataError> {
        self.names.iter().position(|found| found == name).ok_or_else(|| DataError::UnknownProperty {
            path: self.path.to_owned(),
            what: "column",
            name: name.to_owned(),
            names: nearest_first(name, self.names.clone()),
        })
    }

    /// The columns of a name, or of several joined by `+`.
    fn columns(&self, names: &str) -> Result<Vec<usize>, DataError> {
        match self.names.iter().position(|found| found == names) {
            Some(column) => Ok(vec![column]),
            None => names.split('+').map(|name| self.column(name)).collect(),
        }
    }

    /// Whether a column is the index that pandas writes: the first, without a name, counting from 0.
    fn is_index(&self, column: usize) -> bool {
        let counts = |record: &Record| record.fields[0].parse() == Ok(record.row);
        column == 0
            && self.named
            && ["", "Unnamed: 0"].contains(&self.names[0].as_str())
            && self.records.iter().all(counts)
    }

    fn fault(&self, record: &Record, reason: String) -> DataError {
        DataError::CsvRow { path: self.path.to_owned(), row: record.row, line: record.line, reason }
    }

    fn number(&self, record: &Record, column: usize) -> Result<f64, DataError> {
        let (field, name) = (&record.fields[column], &self.names[column]);
        if is_missing(field) {
            let reason = format!("column '{name}' has no value; fill it in, or remove the row");
            return Err(self.fault(record, reason));
        }
        let finite = number(field).filter(|value| value.is_finite());
        finite.ok_or_else(|| {
            let point = number(&field.replacen(',', ".", 1)).is_some();
            let remedy = if self.names.iter().any(|name| name == "XYZ_Ang") {
                "this is a file of molecules, for architectures with space = \"molecule\""
            } else if point {
                "write numbers with a point"
            } else {
                "features are numbers: encode the column or remove it"
            };
            self.fault(record, format!("column '{name}' holds '{field}', which is no number; {remedy}"))
        })
    }

    /// Some columns, (rows, columns).
    fn numbers(&self, columns: &[usize]) -> Result<Array2<f64>, DataError> {
        let mut values = Array2::zeros((self.records.len(), columns.len()));
        for (mut row, record) in values.outer_iter_mut().zip(&self.records) {
            for (value, &column) in row.iter_mut().zip(columns) {
                *value = self.number(record, column)?;
            }
        }
        Ok(values)
    }

    fn targets(
        &self,
        column: usize,
        kind: TargetKind,
        doubt: &mut Option<String>,
    ) -> Result<Targets, DataError> {
        let place = Place::entry(self.path, &self.names[column]);
        let fields = || self.records.iter().map(|record| &record.fields[column]);
        // A missing value is no text of a class.
        let missing = self.records.iter().find(|record| is_missing(&record.fields[column]));
        missing.map(|record| self.number(record, column)).transpose()?;
        if fields().all(|field| number(field).is_none()) {
            let texts: Array1<String> = fields().map(str::to_owned).collect();
            return Targets::from_array(as_said(NpyArray::Texts(texts.into_dyn()), kind, &place)?, &place);
        }
        let values: Array1<f64> =
            self.records.iter().map(|record| self.number(record, column)).collect::<Result<_, _>>()?;
        let array = NpyArray::Floats(values.into_dyn());
        let kind = match (kind, whole_numbers(&array)) {
            (TargetKind::ByType, Some(different)) => {
                let (taken, other) =
                    if different <= CLASSES { ("classes", "values") } else { ("values", "classes") };
                *doubt = Some(format!(
                    "{} holds {different} different whole numbers, taken for {taken}; --targets {other} takes them for {other}",
                    self.names[column],
                ));
                if taken == "classes" { TargetKind::Classes } else { TargetKind::Values }
            }
            (TargetKind::ByType, None) => TargetKind::Values,
            (kind, _) => kind,
        };
        Targets::from_array(as_said(array, kind, &place)?, &place)
    }

    /// Several columns of values.
    fn values(&self, columns: &[usize], kind: TargetKind) -> Result<Targets, DataError> {
        let values = self.numbers(columns)?;
        let place = Place::file(self.path);
        let kind = if kind == TargetKind::ByType { TargetKind::Values } else { kind };
        Targets::from_array(as_said(NpyArray::Floats(values.into_dyn()), kind, &place)?, &place)
    }

    fn noise(&self, column: usize) -> Result<Array1<f64>, DataError> {
        let values = self.records.iter().map(|record| self.number(record, column));
        let values: Array1<f64> = values.collect::<Result<_, _>>()?;
        match self.records.iter().zip(&values).find(|(_, value)| **value < 0.0) {
            None => Ok(values),
            Some((record, value)) => {
                Err(self.fault(record, format!("the noise is {value}; a standard deviation is at least 0")))
            }
        }
    }
}

fn is_missing(field: &str) -> bool {
    MISSING.contains(&field.to_lowercase().as_str())
}
