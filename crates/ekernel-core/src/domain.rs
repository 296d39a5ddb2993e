//! What a layer's feature map is a function on.

use std::fmt;

use crate::Group;

/// The set P of positions on which a feature map lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    /// One position: a plain feature vector.
    Vector,
    /// The pixels of a height × width image.
    Grid {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// A copy of the pixels for every element of H: the group H ⋉ Z² cut to the image.
    GroupGrid {
        /// The point group H.
        group: Group,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// The sphere S².
    Sphere {
        /// L: signals have the degrees l < L.
        bandlimit: usize,
    },
    /// The rotation group SO(3).
    Rotations {
        /// L of the convolution that made it; nonlinearities go beyond.
        bandlimit: usize,
    },
    /// A copy of another domain for every atom of a molecule.
    Atoms(PerAtom),
}

/// What a feature map is a function on at each atom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PerAtom {
    /// A feature vector per atom.
    Vector,
    /// A sphere around each atom.
    Sphere {
        /// L: signals have the degrees l < L.
        bandlimit: usize,
    },
    /// The rotation group at each atom.
    Rotations {
        /// L of the convolution that made it.
        bandlimit: usize,
    },
}

impl PerAtom {
    /// The domain of one atom on its own.
    pub fn alone(self) -> Domain {
        match self {
            PerAtom::Vector => Domain::Vector,
            PerAtom::Sphere { bandlimit } => Domain::Sphere { bandlimit },
            PerAtom::Rotations { bandlimit } => Domain::Rotations { bandlimit },
        }
    }
}

impl Domain {
    /// Height and width, if positions are pixels.
    pub fn extent(self) -> Option<[usize; 2]> {
        match self {
            Domain::Grid { height, width } | Domain::GroupGrid { height, width, .. } => Some([height, width]),
            Domain::Vector | Domain::Sphere { .. } | Domain::Rotations { .. } | Domain::Atoms(_) => None,
        }
    }

    /// The same kind of domain with another height and width; one without pixels stays as it is.
    pub fn resized(self, [height, width]: [usize; 2]) -> Domain {
        match self {
            Domain::Grid { .. } => Domain::Grid { height, width },
            Domain::GroupGrid { group, .. } => Domain::GroupGrid { group, height, width },
            Domain::Vector | Domain::Sphere { .. } | Domain::Rotations { .. } | Domain::Atoms(_) => self,
        }
    }

    /// Number of positions |P|. On the sphere and on SO(3) the number of independent values, which is that of the
    /// harmonic coefficients: L² and L(4L²−1)/3; with atoms that of one atom.
    pub fn positions(self) -> usize {
        match self {
            Domain::Vector => 1,
            Domain::Grid { height, width } => height * width,
            Domain::GroupGrid { group, height, width } => group.order() * height * width,
            Domain::Sphere { bandlimit } => bandlimit * bandlimit,
            Domain::Rotations { bandlimit } => bandlimit * (4 * bandlimit * bandlimit - 1) / 3,
            Domain::Atoms(each) => each.alone().positions(),
        }
    }

    /// The domain of one atom on its own, if this is a copy of it for each.
    pub fn per_atom(self) -> Option<PerAtom> {
        match self {
            Domain::Atoms(each) => Some(each),
            _ => None,
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Domain::Vector => f.write_str("a vector"),
            Domain::Grid { height, width } => write!(f, "a {height}×{width} grid"),
            Domain::GroupGrid { group, height, width } => {
                write!(f, "a {group} ⋉ {height}×{width} group grid")
            }
            Domain::Sphere { bandlimit } => write!(f, "a sphere of bandlimit {bandlimit}"),
            Domain::Rotations { bandlimit } => write!(f, "SO(3) at bandlimit {bandlimit}"),
            Domain::Atoms(each) => write!(f, "{} for every atom", each.alone()),
        }
    }
}
