//! Sliding windows: sizes, strides, padding.

use std::fmt;

/// What lies beyond the border of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Padding {
    /// Windows stay inside the image.
    Valid,
    /// Zeros; the output has ⌈n/s⌉ positions.
    Same,
    /// The image wraps around; the output has ⌈n/s⌉ positions.
    Circular,
}

impl Padding {
    /// Every padding.
    pub const ALL: [Padding; 3] = [Padding::Valid, Padding::Same, Padding::Circular];

    /// The name in architecture files.
    pub fn name(self) -> &'static str {
        match self {
            Padding::Valid => "valid",
            Padding::Same => "same",
            Padding::Circular => "circular",
        }
    }
}

impl fmt::Display for Padding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A sliding window of `size` rows and columns, moved by `strides`. Output position T covers the input positions
/// s·T − low + a, 0 ≤ a < q, per axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Rows and columns q₁, q₂.
    pub size: [usize; 2],
    /// Steps s₁, s₂.
    pub strides: [usize; 2],
    /// What lies beyond the border.
    pub padding: Padding,
}

impl Window {
    /// The most positions of a window, and the largest stride: 2²⁴.
    pub const MOST: usize = 1 << 24;

    /// Number of positions q₁q₂ under the window.
    pub fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Output extent for an input extent; an axis is 0 where a `valid` window does not fit.
    pub fn output(&self, extent: [usize; 2]) -> [usize; 2] {
        std::array::from_fn(|axis| match self.padding {
            Padding::Valid if self.size[axis] > extent[axis] => 0,
            Padding::Valid => (extent[axis] - self.size[axis]) / self.strides[axis] + 1,
            Padding::Same | Padding::Circular => extent[axis].div_ceil(self.strides[axis]),
        })
    }

    /// The input index under tap `a` of the window at output `index` on an axis; none beyond the border.
    pub fn tap(&self, extent: [usize; 2], axis: usize, index: usize, a: usize) -> Option<usize> {
        let n = extent[axis] as isize;
        let at = (index * self.strides[axis] + a) as isize - self.low(extent)[axis] as isize;
        match self.padding {
            Padding::Circular => Some(at.rem_euclid(n) as usize),
            Padding::Valid | Padding::Same => (0..n).contains(&at).then_some(at as usize),
        }
    }

    /// [`Window::tap`] of every tap of an axis.
    pub fn taps(
        &self,
        extent: [usize; 2],
        axis: usize,
        index: usize,
    ) -> impl Iterator<Item = Option<usize>> + '_ {
        (0..self.size[axis]).map(move |a| self.tap(extent, axis, index, a))
    }

    /// How far the first window reaches before the image: 0 for `valid`, else ⌊total/2⌋ with
    /// total = max((⌈n/s⌉−1)s + q − n, 0), the convention of XLA.
    pub fn low(&self, extent: [usize; 2]) -> [usize; 2] {
        match self.padding {
            Padding::Valid => [0, 0],
            Padding::Same | Padding::Circular => {
                std::array::from_fn(|a| self.overhang(extent, a).max(0) as usize / 2)
            }
        }
    }

    /// (⌈n/s⌉−1)s + q − n: how far the windows reach beyond the image on one axis, both sides together.
    pub fn overhang(&self, extent: [usize; 2], axis: usize) -> isize {
        let [n, s, q] = [extent[axis], self.strides[axis], self.size[axis]].map(|x| x as isize);
        (n + s - 1) / s * s - s + q - n
    }

    /// Whether moving the window commutes with reversing an axis of n positions.
    pub fn commutes_with_reversal(&self, extent: [usize; 2], axis: usize) -> bool {
        let overhang = self.overhang(extent, axis);
        match self.padding {
            Padding::Valid => (extent[axis] - self.size[axis]).is_multiple_of(self.strides[axis]),
            Padding::Same | Padding::Circular => overhang >= 0 && overhang % 2 == 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_xla() {
        let window = |q, s, padding| Window { size: [q; 2], strides: [s; 2], padding };
        assert_eq!(window(3, 1, Padding::Valid).output([8, 5]), [6, 3]);
        assert_eq!(window(3, 2, Padding::Valid).output([8, 7]), [3, 3]);
        assert_eq!(window(9, 1, Padding::Valid).output([8, 9]), [0, 1]);
        assert_eq!(window(3, 2, Padding::Same).output([8, 7]), [4, 4]);
        // 8 pixels, 3×3, stride 2: total padding 1, none of it in front.
        assert_eq!(window(3, 2, Padding::Same).low([8, 7]), [0, 1]);
        assert_eq!(window(4, 1, Padding::Same).low([8, 8]), [1, 1]);
        // Stride beyond the window: nothing to pad.
        assert_eq!(window(1, 3, Padding::Same).overhang([8, 8], 0), -1);
        assert_eq!(window(1, 3, Padding::Same).low([8, 8]), [0, 0]);
    }

    #[test]
    fn taps_wrap_or_end() {
        let taps = |padding, index| {
            let window = Window { size: [3, 1], strides: [2, 1], padding };
            window.taps([5, 1], 0, index).collect::<Vec<_>>()
        };
        assert_eq!(taps(Padding::Valid, 1), [Some(2), Some(3), Some(4)]);
        assert_eq!(taps(Padding::Same, 0), [None, Some(0), Some(1)]);
        assert_eq!(taps(Padding::Circular, 2), [Some(3), Some(4), Some(0)]);
    }

    #[test]
    fn reversal() {
        let commutes = |q, s, padding, n| {
            Window { size: [q; 2], strides: [s; 2], padding }.commutes_with_reversal([n, n], 0)
        };
        assert!(commutes(3, 2, Padding::Same, 7) && !commutes(3, 2, Padding::Same, 8));
        assert!(commutes(2, 1, Padding::Valid, 7) && !commutes(2, 1, Padding::Same, 7));
        assert!(commutes(2, 2, Padding::Valid, 8) && !commutes(2, 2, Padding::Valid, 7));
        // Up to a shift, which does not count.
        assert!(!commutes(4, 1, Padding::Circular, 6) && commutes(3, 1, Padding::Circular, 6));
    }
}
