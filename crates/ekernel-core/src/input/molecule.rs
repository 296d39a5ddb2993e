//! Molecules as inputs: the potentials their atoms see, and which atoms are compared.

use std::fmt;

use crate::{
    ArchError, Samples,
    keys::{Keys, Section},
    samples::Molecule,
};

/// How the surroundings of an atom become a signal on the sphere: atom i sees, in the direction x,
/// f_{Z,n}(x) = Σ_{j≠i, Z_j=Z} (Z_i Z_j)^a h_n(r_ij) · exp(−(r̂_ij·x − 1)²/β), β = −(cos(cutoff) − 1)²/ln 0.05,
/// one channel for each element Z and each function h_n of the distance: r^−p for every power p, then
/// r^−s exp(−(r − R)²/2w²) for every shell R.
#[derive(Clone, Debug, PartialEq)]
pub struct AtomDescriptor {
    /// Atomic numbers, in the order of the channels; an atom of another element is an error. The channel of element e and
    /// function n of the distance is e·(powers + shells) + n.
    pub elements: Vec<u8>,
    /// Elements of the atoms that have a signal (a network is made for, a sum runs over); the others are only seen.
    pub centers: Vec<u8>,
    /// Powers p of the distance in Å.
    pub powers: Vec<f64>,
    /// Radii R of shells in Å.
    pub shells: Vec<f64>,
    /// Width w of the shells in Å.
    pub shell_width: f64,
    /// s: the power of the distance by which shells fall off; 0 for shells that all count alike.
    pub shell_power: f64,
    /// a: 1 for the product of the charges, 0 for signals that do not depend on them.
    pub charge_power: f64,
    /// The angle from the direction of a neighbour, in degrees, at which its signal has fallen to 5 %.
    pub cutoff_angle: f64,
}

impl AtomDescriptor {
    /// Powers 2 and 6, the product of the charges, and 45°, around all atoms of these elements.
    pub fn new(elements: &[u8]) -> AtomDescriptor {
        AtomDescriptor {
            elements: elements.to_vec(),
            centers: elements.to_vec(),
            powers: vec![2.0, 6.0],
            shells: vec![],
            shell_width: 0.5,
            shell_power: 0.0,
            charge_power: 1.0,
            cutoff_angle: 45.0,
        }
    }

    /// Number of functions of the distance: powers, then shells.
    pub fn radial(&self) -> usize {
        self.powers.len() + self.shells.len()
    }

    /// Number of channels: elements × functions of the distance.
    pub fn channels(&self) -> usize {
        self.elements.len() * self.radial()
    }

    /// (Z_i Z_j)^a h_n(r): what an atom at distance r in Å adds to the channel of its element and of function n.
    pub fn strength(&self, n: usize, distance: f64, charges: [u8; 2]) -> f64 {
        let product = f64::from(charges[0]) * f64::from(charges[1]);
        let radial = match self.powers.get(n) {
            Some(power) => distance.powf(-power),
            None => {
                let from = (distance - self.shells[n - self.powers.len()]) / self.shell_width;
                (-0.5 * from * from).exp() * distance.powf(-self.shell_power)
            }
        };
        product.powf(self.charge_power) * radial
    }

