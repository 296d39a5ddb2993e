//! The digest of a set of samples.

use ekernel_core::{BackendError, Control, Samples};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A set of samples, by the SHA-256 of its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    samples: usize,
    shape: Vec<usize>,
    sha256: String,
}

/// Bytes hashed between two looks at the control.
const BLOCK: usize = 1 << 16;

impl Set {
    pub(super) fn new(samples: &Samples, control: &Control) -> Result<Set, BackendError> {
        let kind = match samples {
            Samples::Vectors(_) => "vectors",
            Samples::Images(_) => "images",
            Samples::Spheres(_) => "spheres",
            Samples::Molecules(_) => "molecules",
        };
        let shape = samples.sample_shape();
        let mut hash = Sha256::new();
        hash.update(kind);
        for size in [samples.len()].iter().chain(&shape) {
            hash.update((*size as u64).to_le_bytes());
        }
        let mut values = Values { hash, block: Vec::with_capacity(BLOCK), control };
        match samples {
            Samples::Vectors(x) => values.feed(x.iter().copied())?,
            Samples::Images(x) => values.feed(x.iter().copied())?,
            Samples::Spheres(x) => values.feed(x.iter().copied())?,
            Samples::Molecules(molecules) => {
                for molecule in molecules.iter() {
                    // The number of atoms goes ahead, so that no two lists of molecules read alike.
                    values.feed([molecule.atoms() as f64])?;
                    values.feed(molecule.charges.iter().map(|&z| z.into()))?;
                    values.feed(molecule.positions.iter().copied())?;
                }
            }
        }
        Ok(Set { samples: samples.len(), shape, sha256: values.finish() })
    }

    pub(super) fn describe(&self) -> String {
        let Set { samples, shape, sha256 } = self;
        let start: String = sha256.chars().take(16).collect();
        format!("{samples} samples of shape {shape:?} with SHA-256 {start}…")
    }
}

/// A set of samples in words: how many, their shape and the digest of their values.
///
/// # Errors
/// [`BackendError::Cancelled`].
pub fn describe_samples(samples: &Samples, control: &Control) -> Result<String, BackendError> {
    Ok(Set::new(samples, control)?.describe())
}

struct Values<'a> {
    hash: Sha256,
    block: Vec<u8>,
    control: &'a Control,
}

impl Values<'_> {
    fn feed(&mut self, values: impl IntoIterator<Item = f64>) -> Result<(), BackendError> {
        for value in values {
            self.block.extend_from_slice(&value.to_le_bytes());
            if self.block.len() >= BLOCK {
                self.control.check()?;
                self.hash.update(&self.block);
                self.block.clear();
            }
        }
        Ok(())
    }

    fn finish(mut self) -> String {
        self.hash.update(&self.block);
        self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Array4};

    fn digest(samples: &Samples) -> String {
        Set::new(samples, &Control::new()).unwrap().sha256
    }

    #[test]
    fn the_digest_of_a_set_is_the_sha_256_of_its_bytes() {
        // sha256(b"vectors" + struct.pack("<2Q2d", 1, 2, 1.0, -0.5)) in Python.
        let samples = Samples::Vectors(Array2::from_shape_vec((1, 2), vec![1.0, -0.5]).unwrap());
        assert_eq!(digest(&samples), PYTHON);
    }

    const PYTHON: &str = "b77e573e7a1aec725b8defa3dc9ffe595544fd44d9f59c0cbe8f562a756d4cfa";

    #[test]
    fn shape_kind_and_every_bit_count() {
        let values: Vec<f64> = (0..24_000).map(f64::from).collect();
        let images =
            |shape, values: &[f64]| Samples::Images(Array4::from_shape_vec(shape, values.to_vec()).unwrap());
        let base = digest(&images((4, 20, 100, 3), &values));
        assert_eq!(base, digest(&images((4, 20, 100, 3), &values)));
        assert_ne!(base, digest(&images((4, 100, 20, 3), &values)));
        let vectors = Samples::Vectors(Array2::from_shape_vec((4, 6000), values.clone()).unwrap());
        assert_ne!(base, digest(&vectors));
        for position in [0, 8191, 8192, 23_999] {
            let mut changed = values.clone();
            changed[position] = f64::from_bits(changed[position].to_bits() ^ 1);
            assert_ne!(base, digest(&images((4, 20, 100, 3), &changed)), "value {position}");
        }
    }
}
