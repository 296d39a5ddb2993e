//! Which rows of a file to read.

use crate::error::DataError;
use crate::place::Place;

/// How rows of a file of molecules, and of a table, are named.
pub(crate) const MOLECULES: &str = "its rows are all or a range: FILE:all,U0 or FILE:0..1000,U0";
pub(crate) const TABLES: &str = "its rows are all or a range, and a column after a comma holds the targets: FILE:all,COLUMN or FILE:0..1000,COLUMN";

/// The words between colon and comma.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    All,
    /// From start (included) to end (excluded, if there is one).
    Range {
        start: u64,
        end: Option<u64>,
    },
    /// The rows that an array of the file lists.
    Named(String),
}

impl Rows {
    pub(crate) fn parse(text: Option<&str>) -> Rows {
        let Some(text) = text.filter(|text| *text != "all") else { return Rows::All };
        let end_of = |text: &str| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) };
        let range = text.split_once("..").and_then(|(start, end)| Some((end_of(start)?, end_of(end)?)));
        match range {
            Some((start, end)) => Rows::Range { start: start.unwrap_or(0), end },
            None => Rows::Named(text.to_owned()),
        }
    }

    /// Whether a reader that goes through the file can stop before this row.
    pub(crate) fn end_before(&self, row: u64) -> bool {
        matches!(self, Rows::Range { end: Some(end), .. } if row >= *end)
    }

    /// Whether the row is wanted; names are for files with lists of rows.
    pub(crate) fn contains(&self, row: u64) -> bool {
        match self {
            Rows::Range { start, end } => row >= *start && end.is_none_or(|end| row < end),
            Rows::All | Rows::Named(_) => true,
        }
    }

    /// Refuses a name, for files without lists of rows.
    pub(crate) fn without_names(
        &self,
        path: &std::path::Path,
        format: &'static str,
        remedy: &'static str,
    ) -> Result<(), DataError> {
        let Rows::Named(key) = self else { return Ok(()) };
        Err(DataError::KeyNotUsed { path: path.to_owned(), key: key.clone(), format, remedy })
    }

    /// Refuses a range that goes beyond the molecules that are there.
    pub(crate) fn within(&self, rows: usize, path: &std::path::Path) -> Result<(), DataError> {
        let Rows::Range { start, end } = *self else { return Ok(()) };
        let row = match end {
            Some(end) if end > rows as u64 => end - 1,
            None if start >= rows as u64 => start,
            _ => return Ok(()),
        };
        let end_text = end.map_or_else(String::new, |end| end.to_string());
        let place = Place::entry(path, format!("{start}..{end_text}"));
        Err(DataError::RowOutOfRange { place, row, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(Rows::parse(None), Rows::All);
        assert_eq!(Rows::parse(Some("all")), Rows::All);
        assert_eq!(Rows::parse(Some("3..10")), Rows::Range { start: 3, end: Some(10) });
        assert_eq!(Rows::parse(Some("..10")), Rows::Range { start: 0, end: Some(10) });
        assert_eq!(Rows::parse(Some("3..")), Rows::Range { start: 3, end: None });
        assert_eq!(Rows::parse(Some("train")), Rows::Named("train".to_owned()));
        assert_eq!(Rows::parse(Some("a..b")), Rows::Named("a..b".to_owned()));
    }

    #[test]
    fn ranges_must_be_there() {
        let path = std::path::Path::new("m.xyz");
        let within = |text, rows| Rows::parse(Some(text)).within(rows, path);
        assert!(within("3..10", 10).is_ok());
        assert!(within("3..", 4).is_ok());
        assert!(matches!(within("3..10", 9), Err(DataError::RowOutOfRange { row: 9, rows: 9, .. })));
        assert!(matches!(within("4..", 4), Err(DataError::RowOutOfRange { row: 4, rows: 4, .. })));
    }
}