    /// The atoms of a molecule that have a signal, in their order.
    pub fn centers(&self, molecule: &Molecule) -> Vec<usize> {
        (0..molecule.atoms()).filter(|&atom| self.centers.contains(&molecule.charges[atom])).collect()
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<AtomDescriptor, ArchError> {
        let elements = atomic_numbers(keys, "elements", ELEMENTS)?
            .ok_or_else(|| keys.missing("elements", "elements = [1, 6, 7, 8, 9]"))?;
        let centers = atomic_numbers(keys, "centers", CENTERS)?;
        let shells = keys.numbers("shells", SHELLS)?;
        let shell_width = keys.number("shell_width")?;
        let shell_power = keys.number("shell_power")?;
        for (key, number) in [("shell_width", shell_width), ("shell_power", shell_power)] {
            if let (Some(number), None) = (number, &shells) {
                return Err(keys.bad(key, number, "left out where there are no shells"));
            }
        }
        let all = AtomDescriptor::new(&elements);
        let powers = if shells.is_some() { vec![] } else { all.powers };
        let potential = AtomDescriptor {
            elements,
            centers: centers.unwrap_or(all.centers),
            powers: keys.numbers("powers", POWERS)?.unwrap_or(powers),
            shells: shells.unwrap_or_default(),
            shell_width: shell_width.unwrap_or(all.shell_width),
            shell_power: shell_power.unwrap_or(all.shell_power),
            charge_power: keys.number("charge_power")?.unwrap_or(all.charge_power),
            cutoff_angle: keys.number("cutoff_angle")?.unwrap_or(all.cutoff_angle),
        };
        match potential.problem() {
            None => Ok(potential),
            Some((key, found, needs)) => Err(keys.bad(key, found, needs)),
        }
    }

    pub(super) fn write(&self, section: &mut Section) {
        let elements: Vec<usize> = self.elements.iter().map(|&z| z.into()).collect();
        section.counts("elements", &elements);
        let default = AtomDescriptor::new(&self.elements);
        if self.centers != default.centers {
            section.counts("centers", &self.centers.iter().map(|&z| z.into()).collect::<Vec<usize>>());
        }
        section.numbers("powers", &self.powers);
        if !self.shells.is_empty() {
            section.numbers("shells", &self.shells);
            section.number("shell_width", self.shell_width);
            if self.shell_power != default.shell_power {
                section.number("shell_power", self.shell_power);
            }
        }
        if self.charge_power != default.charge_power {
            section.number("charge_power", self.charge_power);
        }
        section.number("cutoff_angle", self.cutoff_angle);
    }

    /// What is wrong, if anything: the key, its value and what would do.
    pub(super) fn problem(&self) -> Option<(&'static str, String, &'static str)> {
        if !are_elements(&self.elements) {
            return Some(("elements", format!("{:?}", self.elements), ELEMENTS));
        }
        if !are_elements(&self.centers) || self.centers.iter().any(|z| !self.elements.contains(z)) {
            return Some(("centers", format!("{:?}", self.centers), CENTERS));
        }
        let no_channel = self.radial() == 0;
        if no_channel || self.powers.iter().any(|p| !(0.0..=24.0).contains(p)) {
            return Some(("powers", format!("{:?}", self.powers), POWERS));
        }
        if self.shells.iter().any(|radius| !(0.0..=MAX_RADIUS).contains(radius)) {
            return Some(("shells", format!("{:?}", self.shells), SHELLS));
        }
        if !(MIN_WIDTH..=MAX_RADIUS).contains(&self.shell_width) {
            return Some(("shell_width", self.shell_width.to_string(), WIDTH));
        }
        if !(0.0..=24.0).contains(&self.shell_power) {
            return Some(("shell_power", self.shell_power.to_string(), SHELL_POWER));
        }
        if !(-4.0..=4.0).contains(&self.charge_power) {
            return Some(("charge_power", self.charge_power.to_string(), CHARGE_POWER));
        }
        let angle = self.cutoff_angle;
        let bad_angle = !(MIN_ANGLE..=180.0).contains(&angle);
        bad_angle.then(|| ("cutoff_angle", angle.to_string(), "an angle in degrees, from 1 to 180"))
    }

    /// Refuses an element without a channel, and molecules of which no atom has a signal.
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
            if self.centers(molecule).is_empty() {
                return Err(ArchError::NoCenter { molecule: m, centers: format!("{:?}", self.centers) });
            }
        }
        Ok(())
    }
}

