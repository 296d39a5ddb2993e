//! One numpy array: the .npy format, in a file of its own or in an .npz.

use std::io::{self, Read};

use half::f16;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use ndarray_npy::{ReadDataError, ReadableElement};
use py_literal::Value;

use crate::error::DataError;
use crate::memory;
use crate::place::Place;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// numpy's own bound on the length of a header that it reads unasked.
const HEADER_LIMIT: usize = 10_000;

/// Nesting of a header: a dict that holds lists of tuples needs four. The parser recurses, so that a hostile
/// header could exhaust the stack.
const NESTING_LIMIT: usize = 8;

/// An array as it was stored, widened to the few element types that the readers tell apart.
#[derive(Clone, Debug, PartialEq)]
pub enum NpyArray {
    /// bool.
    Bools(ArrayD<bool>),
    /// uint8, the type of images.
    Bytes(ArrayD<u8>),
    /// Every other integer type.
    Integers(ArrayD<i64>),
    /// float16, float32 and float64.
    Floats(ArrayD<f64>),
    /// Strings (numpy's `U` and `S`), without the padding.
    Texts(ArrayD<String>),
}

impl NpyArray {
    /// The shape as stored.
    pub fn shape(&self) -> &[usize] {
        match self {
            NpyArray::Bools(a) => a.shape(),
            NpyArray::Bytes(a) => a.shape(),
            NpyArray::Integers(a) => a.shape(),
            NpyArray::Floats(a) => a.shape(),
            NpyArray::Texts(a) => a.shape(),
        }
    }

    /// A word for the element type, for messages.
    pub fn dtype(&self) -> &'static str {
        match self {
            NpyArray::Bools(_) => "bool",
            NpyArray::Bytes(_) => "uint8",
            NpyArray::Integers(_) => "integer",
            NpyArray::Floats(_) => "float",
            NpyArray::Texts(_) => "string",
        }
    }
}

/// Reads one array, C or Fortran order, either byte order.
///
/// # Errors
/// [`DataError::WrongMagic`], [`DataError::Length`] (fewer or more bytes than the header says),
/// [`DataError::Pickled`], [`DataError::Dtype`] (complex, dates, records), [`DataError::TooLarge`],
/// [`DataError::Damaged`] for the rest.
pub(crate) fn read_npy(mut reader: impl Read, place: &Place) -> Result<NpyArray, DataError> {
    let header = read_header(&mut reader, place)?;
    let kind = Kind::of(&header, place)?;
    let overflow =
        || damaged(place, format!("its shape {:?} has more elements than can be counted", header.shape));
    let count =
        header.shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent)).ok_or_else(overflow)?;
    // ndarray counts the product of the extents that are not zero.
    header
        .shape
        .iter()
        .filter(|&&extent| extent != 0)
        .try_fold(1usize, |n, &extent| n.checked_mul(extent))
        .filter(|&n| isize::try_from(n).is_ok())
        .ok_or_else(overflow)?;
    let expected = count.checked_mul(kind.item_size()).ok_or_else(overflow)?;
    memory::ensure_fits(place, expected as u128 + count as u128 * kind.size_in_memory())?;

    // Grows with what is really there: a wrong shape in the header must not allocate what the file never held.
    let mut data = Vec::new();
    reader.take(expected as u64 + 1).read_to_end(&mut data).map_err(|source| match source.kind() {
        io::ErrorKind::OutOfMemory => DataError::Allocation { place: place.clone(), needed: expected as u64 },
        _ => broken(place, source),
    })?;
    if data.len() != expected {
        let (expected, found) = (expected as u64, data.len() as u64);
        return Err(DataError::Length { place: place.clone(), format: "array", expected, found });
    }
    kind.decode(&data, &header, count, place)
}

fn read_header(reader: &mut impl Read, place: &Place) -> Result<Header, DataError> {
    let fill = |reader: &mut dyn Read, buffer: &mut [u8], start: usize| -> Result<(), DataError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match reader.read(&mut buffer[filled..]) {
                Ok(0) => {
                    let (expected, found) = ((start + buffer.len()) as u64, (start + filled) as u64);
                    return Err(DataError::Length {
                        place: place.clone(),
                        format: "npy header",
                        expected,
                        found,
                    });
                }
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(place, error)),
            }
        }
        Ok(())
    };
    let mut start = vec![0; 8];
    fill(reader, &mut start, 0)?;
    if &start[..6] != MAGIC {
        let found = format!("{:02x?}", &start[..6]);
        let expected = "[93, 4e, 55, 4d, 50, 59]";
        return Err(DataError::WrongMagic { place: place.clone(), format: "a .npy array", found, expected });
    }
    let width = if start[6] == 1 { 2 } else { 4 };
    let mut length = [0; 4];
    fill(reader, &mut length[..width], start.len())?;
    let header_length = u32::from_le_bytes(length) as usize;
    if header_length > HEADER_LIMIT {
        return Err(damaged(
            place,
            format!("its header is {header_length} bytes long, at most {HEADER_LIMIT} are read"),
        ));
    }
    start.extend_from_slice(&length[..width]);
    let mut text = vec![0; header_length];
    fill(reader, &mut text, start.len())?;
    let nesting = text.iter().scan(0usize, |depth, byte| {
        match byte {
            b'(' | b'[' | b'{' => *depth += 1,
            b')' | b']' | b'}' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some(*depth)
    });
    if nesting.max().is_some_and(|depth| depth > NESTING_LIMIT) {
        return Err(damaged(place, format!("its header nests brackets more than {NESTING_LIMIT} deep")));
    }
    let text = std::str::from_utf8(&text).map_err(|_| damaged(place, "its header is not text".to_owned()))?;
    let value: Value = without_longs(text.trim_end())
        .parse()
        .map_err(|error| damaged(place, format!("its header cannot be read: {error}")))?;
    Header::of(value).map_err(|reason| damaged(place, format!("its header {reason}")))
}

