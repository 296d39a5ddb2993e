//! Molecules as inputs: the potentials their atoms see, and which atoms are compared.

use std::fmt;

use crate::{
    Samples,
    arch::{ArchError, Keys, Section},
    samples::Molecule,
};

/// How the surroundings of an atom become a signal on the sphere: atom i sees, in the direction x,
/// f_{Z,p}(x) = Σ_{j≠i, Z_j=Z} Z_i Z_j / r_ij^p · exp(−(r̂_ij·x − 1)²/β), β = −(cos(cutoff) − 1)²/ln 0.05,
/// one channel for each element Z and each power p.
#[derive(Clone, Debug, PartialEq)]
pub struct Potential {
    /// Atomic numbers, in the order of the channels; an atom of another element is an error.
    pub elements: Vec<u8>,
    /// Powers p of the distance in Å; the channel of element e and power p is e·powers + p.
    pub powers: Vec<f64>,
    /// The angle from the direction of a neighbour, in degrees, at which its signal has fallen to 5 %.
    pub cutoff_angle: f64,
}

impl Potential {
    /// Powers 2 and 6 and 45°, of these elements.
    pub fn new(elements: &[u8]) -> Potential {
        Potential { elements: elements.to_vec(), powers: vec![2.0, 6.0], cutoff_angle: 45.0 }
    }

    /// Number of channels: elements × powers.
    pub fn channels(&self) -> usize {
        self.elements.len() * self.powers.len()
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<Potential, ArchError> {
        let elements = keys
            .numbers("elements", ELEMENTS)?
            .ok_or_else(|| keys.missing("elements", "elements = [1, 6, 7, 8, 9]"))?;
        let as_element = |&z: &f64| u8::try_from(z as i64).ok().filter(|&e| f64::from(e) == z);
        let potential = Potential {
            elements: elements
                .iter()
                .map(as_element)
                .collect::<Option<_>>()
                .ok_or_else(|| keys.bad("elements", format!("{elements:?}"), ELEMENTS))?,
            powers: keys.numbers("powers", POWERS)?.unwrap_or_else(|| vec![2.0, 6.0]),
            cutoff_angle: keys.number("cutoff_angle")?.unwrap_or(45.0),
        };
        match potential.problem() {
            None => Ok(potential),
            Some((key, found, needs)) => Err(keys.bad(key, found, needs)),
        }
    }

    pub(super) fn write(&self, section: &mut Section) {
        let elements: Vec<usize> = self.elements.iter().map(|&z| z.into()).collect();
        section.counts("elements", &elements);
        section.numbers("powers", &self.powers);
        section.number("cutoff_angle", self.cutoff_angle);
    }

    /// What is wrong, if anything: the key, its value and what would do.
    pub(super) fn problem(&self) -> Option<(&'static str, String, &'static str)> {
        let repeated = |(i, z): (usize, &u8)| self.elements[..i].contains(z);
        let bad_elements = self.elements.is_empty()
            || self.elements.iter().any(|z| !(1..=118).contains(z))
            || self.elements.iter().enumerate().any(repeated);
        if bad_elements {
            return Some(("elements", format!("{:?}", self.elements), ELEMENTS));
        }
        if self.powers.is_empty() || self.powers.iter().any(|p| !(0.0..=24.0).contains(p)) {
            return Some(("powers", format!("{:?}", self.powers), POWERS));
        }
        let angle = self.cutoff_angle;
        let bad_angle = !(MIN_ANGLE..=180.0).contains(&angle);
        bad_angle.then(|| ("cutoff_angle", angle.to_string(), "an angle in degrees, from 1 to 180"))
    }

    /// Refuses an element without a channel.
    pub(super) fn check(&self, molecules: &[Molecule]) -> Result<(), ArchError> {
        for (m, molecule) in molecules.iter().enumerate() {
            let unknown = molecule.charges.iter().position(|z| !self.elements.contains(z));
            if let Some(atom) = unknown {
                let element = molecule.charges[atom];
                return Err(ArchError::UnknownElement {
                    molecule: m,
                    atom,
                    element,
                    known: format!("{:?}", self.elements),
                });
            }
        }
        Ok(())
    }
}

const ELEMENTS: &str = "different atomic numbers from 1 to 118, for example [1, 6, 7, 8, 9]";
const POWERS: &str = "numbers from 0 to 24, for example [2, 6]";
/// Below, the signal of a neighbour is narrower than any bandlimit resolves.
const MIN_ANGLE: f64 = 1.0;

/// Which atoms of two molecules are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AtomPairing {
    /// A network of its own for each atom: Σ_i k(f_i, f'_i) over the atoms that both molecules have. Depends on the order
    /// of the atoms.
    Indexed,
    /// One network for all atoms: Σ_i Σ_j k(f_i, f'_j). Does not depend on their order.
    Shared,
}

impl AtomPairing {
    /// The name in architecture files.
    pub fn name(self) -> &'static str {
        match self {
            AtomPairing::Indexed => "indexed",
            AtomPairing::Shared => "shared",
        }
    }

    /// The pairs of atoms (i, j) that are compared, of molecules with these numbers of atoms.
    pub fn pairs(self, atoms: usize, others: usize) -> impl Iterator<Item = (usize, usize)> {
        let all = self == AtomPairing::Shared;
        let rows = if all { atoms } else { atoms.min(others) };
        (0..rows).flat_map(move |i| if all { 0..others } else { i..i + 1 }.map(move |j| (i, j)))
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<AtomPairing, ArchError> {
        let choices = [AtomPairing::Indexed, AtomPairing::Shared].map(|pairing| (pairing.name(), pairing));
        keys.choice("atoms", &choices)?.ok_or_else(|| {
            keys.missing("atoms", "atoms = \"shared\" (one network for all atoms) or \"indexed\"")
        })
    }
}

impl fmt::Display for AtomPairing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was given, where molecules are needed or others were expected.
pub(super) fn kind(samples: &Samples) -> &'static str {
    match samples {
        Samples::Vectors(_) => "vectors",
        Samples::Images(_) => "images",
        Samples::Spheres(_) => "signals on the sphere",
        Samples::Molecules(_) => "molecules",
    }
}
