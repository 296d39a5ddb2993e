//! The bytes of a finished tile.
//!
//! Magic (16 bytes) · fingerprint of the manifest (32) · first row, end of rows, first column, end of columns, number of
//! kernels (u64 each) · NNGP then NTK, row-major f64 · SHA-256 of all that (32). Numbers are little-endian.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use ekernel_core::{KernelSet, Kernels};
use ndarray::Array2;
use sha2::{Digest, Sha256};

use crate::Tile;

const MAGIC: &[u8; 16] = b"ekernel tile v1\n";
const CHECKSUM: usize = 32;

/// What is there of a tile.
#[derive(Debug)]
pub(crate) enum Found {
    /// The tile, its checksum verified.
    Whole(Kernels),
    /// A file that is truncated, altered, of another computation, or cannot be read: the tile is to be computed anew.
    Damaged,
    /// Nothing.
    Missing,
}

pub(super) fn write(
    out: &mut dyn Write,
    fingerprint: &[u8; 32],
    tile: &Tile,
    kernels: &Kernels,
) -> io::Result<()> {
    let count = if kernels.ntk.is_some() { 2 } else { 1 };
    let mut out = Checked { out, checksum: Sha256::new() };
    out.write_all(&header(fingerprint, tile, count))?;
    for value in [Some(&kernels.nngp), kernels.ntk.as_ref()].into_iter().flatten().flatten() {
        out.write_all(&value.to_le_bytes())?;
    }
    let Checked { out, checksum } = out;
    out.write_all(&checksum.finalize())
}

pub(super) fn read(path: &Path, fingerprint: &[u8; 32], tile: &Tile, kinds: KernelSet) -> Found {
    let header = header(fingerprint, tile, kinds.count());
    let [rows, cols] = tile.shape();
    let block = rows * cols * 8;
    let size = header.len() + block * kinds.count() + CHECKSUM;
    match fs::metadata(path) {
        Ok(file) if file.is_file() && file.len() == size as u64 => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Missing,
        _ => return Found::Damaged,
    }
    let Ok(bytes) = fs::read(path) else { return Found::Damaged };
    if bytes.len() != size || !bytes.starts_with(&header) {
        return Found::Damaged;
    }
    let (content, checksum) = bytes.split_at(size - CHECKSUM);
    if Sha256::digest(content)[..] != *checksum {
        return Found::Damaged;
    }
    let (nngp, ntk) = content[header.len()..].split_at(block);
    let kernel = |bytes: &[u8]| {
        let values = bytes.as_chunks::<8>().0;
        Array2::from_shape_fn((rows, cols), |(i, j)| f64::from_le_bytes(values[i * cols + j]))
    };
    Found::Whole(Kernels { nngp: kernel(nngp), ntk: (kinds == KernelSet::Both).then(|| kernel(ntk)) })
}

fn header(fingerprint: &[u8; 32], tile: &Tile, kernels: usize) -> Vec<u8> {
    let numbers = [tile.rows.start, tile.rows.end, tile.cols.start, tile.cols.end, kernels];
    let mut header = [MAGIC.as_slice(), fingerprint].concat();
    header.extend(numbers.into_iter().flat_map(|number| (number as u64).to_le_bytes()));
    header
}

/// Writes through and takes the checksum on the way.
struct Checked<'a> {
    out: &'a mut dyn Write,
    checksum: Sha256,
}

impl Write for Checked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.checksum.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