/// What the header of an array says.
struct Header {
    descr: Value,
    fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    /// From `{'descr': …, 'fortran_order': …, 'shape': …}`.
    fn of(value: Value) -> Result<Header, &'static str> {
        let Value::Dict(entries) = value else { return Err("is not a dictionary") };
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        for (key, value) in entries {
            match key.as_string().map(String::as_str) {
                Some("descr") => descr = Some(value),
                Some("fortran_order") => fortran = value.as_boolean(),
                Some("shape") => {
                    // Printed and parsed, as the integers have any length.
                    let extent = |value: &Value| value.as_integer()?.to_string().parse().ok();
                    shape = value.as_tuple().and_then(|extents| extents.iter().map(extent).collect());
                }
                _ => return Err("has an unknown key"),
            }
        }
        match (descr, fortran, shape) {
            (Some(descr), Some(fortran), Some(shape)) => Ok(Header { descr, fortran, shape }),
            _ => Err("lacks a valid descr, fortran_order or shape"),
        }
    }
}

/// The element types of numpy that are read.
#[derive(Clone, Copy)]
enum Kind {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    /// Two bytes, big-endian or not.
    F16 {
        big_endian: bool,
    },
    F32,
    F64,
    /// `U`: that many UTF-32 code points, big-endian or not.
    Unicode {
        points: usize,
        big_endian: bool,
    },
    /// `S`: that many bytes.
    Ascii {
        bytes: usize,
    },
}

impl Kind {
    fn of(header: &Header, place: &Place) -> Result<Kind, DataError> {
        let wrong = |dtype: String, wanted| Err(DataError::Dtype { place: place.clone(), dtype, wanted });
        let Some(descr) = header.descr.as_string() else {
            return wrong("a record of several fields".to_owned(), "save each field as its own array");
        };
        let (order, code) = match descr.chars().next() {
            Some('<' | '>' | '|' | '=') => descr.split_at(1),
            _ => ("=", descr.as_str()),
        };
        let big_endian = order == ">" || (order == "=" && cfg!(target_endian = "big"));
        Ok(match code {
            "b1" => Kind::Bool,
            "u1" => Kind::U8,
            "i1" => Kind::I8,
            "u2" => Kind::U16,
            "i2" => Kind::I16,
            "u4" => Kind::U32,
            "i4" => Kind::I32,
            "u8" => Kind::U64,
            "i8" => Kind::I64,
            "f2" => Kind::F16 { big_endian },
            "f4" => Kind::F32,
            "f8" => Kind::F64,
            _ if code.starts_with('O') => return Err(DataError::Pickled { place: place.clone() }),
            _ => match (code.chars().next(), code.get(1..).and_then(|digits| digits.parse::<u32>().ok())) {
                (Some('U'), Some(points @ 1..)) => Kind::Unicode { points: points as usize, big_endian },
                (Some('S'), Some(bytes @ 1..)) => Kind::Ascii { bytes: bytes as usize },
                (Some('c'), _) => {
                    return wrong(descr.clone(), "complex numbers are not read; save the parts");
                }
                (Some('f'), _) => return wrong(descr.clone(), "save it as float32 or float64"),
                _ => {
                    return wrong(
                        descr.clone(),
                        "save it as uint8, an integer type, float32, float64 or bool",
                    );
                }
            },
        })
    }

    /// Bytes of one element in the file.
    fn item_size(self) -> usize {
        match self {
            Kind::Bool | Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 | Kind::F16 { .. } => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 => 8,
            Kind::Unicode { points, .. } => points.saturating_mul(4),
            Kind::Ascii { bytes } => bytes,
        }
    }

    /// Bytes of one element once read and widened, with what is held while it is widened.
    fn size_in_memory(self) -> u128 {
        match self {
            Kind::Bool | Kind::U8 => 1,
            Kind::I64 | Kind::F64 => 8,
            Kind::Unicode { points, .. } => 24 + points as u128,
            Kind::Ascii { bytes } => 24 + bytes as u128,
            _ => 8 + self.item_size() as u128,
        }
    }

