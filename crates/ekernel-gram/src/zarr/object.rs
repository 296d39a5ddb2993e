//! The bytes of a block: Zarr version 3, codecs `bytes` (little endian) and `crc32c`, and around
//! several chunks `sharding_indexed` with its index at the end.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use ndarray::{Array2, ArrayView2, s};

use super::{header::Element, layout::Layout};

/// Bytes of a checksum.
const SUM: usize = 4;

/// Bytes of an entry of the index: where a chunk begins, and its length.
const ENTRY: usize = 16;

/// In the index, a chunk that is not stored.
const ABSENT: u64 = u64::MAX;

/// The object of a block with these values; chunks outside the matrix are left out.
pub(super) fn encode(values: ArrayView2<'_, f64>, layout: &Layout, element: Element) -> Vec<u8> {
    let (chunk, [down, across]) = (layout.chunk(), layout.inner());
    let mut bytes = Vec::with_capacity(length(values.dim().into(), layout, element));
    let mut index = Vec::new();
    for (i, j) in (0..down).flat_map(|i| (0..across).map(move |j| (i, j))) {
        let rows = (i * chunk[0]).min(values.nrows())..((i + 1) * chunk[0]).min(values.nrows());
        let cols = (j * chunk[1]).min(values.ncols())..((j + 1) * chunk[1]).min(values.ncols());
        let entry = if rows.is_empty() || cols.is_empty() {
            [ABSENT; 2]
        } else {
            let start = bytes.len();
            encode_chunk(&mut bytes, values.slice(s![rows, cols]), chunk, element);
            [start as u64, (bytes.len() - start) as u64]
        };
        index.extend(entry.into_iter().flat_map(u64::to_le_bytes));
    }
    if down * across > 1 {
        index.extend(crc32c::crc32c(&index).to_le_bytes());
        bytes.extend(index);
    }
    bytes
}

/// Bytes of the object of a block of `rows` × `cols` entries.
pub(super) fn length([rows, cols]: [usize; 2], layout: &Layout, element: Element) -> usize {
    let (chunk, [down, across]) = (layout.chunk(), layout.inner());
    let chunks = rows.div_ceil(chunk[0]) * cols.div_ceil(chunk[1]);
    let index = if down * across > 1 { index_length(layout) } else { 0 };
    chunks * chunk_length(layout, element) + index
}

/// Reads the chunk at `inner` (row, column) of the object in `file`, padding included.
///
/// # Errors
/// What the system says, `InvalidData` for an object that is truncated or altered.
pub(super) fn read_chunk(
    file: &mut File,
    inner: [usize; 2],
    layout: &Layout,
    element: Element,
) -> io::Result<Array2<f64>> {
    let [down, across] = layout.inner();
    let size = file.metadata()?.len();
    let due = chunk_length(layout, element) as u64;
    let (start, found) = if down * across == 1 {
        (0, size)
    } else {
        let index_length = index_length(layout) as u64;
        let at = size.checked_sub(index_length).ok_or_else(|| damaged("it is truncated"))?;
        let mut index = vec![0; index_length as usize];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut index)?;
        let entries = checked(&index)?;
        let entry = &entries[(inner[0] * across + inner[1]) * ENTRY..][..ENTRY];
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("half an entry has 8 bytes"));
        (number(&entry[..8]), number(&entry[8..]))
    };
    if found != due || start.checked_add(due).is_none_or(|end| end > size) {
        return Err(damaged("it is truncated"));
    }
    let mut bytes = vec![0; due as usize];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut bytes)?;
    let values = checked(&bytes)?;
    let values = match element {
        Element::F32 => values.as_chunks().0.iter().map(|&le| f64::from(f32::from_le_bytes(le))).collect(),
        Element::F64 => values.as_chunks().0.iter().map(|&le| f64::from_le_bytes(le)).collect(),
    };
    let [rows, cols] = layout.chunk();
    Array2::from_shape_vec((rows, cols), values).map_err(io::Error::other)
}

fn encode_chunk(bytes: &mut Vec<u8>, values: ArrayView2<'_, f64>, chunk: [usize; 2], element: Element) {
    let start = bytes.len();
    for row in 0..chunk[0] {
        let stored = if row < values.nrows() { values.ncols() } else { 0 };
        for &value in values.row(row.min(values.nrows() - 1)).iter().take(stored) {
            match element {
                Element::F32 => bytes.extend((value as f32).to_le_bytes()),
                Element::F64 => bytes.extend(value.to_le_bytes()),
            }
        }
        // Bits of NaN by their number: arithmetic may give NaN any sign and payload.
        for _ in stored..chunk[1] {
            match element {
                Element::F32 => bytes.extend(0x7fc0_0000_u32.to_le_bytes()),
                Element::F64 => bytes.extend(0x7ff8_0000_0000_0000_u64.to_le_bytes()),
            }
        }
    }
    let sum = crc32c::crc32c(&bytes[start..]);
    bytes.extend(sum.to_le_bytes());
}

fn chunk_length(layout: &Layout, element: Element) -> usize {
    layout.chunk().iter().product::<usize>() * element.bytes() + SUM
}

fn index_length(layout: &Layout) -> usize {
    layout.inner().iter().product::<usize>() * ENTRY + SUM
}

/// The bytes before a checksum that they agree with.
fn checked(bytes: &[u8]) -> io::Result<&[u8]> {
    match bytes.split_last_chunk::<SUM>() {
        Some((content, sum)) if crc32c::crc32c(content).to_le_bytes() == *sum => Ok(content),
        _ => Err(damaged("its checksum is wrong")),
    }
}

fn damaged(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