fn atomic_numbers(
    keys: &mut Keys<'_>,
    key: &'static str,
    needs: &'static str,
) -> Result<Option<Vec<u8>>, ArchError> {
    let Some(list) = keys.numbers(key, needs)? else { return Ok(None) };
    let element = |&z: &f64| u8::try_from(z as i64).ok().filter(|&e| f64::from(e) == z);
    let elements: Option<Vec<u8>> = list.iter().map(element).collect();
    elements.map(Some).ok_or_else(|| keys.bad(key, format!("{list:?}"), needs))
}

fn are_elements(list: &[u8]) -> bool {
    let repeated = |(i, z): (usize, &u8)| list[..i].contains(z);
    !list.is_empty() && list.iter().all(|z| (1..=118).contains(z)) && !list.iter().enumerate().any(repeated)
}

/// Molecules of each set whose pairs of atoms are counted for a mean.
const COUNTED: usize = 16;

const ELEMENTS: &str = "different atomic numbers from 1 to 118, for example [1, 6, 7, 8, 9]";
const CENTERS: &str = "different atomic numbers out of `elements`, for example [6, 7, 8, 9]";
const POWERS: &str = "numbers from 0 to 24, for example [2, 6], or shells";
const SHELLS: &str = "radii in Å from 0 to 1000, for example [1, 1.5, 2, 3]";
const WIDTH: &str = "a width in Å from 0.001 to 1000";
const SHELL_POWER: &str = "a number from 0 to 24";
const CHARGE_POWER: &str = "a number from -4 to 4";
/// In Å.
const MAX_RADIUS: f64 = 1000.0;
/// In Å; far below what nuclei move.
const MIN_WIDTH: f64 = 1e-3;
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
    /// One network for the atoms of each element: Σ_i Σ_j k(f_i, f'_j) over pairs of one element. Does not depend on their
    /// order, and has fewer pairs.
    Elements,
}

impl AtomPairing {
    /// The name in architecture files.
    pub fn name(self) -> &'static str {
        match self {
            AtomPairing::Indexed => "indexed",
            AtomPairing::Shared => "shared",
            AtomPairing::Elements => "elements",
        }
    }

    /// The pairs (i, j) that are compared, of the atoms with a signal of two molecules, whose atomic numbers are these.
    pub fn pairs(self, first: &[u8], second: &[u8]) -> impl Iterator<Item = (usize, usize)> {
        first.iter().enumerate().flat_map(move |(i, z)| {
            let columns = match self {
                AtomPairing::Indexed => i.min(second.len())..(i + 1).min(second.len()),
                AtomPairing::Shared | AtomPairing::Elements => 0..second.len(),
            };
            let wanted = move |&j: &usize| self != AtomPairing::Elements || second[j] == *z;
            columns.filter(wanted).map(move |j| (i, j))
        })
    }

    /// How many pairs of atoms a pair of molecules has on average, counted on some molecules of each set, evenly spaced; at
    /// least 1.
    pub fn mean_pairs<A: AsRef<[u8]>>(self, first: &[A], second: &[A]) -> f64 {
        let some = |set: &'_ [A]| -> Vec<usize> {
            (0..set.len()).step_by(set.len().div_ceil(COUNTED).max(1)).collect()
        };
        let (rows, cols) = (some(first), some(second));
        let count = |row: usize| -> usize {
            cols.iter().map(|&col| self.pairs(first[row].as_ref(), second[col].as_ref()).count()).sum()
        };
        let pairs: usize = rows.iter().map(|&row| count(row)).sum();
        (pairs as f64 / (rows.len() * cols.len()).max(1) as f64).max(1.0)
    }

    pub(super) fn read(keys: &mut Keys<'_>) -> Result<AtomPairing, ArchError> {
        let all = [AtomPairing::Indexed, AtomPairing::Shared, AtomPairing::Elements];
        let choices = all.map(|pairing| (pairing.name(), pairing));
        keys.choice("atoms", &choices)?.ok_or_else(|| {
            let example = "atoms = \"shared\" (one network for all atoms), \"elements\" or \"indexed\"";
            keys.missing("atoms", example)
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