    fn decode(
        self,
        data: &[u8],
        header: &Header,
        count: usize,
        place: &Place,
    ) -> Result<NpyArray, DataError> {
        let decoder = Decoder { data, header, count, place };
        Ok(match self {
            Kind::Bool => NpyArray::Bools(decoder.array::<bool>()?),
            Kind::U8 => NpyArray::Bytes(decoder.array::<u8>()?),
            Kind::I8 => NpyArray::Integers(decoder.mapped::<i8, _>(i64::from)?),
            Kind::U16 => NpyArray::Integers(decoder.mapped::<u16, _>(i64::from)?),
            Kind::I16 => NpyArray::Integers(decoder.mapped::<i16, _>(i64::from)?),
            Kind::U32 => NpyArray::Integers(decoder.mapped::<u32, _>(i64::from)?),
            Kind::I32 => NpyArray::Integers(decoder.mapped::<i32, _>(i64::from)?),
            Kind::I64 => NpyArray::Integers(decoder.array::<i64>()?),
            Kind::U64 => {
                let values = decoder.array::<u64>()?;
                if let Some(value) = values.iter().find(|&&value| i64::try_from(value).is_err()) {
                    return Err(damaged(place, format!("it holds {value}, beyond the range of int64")));
                }
                NpyArray::Integers(memory::map(place, &values, |value| value as i64)?)
            }
            Kind::F16 { big_endian } => NpyArray::Floats(decoder.halves(big_endian)?),
            Kind::F32 => NpyArray::Floats(decoder.mapped::<f32, _>(f64::from)?),
            Kind::F64 => NpyArray::Floats(decoder.array::<f64>()?),
            Kind::Unicode { big_endian, .. } => {
                let point = |bytes: &[u8]| {
                    let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
                    if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
                };
                NpyArray::Texts(decoder.texts(self.item_size(), |item| {
                    let text: Option<String> =
                        item.chunks_exact(4).map(|bytes| char::from_u32(point(bytes))).collect();
                    text.map(|text| text.trim_end_matches('\0').to_owned())
                })?)
            }
            Kind::Ascii { .. } => NpyArray::Texts(decoder.texts(self.item_size(), |item| {
                let text = std::str::from_utf8(item).ok()?;
                Some(text.trim_end_matches('\0').to_owned())
            })?),
        })
    }
}

struct Decoder<'a> {
    data: &'a [u8],
    header: &'a Header,
    count: usize,
    place: &'a Place,
}

impl Decoder<'_> {
    fn array<T: ReadableElement>(&self) -> Result<ArrayD<T>, DataError> {
        let values = T::read_to_end_exact_vec(self.data, &self.header.descr, self.count).map_err(
            |error| match error {
                ReadDataError::Io(source) => broken(self.place, source),
                other => damaged(self.place, other.to_string()),
            },
        )?;
        self.shaped(values)
    }

    fn mapped<T: ReadableElement + Copy, U>(&self, form: impl FnMut(T) -> U) -> Result<ArrayD<U>, DataError> {
        memory::map(self.place, &self.array::<T>()?, form)
    }

    fn halves(&self, big_endian: bool) -> Result<ArrayD<f64>, DataError> {
        let half = |bytes: &[u8]| {
            let bytes = [bytes[0], bytes[1]];
            f64::from(if big_endian { f16::from_be_bytes(bytes) } else { f16::from_le_bytes(bytes) })
        };
        self.shaped(self.data.chunks_exact(2).map(half).collect())
    }

    fn texts(
        &self,
        size: usize,
        decode: impl Fn(&[u8]) -> Option<String>,
    ) -> Result<ArrayD<String>, DataError> {
        let wrong = |index| damaged(self.place, format!("element {index} is not valid text"));
        let texts = (0..self.count)
            .map(|index| decode(&self.data[index * size..(index + 1) * size]).ok_or_else(|| wrong(index)))
            .collect::<Result<Vec<_>, _>>()?;
        self.shaped(texts)
    }

    fn shaped<T>(&self, values: Vec<T>) -> Result<ArrayD<T>, DataError> {
        let shape = IxDyn(&self.header.shape).set_f(self.header.fortran);
        ArrayD::from_shape_vec(shape, values).map_err(|error| damaged(self.place, error.to_string()))
    }
}

/// A header as Python 3 writes it: Python 2 put an L behind long integers.
fn without_longs(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut quoted = false;
    for c in text.chars() {
        quoted ^= c == '\'';
        if c == 'L' && !quoted && plain.ends_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        plain.push(c);
    }
    plain
}

fn damaged(place: &Place, reason: String) -> DataError {
    DataError::Damaged { place: place.clone(), format: "an array", reason }
}

/// A read that failed within a container: the decompressor's checks come as I/O errors too.
fn broken(place: &Place, source: io::Error) -> DataError {
    damaged(place, source.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_python_2_are_read() {
        let old = "{'descr': '<f8', 'fortran_order': False, 'shape': (5L, 10L), }";
        assert_eq!(without_longs(old), old.replace("5L", "5").replace("10L", "10"));
        let quoted = "{'descr': '<U1L'}";
        assert_eq!(without_longs(quoted), quoted);
    }
}
