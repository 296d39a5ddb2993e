//! What a resume folder holds tiles of.

use std::{fs, io, path::Path};

use ekernel_core::{BackendError, Control, KernelSet, Pairs, Samples};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Difference, GramError};

/// The layout of the folder and its files; a run refuses any other.
const FORMAT: u64 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format: u64,
    pub(super) computation: Computation,
    /// The tile shape as the grid was cut.
    pub(super) tile: [usize; 2],
}

/// Everything a kernel value depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Computation {
    version: String,
    architecture: String,
    kernels: String,
    backend: String,
    first: Set,
    /// Absent of one set with itself.
    second: Option<Set>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    samples: usize,
    shape: Vec<usize>,
    sha256: String,
}

impl Manifest {
    pub(super) fn new(computation: Computation, tile: [usize; 2]) -> Manifest {
        Manifest { format: FORMAT, computation, tile }
    }

    /// Reads the manifest of `folder`, if it has one.
    pub(super) fn read(folder: &Path, path: &Path) -> Result<Option<Manifest>, GramError> {
        let damaged = |problem: String| GramError::Manifest { path: path.to_owned(), problem };
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(damaged(error.to_string())),
        };
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            None => return Err(damaged("it has no number `format`".to_owned())),
            Some(FORMAT) => {}
            Some(other) => {
                let differences = vec![difference("the format of the folder", other, FORMAT)];
                return Err(GramError::Differs { folder: folder.to_owned(), differences });
            }
        }
        let manifest: Manifest = serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
        if manifest.tile.contains(&0) {
            return Err(damaged("its tile shape has a side of 0".to_owned()));
        }
        Ok(Some(manifest))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("strings and numbers have a JSON form")
    }

    /// What ties a tile to this computation and grid.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(self.to_bytes()).into()
    }
}

impl Computation {
    pub(crate) fn new(
        architecture: &str,
        kinds: KernelSet,
        backend: &str,
        pairs: &Pairs,
        control: &Control,
    ) -> Result<Computation, BackendError> {
        let second = if pairs.is_symmetric() { None } else { Some(Set::new(pairs.second(), control)?) };
        Ok(Computation {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            architecture: architecture.to_owned(),
            kernels: match kinds {
                KernelSet::Nngp => "NNGP",
                KernelSet::Both => "NNGP and NTK",
            }
            .to_owned(),
            backend: backend.to_owned(),
            first: Set::new(pairs.first(), control)?,
            second,
        })
    }

    /// Everything in which a stored computation (`self`) and this one differ.
    pub(super) fn differences(&self, now: &Computation) -> Vec<Difference> {
        let mut found = Vec::new();
        for (what, stored, now) in [
            ("the version of ekernel", &self.version, &now.version),
            ("the kernels", &self.kernels, &now.kernels),
            ("the backend", &self.backend, &now.backend),
        ] {
            if stored != now {
                found.push(difference(what, format_args!("\"{stored}\""), format_args!("\"{now}\"")));
            }
        }
        found.extend(first_line_that_differs(&self.architecture, &now.architecture));
        if self.first != now.first {
            found.push(difference("the first set", self.first.describe(), now.first.describe()));
        }
        if self.second != now.second {
            let describe =
                |set: &Option<Set>| set.as_ref().map_or("the first again".to_owned(), Set::describe);
            found.push(difference("the second set", describe(&self.second), describe(&now.second)));
        }
        found
    }
}

impl Set {
    fn new(samples: &Samples, control: &Control) -> Result<Set, BackendError> {
        let owned: Vec<f64>;
        let (kind, values): (_, Box<dyn Iterator<Item = &f64>>) = match samples {
            Samples::Vectors(x) => ("vectors", Box::new(x.iter())),
            Samples::Images(x) => ("images", Box::new(x.iter())),
            Samples::Spheres(x) => ("spheres", Box::new(x.iter())),
            Samples::Molecules(molecules) => {
                // Each molecule's number of atoms goes ahead of its numbers, so that no two lists read alike.
                let numbers: Vec<f64> = molecules
                    .iter()
                    .flat_map(|molecule| {
                        let atoms = [molecule.atoms() as f64];
                        let charges = molecule.charges.iter().map(|&z| z.into());
                        atoms.into_iter().chain(charges).chain(molecule.positions.iter().copied())
                    })
                    .collect();
                owned = numbers;
                ("molecules", Box::new(owned.iter()))
            }
        };
        let shape = samples.sample_shape();
        let mut hash = Sha256::new();
        hash.update(kind);
        for size in [samples.len()].iter().chain(&shape) {
            hash.update((*size as u64).to_le_bytes());
        }
        let mut block = Vec::with_capacity(BLOCK);
        for value in values {
            block.extend_from_slice(&value.to_le_bytes());
            if block.len() == BLOCK {
                control.check()?;
                hash.update(&block);
                block.clear();
            }
        }
        hash.update(&block);
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Set { samples: samples.len(), shape, sha256 })
    }

    fn describe(&self) -> String {
        let Set { samples, shape, sha256 } = self;
        let start: String = sha256.chars().take(16).collect();
        format!("{samples} samples of shape {shape:?} with SHA-256 {start}…")
    }
}

/// Bytes hashed at a time.
const BLOCK: usize = 1 << 16;

fn difference(what: &str, stored: impl ToString, now: impl ToString) -> Difference {
    Difference { what: what.to_owned(), stored: stored.to_string(), now: now.to_string() }
}

/// Architectures are a page long: the first line that differs is what helps.
fn first_line_that_differs(stored: &str, now: &str) -> Option<Difference> {
    if stored == now {
        return None;
    }
    let (mut stored, mut now) = (stored.lines(), now.lines());
    for line in 1.. {
        let quoted =
            |line: Option<&str>| line.map_or("the end".to_owned(), |line| format!("\"{}\"", line.trim()));
        match (stored.next(), now.next()) {
            (Some(a), Some(b)) if a == b => {}
            (None, None) => break,
            (a, b) => {
                return Some(difference(&format!("line {line} of the architecture"), quoted(a), quoted(b)));
            }
        }
    }
    Some(difference("the line ends of the architecture", "of one kind", "of another"))
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
        assert_ne!(
            base,
            digest(&Samples::Vectors(Array2::from_shape_vec((4, 6000), values.clone()).unwrap()))
        );
        for position in [0, 8191, 8192, 23_999] {
            let mut changed = values.clone();
            changed[position] = f64::from_bits(changed[position].to_bits() ^ 1);
            assert_ne!(base, digest(&images((4, 20, 100, 3), &changed)), "value {position}");
        }
    }

    #[test]
    fn a_difference_names_the_line() {
        let line = |stored, now| first_line_that_differs(stored, now).map(|found| found.to_string());
        assert_eq!(line("a\nb", "a\nb"), None);
        assert_eq!(
            line("a\n  b = 1\nc", "a\nb = 2\nd").unwrap(),
            "line 2 of the architecture there is \"b = 1\", here \"b = 2\""
        );
        assert_eq!(line("a", "a\nb").unwrap(), "line 2 of the architecture there is the end, here \"b\"");
        assert!(line("a\nb", "a\r\nb").unwrap().contains("line ends"));
    }
}
