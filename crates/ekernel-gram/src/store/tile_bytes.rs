//! The bytes of a finished tile.
//!
//! Magic (16 bytes) · fingerprint of the computation (32) · first row, end of rows, first column,
//! end of columns, number of kernels (u64 each) · NNGP then NTK, row-major f64 · SHA-256 of all
//! that (32). Numbers are little-endian.

use ekernel_core::{KernelSet, Kernels};
use ndarray::Array2;
use sha2::{Digest, Sha256};

use crate::grid::Tile;

const MAGIC: &[u8; 16] = b"ekernel tile v2\n";
const CHECKSUM: usize = 32;
const HEADER: usize = MAGIC.len() + 32 + 5 * 8;

/// What there is of a tile.
#[derive(Debug)]
pub(crate) enum Found {
    /// The kernels that were asked for, their checksum verified.
    Whole(Kernels),
    /// Bytes that are truncated, altered or of another computation, or that cannot be read.
    Damaged,
    /// Nothing, or the NNGP alone where the NTK is asked for too.
    Missing,
}

/// Bytes of a tile.
pub(crate) fn size([rows, cols]: [usize; 2], kinds: KernelSet) -> u64 {
    let entries = (rows as u64).saturating_mul(cols as u64);
    entries.saturating_mul(8 * kinds.count() as u64).saturating_add((HEADER + CHECKSUM) as u64)
}

pub(crate) fn encode(fingerprint: &[u8; 32], tile: &Tile, kernels: &Kernels) -> Vec<u8> {
    let kinds = if kernels.ntk.is_some() { KernelSet::Both } else { KernelSet::Nngp };
    let mut bytes = header(fingerprint, tile, kinds);
    bytes.reserve_exact(size(tile.shape(), kinds) as usize - HEADER);
    for value in [Some(&kernels.nngp), kernels.ntk.as_ref()].into_iter().flatten().flatten() {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

pub(crate) fn decode(bytes: &[u8], fingerprint: &[u8; 32], tile: &Tile, asked: KernelSet) -> Found {
    let starts = |kinds: &KernelSet| {
        bytes.len() as u64 == size(tile.shape(), *kinds)
            && bytes.starts_with(&header(fingerprint, tile, *kinds))
    };
    let Some(stored) = [KernelSet::Nngp, KernelSet::Both].into_iter().find(starts) else {
        return Found::Damaged;
    };
    let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
    if Sha256::digest(content)[..] != *checksum {
        return Found::Damaged;
    }
    if stored.count() < asked.count() {
        return Found::Missing;
    }
    let [rows, cols] = tile.shape();
    let (nngp, ntk) = content[HEADER..].split_at(rows * cols * 8);
    let kernel = |bytes: &[u8]| {
        let values = bytes.as_chunks::<8>().0;
        Array2::from_shape_fn((rows, cols), |(i, j)| f64::from_le_bytes(values[i * cols + j]))
    };
    Found::Whole(Kernels { nngp: kernel(nngp), ntk: (asked == KernelSet::Both).then(|| kernel(ntk)) })
}

fn header(fingerprint: &[u8; 32], tile: &Tile, kinds: KernelSet) -> Vec<u8> {
    let numbers = [tile.rows.start, tile.rows.end, tile.cols.start, tile.cols.end, kinds.count()];
    let mut header = [MAGIC.as_slice(), fingerprint].concat();
    header.extend(numbers.into_iter().flat_map(|number| (number as u64).to_le_bytes()));
    header
}
