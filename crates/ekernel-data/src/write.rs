//! Writing results: complete or not at all.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use ekernel_system::atomic;
use ndarray::{Array, ArrayView2, ArrayViewD, Dimension};
use ndarray_npy::{WriteNpyError, WriteNpyExt};
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime};

use crate::error::DataError;

/// An array to be written.
#[derive(Clone, Debug)]
pub enum Output<'a> {
    /// float64.
    F64(ArrayViewD<'a, f64>),
    /// float32.
    F32(ArrayViewD<'a, f32>),
    /// int64.
    I64(ArrayViewD<'a, i64>),
    /// uint8.
    U8(ArrayViewD<'a, u8>),
    /// Strings, shape (n,), as numpy's `U`.
    Texts(&'a [String]),
    /// One string, shape (): JSON, an architecture file, a line of settings.
    Text(&'a str),
    /// A float64 matrix that is read while it is written.
    Rows(&'a dyn Rows),
}

/// A matrix that is never in memory as a whole.
pub trait Rows: fmt::Debug {
    /// Shape (rows, columns).
    fn shape(&self) -> [usize; 2];

    /// Hands all rows to `take`, from the first to the last, some at a time.
    ///
    /// # Errors
    /// Those of `take`, and whatever keeps the rows from being read.
    fn read(&self, take: &mut dyn FnMut(ArrayView2<'_, f64>) -> io::Result<()>) -> io::Result<()>;
}

macro_rules! from_array {
    ($($element:ty => $variant:ident),*) => {$(
        impl<'a, D: Dimension> From<&'a Array<$element, D>> for Output<'a> {
            fn from(array: &'a Array<$element, D>) -> Output<'a> {
                Output::$variant(array.view().into_dyn())
            }
        }
    )*};
}
from_array!(f64 => F64, f32 => F32, i64 => I64, u8 => U8);

impl<'a> From<&'a str> for Output<'a> {
    fn from(text: &'a str) -> Output<'a> {
        Output::Text(text)
    }
}

impl<'a> From<&'a [String]> for Output<'a> {
    fn from(texts: &'a [String]) -> Output<'a> {
        Output::Texts(texts)
    }
}

/// Writes arrays as an .npz file that `numpy.load` reads without pickles.
///
/// The same arrays give the same bytes: nothing is compressed, and no time is stored. See [`write_atomically`] for
/// what a failure leaves behind.
///
/// # Errors
/// [`DataError::Write`], also for two arrays of one name.
pub fn write_npz(path: &Path, arrays: &[(&str, Output<'_>)]) -> Result<(), DataError> {
    write_atomically(path, |file| write_archive(file, arrays))
}

/// Writes one array as a .npy file, which `numpy.load` also maps into memory without reading it.
///
/// # Errors
/// [`DataError::Write`].
pub fn write_npy(path: &Path, array: &Output<'_>) -> Result<(), DataError> {
    write_atomically(path, |file| write_array(BufWriter::with_capacity(1 << 20, file), array))
}

/// Writes a file so that it is there completely or not at all, see [`atomic::write_atomically`].
///
/// # Errors
/// [`DataError::Write`] with the reason: no such folder, no permission, no space left, a device.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), DataError> {
    atomic::write_atomically(path, write).map_err(|source| DataError::Write { path: path.to_owned(), source })
}

fn write_archive(file: impl Write + Seek, arrays: &[(&str, Output<'_>)]) -> io::Result<()> {
    let mut archive = ZipWriter::new(file);
    let result = arrays.iter().try_for_each(|(name, array)| write_entry(&mut archive, name, array));
    if let Err(error) = result {
        // Dropping would try to finish the archive once more, and print that it failed again.
        std::mem::forget(archive);
        return Err(error);
    }
    archive.finish()?.flush()
}

fn write_entry(archive: &mut ZipWriter<impl Write + Seek>, name: &str, array: &Output<'_>) -> io::Result<()> {
    // Room for the header, so that an entry just below 4 GiB is not too large after all.
    const LARGE: u64 = u32::MAX as u64 - (1 << 20);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .large_file(array.bytes() > LARGE);
    archive.start_file(format!("{name}.npy"), options)?;
    write_array(BufWriter::with_capacity(1 << 20, archive), array)
}

/// An array in the .npy format.
fn write_array(writer: impl Write, array: &Output<'_>) -> io::Result<()> {
    let written = match array {
        Output::F64(array) => array.write_npy(writer),
        Output::F32(array) => array.write_npy(writer),
        Output::I64(array) => array.write_npy(writer),
        Output::U8(array) => array.write_npy(writer),
        Output::Rows(rows) => return write_rows(writer, *rows),
        Output::Texts(texts) => return write_texts(writer, texts, &format!("({},)", texts.len())),
        Output::Text(text) => return write_texts(writer, &[*text], "()"),
    };
    written.map_err(|error| match error {
        WriteNpyError::Io(source) => source,
        other => io::Error::other(other.to_string()),
    })
}

impl Output<'_> {
    fn bytes(&self) -> u64 {
        let count = match self {
            Output::F64(array) => array.len() * 8,
            Output::F32(array) => array.len() * 4,
            Output::I64(array) => array.len() * 8,
            Output::U8(array) => array.len(),
            Output::Rows(rows) => rows.shape().into_iter().fold(8, usize::saturating_mul),
            Output::Texts(texts) => texts.len() * points(texts) * 4,
            Output::Text(text) => points(&[text]) * 4,
        };
        count as u64
    }
}

/// The length of the longest text in code points; at least 1, as numpy has no strings of length 0.
fn points(texts: &[impl AsRef<str>]) -> usize {
    texts.iter().map(|text| text.as_ref().chars().count()).max().unwrap_or(0).max(1)
}

/// Strings in the .npy format: little-endian UTF-32, padded with zeros to the longest.
fn write_texts(mut writer: impl Write, texts: &[impl AsRef<str>], shape: &str) -> io::Result<()> {
    let width = points(texts);
    let facts = format!("{{'descr': '<U{width}', 'fortran_order': False, 'shape': {shape}, }}");
    write_header(&mut writer, facts)?;
    for text in texts {
        let characters = text.as_ref().chars().map(u32::from);
        for point in characters.chain(std::iter::repeat(0)).take(width) {
            writer.write_all(&point.to_le_bytes())?;
        }
    }
    writer.flush()
}

/// A matrix in the .npy format, row by row.
fn write_rows(mut writer: impl Write, rows: &dyn Rows) -> io::Result<()> {
    let [n, m] = rows.shape();
    // To the letter as the library writes it for a matrix in memory.
    let facts = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({n}, {m})}}");
    write_header(&mut writer, facts)?;
    let mut written = 0;
    rows.read(&mut |some| {
        written += some.len();
        some.iter().try_for_each(|value| writer.write_all(&value.to_le_bytes()))
    })?;
    if written as u64 != n as u64 * m as u64 {
        return Err(io::Error::other(format!("{written} numbers came for a matrix of {n} × {m}")));
    }
    writer.flush()
}

/// The header of the .npy format, version 1.0, with what it says of the array.
fn write_header(writer: &mut impl Write, mut header: String) -> io::Result<()> {
    const ALIGNMENT: usize = 64;
    const PREAMBLE: usize = 10;
    let padding = (ALIGNMENT - (PREAMBLE + header.len() + 1) % ALIGNMENT) % ALIGNMENT;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let length = u16::try_from(header.len()).map_err(io::Error::other)?;
    writer.write_all(b"\x93NUMPY\x01\x00")?;
    writer.write_all(&length.to_le_bytes())?;
    writer.write_all(header.as_bytes())
}
