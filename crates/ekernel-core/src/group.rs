//! The finite point groups of the square grid: C1, C2, C4, D1, D2, D4.

use std::fmt;

use ndarray::{Array3, ArrayView3};

/// A finite group H of rotations by quarter turns and reflections of the plane; the network's symmetry group is
/// H ⋉ Z². `Cn` holds n rotations, `Dn` those and their products with the left-right flip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// The trivial group.
    C1,
    /// Half turns.
    C2,
    /// Quarter turns.
    C4,
    /// The left-right flip.
    D1,
    /// Half turns and flips.
    D2,
    /// All eight symmetries of the square.
    D4,
}

/// An element r^turns · flip^flip of [`Group::D4`]: the flip (row, col) → (row, −col) acts first, then `turns` quarter
/// turns rot(dy, dx) = (−dx, dy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupElement {
    turns: u8,
    flip: bool,
}

impl Group {
    /// Every group, smallest first.
    pub const ALL: [Group; 6] = [Group::C1, Group::C2, Group::C4, Group::D1, Group::D2, Group::D4];

    /// The group's name in architecture files.
    pub fn name(self) -> &'static str {
        match self {
            Group::C1 => "C1",
            Group::C2 => "C2",
            Group::C4 => "C4",
            Group::D1 => "D1",
            Group::D2 => "D2",
            Group::D4 => "D4",
        }
    }

    /// Number of elements |H|.
    pub fn order(self) -> usize {
        self.elements().len()
    }

    /// The elements; the first is the identity.
    pub fn elements(self) -> Vec<GroupElement> {
        let (step, flips): (u8, &[bool]) = match self {
            Group::C1 => (4, &[false]),
            Group::C2 => (2, &[false]),
            Group::C4 => (1, &[false]),
            Group::D1 => (4, &[false, true]),
            Group::D2 => (2, &[false, true]),
            Group::D4 => (1, &[false, true]),
        };
        flips
            .iter()
            .flat_map(|&flip| (0..4).step_by(step as usize).map(move |turns| GroupElement { turns, flip }))
            .collect()
    }

    /// Whether some element exchanges rows and columns, so that images and windows must be square.
    pub fn swaps_axes(self) -> bool {
        self.elements().iter().any(|g| g.swaps_axes())
    }

    /// Whether some element reverses the rows, and whether some reverses the columns.
    pub fn reversed_axes(self) -> [bool; 2] {
        let images = |y, x| self.elements().into_iter().map(move |g| g.act([y, x]));
        [images(1, 0).any(|p| p == [-1, 0]), images(0, 1).any(|p| p == [0, -1])]
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl GroupElement {
    /// The neutral element.
    pub const IDENTITY: GroupElement = GroupElement { turns: 0, flip: false };

    /// The image of the offset (dy, dx), rows and columns measured from the centre.
    pub fn act(self, [dy, dx]: [isize; 2]) -> [isize; 2] {
        let mut p = [dy, if self.flip { -dx } else { dx }];
        for _ in 0..self.turns {
            p = [-p[1], p[0]];
        }
        p
    }

    /// The product self·other (other acts first).
    pub fn compose(self, other: GroupElement) -> GroupElement {
        let turns = if self.flip { 4 + self.turns - other.turns } else { self.turns + other.turns };
        GroupElement { turns: turns % 4, flip: self.flip != other.flip }
    }

    /// The inverse element.
    pub fn inverse(self) -> GroupElement {
        if self.flip { self } else { GroupElement { turns: (4 - self.turns) % 4, flip: false } }
    }

    /// Whether rows become columns.
    pub fn swaps_axes(self) -> bool {
        self.turns % 2 == 1
    }

    /// The image g·f, (g·f)(p) = f(g⁻¹p) with p measured from the centre. Shapes: (H, W, C) to (H, W, C), or (W, H, C)
    /// if the element swaps the axes.
    pub fn apply(self, image: ArrayView3<'_, f64>) -> Array3<f64> {
        let (height, width, channels) = image.dim();
        let (rows, cols) = if self.swaps_axes() { (width, height) } else { (height, width) };
        let inverse = self.inverse();
        Array3::from_shape_fn((rows, cols, channels), |(row, col, channel)| {
            let doubled = |i: usize, n: usize| 2 * i as isize - (n as isize - 1);
            let [y, x] = inverse.act([doubled(row, rows), doubled(col, cols)]);
            let pixel = |p: isize, n: usize| ((p + n as isize - 1) / 2) as usize;
            image[[pixel(y, height), pixel(x, width), channel]]
        })
    }
}

impl fmt::Display for GroupElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.turns, self.flip) {
            (0, false) => f.write_str("e"),
            (turns, false) => write!(f, "r{turns}"),
            (0, true) => f.write_str("s"),
            (turns, true) => write!(f, "r{turns}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_axioms_hold_and_match_the_action() {
        for group in Group::ALL {
            let elements = group.elements();
            assert_eq!(elements[0], GroupElement::IDENTITY);
            for &g in &elements {
                assert_eq!(g.compose(g.inverse()), GroupElement::IDENTITY, "{group} {g}");
                for &h in &elements {
                    assert!(elements.contains(&g.compose(h)), "{group} is not closed under {g}·{h}");
                    assert_eq!(g.compose(h).act([2, 5]), g.act(h.act([2, 5])), "{group} {g}·{h}");
                }
            }
        }
        assert_eq!(Group::ALL.map(Group::order), [1, 2, 4, 2, 4, 8]);
    }

    #[test]
    fn images_move_as_the_convention_says() {
        // 2×3 image with pixel value 10·row + col.
        let image = Array3::from_shape_fn((2, 3, 1), |(r, c, _)| (10 * r + c) as f64);
        let quarter = GroupElement { turns: 1, flip: false };
        // rot(dy, dx) = (−dx, dy): the right edge goes to the top.
        let turned = quarter.apply(image.view());
        assert_eq!(turned.dim(), (3, 2, 1));
        assert_eq!(turned.iter().copied().collect::<Vec<_>>(), [2., 12., 1., 11., 0., 10.]);
        let flipped = GroupElement { turns: 0, flip: true }.apply(image.view());
        assert_eq!(flipped.iter().copied().collect::<Vec<_>>(), [2., 1., 0., 12., 11., 10.]);
        for g in Group::D4.elements() {
            for h in Group::D4.elements() {
                let both = g.apply(h.apply(image.view()).view());
                assert_eq!(both, g.compose(h).apply(image.view()), "{g}·{h}");
            }
        }
    }

    #[test]
    fn reversed_axes() {
        assert_eq!(Group::C1.reversed_axes(), [false, false]);
        assert_eq!(Group::D1.reversed_axes(), [false, true]);
        assert_eq!(Group::C2.reversed_axes(), [true, true]);
        assert_eq!(Group::D4.reversed_axes(), [true, true]);
        assert!(Group::C4.swaps_axes() && Group::D4.swaps_axes() && !Group::D2.swaps_axes());
    }
}
