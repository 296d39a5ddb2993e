//! .xyz files: the number of atoms, a comment line, then a line per atom; any number of such frames in a file.
//!
//! Atom lines begin with the symbol (or atomic number) and x, y, z in Å; an extended file may order the columns
//! otherwise by `Properties=species:S:1:pos:R:3:…`, and hold properties as `name=value` in its comment. QM9's files
//! hold `gdb i` and fifteen properties in the comment, a Mulliken charge per atom, and three more lines at the end.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::Array2;

use crate::error::DataError;
use crate::molecules::{Molecules, Property, atomic_number, check::crystal, properties::QM9_PROPERTIES};
use crate::number::number;
use crate::place::nearest_first;
use crate::rows::{MOLECULES, Rows};

/// QM9's lines after the atoms: frequencies, SMILES, InChI.
const QM9_TRAILER: usize = 3;

pub(crate) fn read_file(path: &Path, rows: &Rows, property: Option<&str>) -> Result<Molecules, DataError> {
    read_files(&[path.to_owned()], path, rows, property)
}

/// All files of a folder that end in .xyz or .extxyz and are not hidden, sorted by name.
pub(crate) fn read_folder(
    folder: &Path,
    rows: &Rows,
    property: Option<&str>,
) -> Result<Molecules, DataError> {
    let fault = |source| DataError::io(folder, "list", source);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        // Hidden files are what systems leave beside files, such as ._water.xyz.
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        if !hidden && matches!(extension.as_deref(), Some("xyz" | "extxyz")) {
            paths.push(path);
        }
    }
    paths.sort();
    read_files(&paths, folder, rows, property)
}

fn read_files(
    paths: &[PathBuf],
    whole: &Path,
    rows: &Rows,
    property: Option<&str>,
) -> Result<Molecules, DataError> {
    rows.without_names(whole, "an .xyz file", MOLECULES)?;
    let mut molecules = Molecules {
        property: property.map(|name| Property { name: name.to_owned(), values: Vec::new() }),
        ..Molecules::default()
    };
    let mut row = 0;
    for path in paths {
        if rows.end_before(row as u64) {
            break;
        }
        let text = read_text(path)?;
        let mut frames = Frames { path, lines: text.lines().collect(), next: 0, frame: 0 };
        while !rows.end_before(row as u64)
            && let Some(frame) = frames.next()?
        {
            if rows.contains(row as u64) {
                if let Some(property) = &mut molecules.property {
                    property.values.push(frame.property(&property.name, path)?);
                }
                molecules.names.push(frame.name);
                molecules.charges.push(frame.charges);
                molecules.positions.push(frame.positions);
            }
            row += 1;
        }
    }
    rows.within(row, whole)?;
    Ok(molecules)
}

/// The text of a file, without a byte order mark. Comments of old programs are Latin-1, whose letters are Unicode's first.
fn read_text(path: &Path) -> Result<String, DataError> {
    let bytes = fs::read(path).map_err(|source| DataError::io(path, "read", source))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(DataError::XyzLine {
            path: path.to_owned(),
            line: 1,
            reason: "the file is text in UTF-16; save it as UTF-8".to_owned(),
        });
    }
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    })
}

/// Refuses a frame of a crystal: its atoms have neighbours in the next cell, which signals around atoms do not see.
fn ensure_isolated(comment: &str) -> Result<(), String> {
    let pairs = pairs(comment);
    let value =
        |name: &str| pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
    let periodic = |pbc: &str| {
        let parts = pbc.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
        parts.into_iter().any(|part| matches!(part.to_lowercase().as_str(), "t" | "true" | "1"))
    };
    match (value("pbc"), value("Lattice")) {
        (Some(pbc), _) if periodic(pbc) => Err(format!("pbc=\"{pbc}\" makes it a crystal")),
        // Without pbc a lattice is periodic along all axes.
        (None, Some(_)) => Err("a Lattice without pbc=\"F F F\" makes it a crystal".to_owned()),
        _ => Ok(()),
    }
    .map_err(|what| crystal(&what, "write pbc=\"F F F\""))
}

struct Frames<'a> {
    path: &'a Path,
    lines: Vec<&'a str>,
    /// Index of the line that is read next.
    next: usize,
    frame: usize,
}

struct Frame<'a> {
    name: String,
    comment: &'a str,
    /// Where the comment stands, counted from 1.
    line: usize,
    charges: Vec<u8>,
    positions: Array2<f64>,
}

