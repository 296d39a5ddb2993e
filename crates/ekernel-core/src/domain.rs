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
}

impl Domain {
    /// Height and width, if positions are pixels.
    pub fn extent(self) -> Option<[usize; 2]> {
        match self {
            Domain::Vector => None,
            Domain::Grid { height, width } | Domain::GroupGrid { height, width, .. } => Some([height, width]),
        }
    }

    /// The same kind of domain with another height and width; a vector stays a vector.
    pub fn resized(self, [height, width]: [usize; 2]) -> Domain {
        match self {
            Domain::Vector => Domain::Vector,
            Domain::Grid { .. } => Domain::Grid { height, width },
            Domain::GroupGrid { group, .. } => Domain::GroupGrid { group, height, width },
        }
    }

    /// Number of positions |P|.
    pub fn positions(self) -> usize {
        match self {
            Domain::Vector => 1,
            Domain::Grid { height, width } => height * width,
            Domain::GroupGrid { group, height, width } => group.order() * height * width,
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
        }
    }
}