impl<'a> Frames<'a> {
    fn next(&mut self) -> Result<Option<Frame<'a>>, DataError> {
        while self.lines.get(self.next).is_some_and(|line| line.trim().is_empty()) {
            self.next += 1;
        }
        let Some(first) = self.lines.get(self.next) else { return Ok(None) };
        let count: usize = match first.trim().parse() {
            Ok(0) => return Err(self.fault(self.next, "a molecule of 0 atoms".to_owned())),
            Ok(count) => count,
            Err(_) => return Err(self.fault(self.next, format!("'{first}' is not a number of atoms"))),
        };
        let line = self.next + 1;
        let Some(&comment) = self.lines.get(line) else {
            return Err(self.fault(line, "the file ends before the comment line".to_owned()));
        };
        ensure_isolated(comment).map_err(|reason| self.fault(line, reason))?;
        let columns = Columns::of(comment).map_err(|reason| self.fault(line, reason))?;
        let start = line + 1;
        let mut charges = Vec::new();
        let mut coordinates = Vec::new();
        for index in 0..count {
            let Some(atom) = self.lines.get(start + index) else {
                let reason = format!("the file ends after {index} of {count} atoms");
                return Err(self.fault(start + index, reason));
            };
            let (charge, position) =
                columns.atom(atom).map_err(|reason| self.fault(start + index, reason))?;
            charges.push(charge);
            coordinates.extend(position);
        }
        let positions = Array2::from_shape_vec((count, 3), coordinates)
            .map_err(|error| self.fault(line, error.to_string()))?;
        self.next = start + count;
        let file = self.path.file_name().expect("a file that was read has a name").to_string_lossy();
        self.frame += 1;
        let name = match qm9(comment) {
            Some(fields) => {
                self.skip_trailer();
                format!("dsgdb9nsd_{:0>6}", fields[1])
            }
            None => format!("{file}#{}", self.frame),
        };
        Ok(Some(Frame { name, comment, line: line + 1, charges, positions }))
    }

    /// Passes over QM9's last lines, as far as they are there: a further frame begins with a whole number.
    fn skip_trailer(&mut self) {
        for _ in 0..QM9_TRAILER {
            match self.lines.get(self.next) {
                Some(line) if line.trim().parse::<usize>().is_err() => self.next += 1,
                _ => return,
            }
        }
    }

    /// A fault in the line at this index.
    fn fault(&self, index: usize, reason: String) -> DataError {
        DataError::XyzLine { path: self.path.to_owned(), line: index + 1, reason }
    }
}

impl Frame<'_> {
    fn property(&self, name: &str, path: &Path) -> Result<f64, DataError> {
        let fields = match qm9(self.comment) {
            Some(fields) => {
                QM9_PROPERTIES.iter().map(|(name, _)| *name).zip(fields.into_iter().skip(2)).collect()
            }
            None => pairs(self.comment),
        };
        let Some((_, text)) = fields.iter().find(|(key, _)| *key == name) else {
            return Err(DataError::UnknownProperty {
                path: path.to_owned(),
                what: "property",
                name: name.to_owned(),
                names: nearest_first(name, fields.iter().map(|(key, _)| (*key).to_owned()).collect()),
            });
        };
        number(text).ok_or_else(|| DataError::XyzLine {
            path: path.to_owned(),
            line: self.line,
            reason: format!("the property {name} is '{text}', not a number"),
        })
    }
}

/// The fields of a comment of QM9: `gdb`, the index, and fifteen properties.
fn qm9(comment: &str) -> Option<Vec<&str>> {
    let fields: Vec<&str> = comment.split_whitespace().collect();
    (fields.len() == 2 + QM9_PROPERTIES.len() && fields[0] == "gdb").then_some(fields)
}

/// `name=value` and `name="value with spaces"` of an extended comment.
fn pairs(comment: &str) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    let mut rest = comment.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let Some(value) = after.strip_prefix('=') else {
            rest = after.trim_start();
            continue;
        };
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        pairs.push((key, value));
        rest = after.trim_start();
    }
    pairs
}

/// Where an atom line holds the element and its position.
struct Columns {
    element: usize,
    position: usize,
}

impl Columns {
    fn of(comment: &str) -> Result<Columns, String> {
        let pairs = pairs(comment);
        let Some((_, text)) = pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case("Properties")) else {
            return Ok(Columns { element: 0, position: 1 });
        };
        let fault = || format!("'Properties={text}' does not list species:S:1 (or Z:I:1) and pos:R:3");
        let fields: Vec<&str> = text.split(':').collect();
        let (mut element, mut position, mut column) = (None, None, 0usize);
        for field in fields.chunks(3) {
            let [name, _, width] = field else { return Err(fault()) };
            match (*name, *width) {
                ("species" | "Z" | "numbers", "1") => element = Some(column),
                ("pos", "3") => position = Some(column),
                _ => {}
            }
            let width: u16 = width.parse().map_err(|_| fault())?;
            column = column.saturating_add(usize::from(width));
        }
        match (element, position) {
            (Some(element), Some(position)) => Ok(Columns { element, position }),
            _ => Err(fault()),
        }
    }

    fn atom(&self, line: &str) -> Result<(u8, [f64; 3]), String> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (Some(symbol), Some(coordinates)) =
            (fields.get(self.element), fields.get(self.position..self.position + 3))
        else {
            return Err(format!("'{line}' does not hold an element and three coordinates"));
        };
        let charge = atomic_number(symbol).ok_or_else(|| format!("'{symbol}' is no element"))?;
        let mut position = [0.0; 3];
        for (value, text) in position.iter_mut().zip(coordinates) {
            *value = number(text).ok_or_else(|| format!("the coordinate '{text}' is not a number"))?;
        }
        Ok((charge, position))
    }
}
