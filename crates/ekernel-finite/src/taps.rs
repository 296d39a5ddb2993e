//! Which input positions an output position reads.

use ekernel_core::{Domain, Group, GroupElement, Padding, Window};

/// For each of `positions` output positions the `per` input positions that it reads.
#[derive(Clone, Debug)]
pub(crate) struct Taps {
    /// `[position][tap]`; [`Taps::OUTSIDE`] beyond the border, where the input counts as zero.
    pub(crate) table: Vec<u32>,
    /// Taps of each position.
    pub(crate) per: usize,
}

impl Taps {
    /// Beyond the border.
    pub(crate) const OUTSIDE: u32 = u32::MAX;

    fn new(per: usize, taps: impl Iterator<Item = Option<usize>>) -> Taps {
        // Positions number at most 2²⁷ (`Plan` and the memory check refuse larger inputs long before).
        Taps { table: taps.map(|tap| tap.map_or(Self::OUTSIDE, |tap| tap as u32)).collect(), per }
    }

    /// Number of output positions.
    pub(crate) fn positions(&self) -> usize {
        self.table.len() / self.per
    }

    /// The taps of a position.
    pub(crate) fn at(&self, position: usize) -> &[u32] {
        &self.table[position * self.per..][..self.per]
    }

    /// Whether each position reads itself alone.
    pub(crate) fn is_identity(&self) -> bool {
        self.per == 1 && self.table.iter().enumerate().all(|(at, tap)| at == *tap as usize)
    }

    /// Each position reads itself.
    pub(crate) fn identity(positions: usize) -> Taps {
        Taps::new(1, (0..positions).map(Some))
    }

    /// One position reads all.
    pub(crate) fn all(positions: usize) -> Taps {
        Taps::new(positions, (0..positions).map(Some))
    }

    /// `count` rows of `per` positions each, from `start` on.
    pub(crate) fn rows(start: usize, count: usize, per: usize) -> Taps {
        Taps::new(per, (start..start + count * per).map(Some))
    }

    /// A pool: the window on each slot of a group grid by itself.
    pub(crate) fn pool(window: &Window, from: Domain) -> Taps {
        let pixels = windows(window, extent(from), GroupElement::IDENTITY);
        let [height, width] = extent(from);
        let slots = (0..group(from).order())
            .flat_map(|slot| pixels.iter().map(move |pixel| pixel.map(|t| slot * height * width + t)));
        Taps::new(window.area(), slots)
    }

    /// A convolution: t reads t + y.
    pub(crate) fn conv(window: &Window, from: Domain) -> Taps {
        Taps::new(window.area(), windows(window, extent(from), GroupElement::IDENTITY).into_iter())
    }

    /// A lift: (r, t) reads t + r·y.
    pub(crate) fn lift(group: Group, window: &Window, from: Domain) -> Taps {
        let turned = |r| windows(window, extent(from), r);
        Taps::new(window.area(), group.elements().into_iter().flat_map(turned))
    }

    /// A convolution on a group grid: (r, t) reads (r·s, t + r·y).
    pub(crate) fn group_conv(window: &Window, from: Domain) -> Taps {
        let elements = group(from).elements();
        let [height, width] = extent(from);
        let slot =
            |r: GroupElement, s| elements.iter().position(|e| *e == r.compose(s)).expect("a group is closed");
        let mut taps = Vec::new();
        for &r in &elements {
            for pixels in windows(window, [height, width], r).chunks(window.area()) {
                for &s in &elements {
                    let slot = slot(r, s);
                    taps.extend(pixels.iter().map(|pixel| pixel.map(|t| slot * height * width + t)));
                }
            }
        }
        Taps::new(elements.len() * window.area(), taps.into_iter())
    }
}

/// The pixels under the window at each output pixel, the window turned about its centre by `orientation`. Places are
/// counted in half pixels, so that even windows have a centre too.
fn windows(window: &Window, extent: [usize; 2], orientation: GroupElement) -> Vec<Option<usize>> {
    let (output, low) = (window.output(extent), window.low(extent));
    let [q1, q2] = window.size.map(|q| q as isize - 1);
    let centre =
        |axis: usize, t: usize, q: isize| 2 * ((window.strides[axis] * t) as isize - low[axis] as isize) + q;
    let mut taps = Vec::with_capacity(output[0] * output[1] * window.area());
    for row in 0..output[0] {
        for col in 0..output[1] {
            for a in 0..=q1 {
                for b in 0..=q2 {
                    let [dy, dx] = orientation.act([2 * a - q1, 2 * b - q2]);
                    let y = (centre(0, row, q1) + dy).div_euclid(2);
                    let x = (centre(1, col, q2) + dx).div_euclid(2);
                    taps.push(pixel(window.padding, extent, [y, x]));
                }
            }
        }
    }
    taps
}

/// The number of a pixel, wrapped if the window is circular.
fn pixel(padding: Padding, extent: [usize; 2], [y, x]: [isize; 2]) -> Option<usize> {
    let [height, width] = extent.map(|n| n as isize);
    match padding {
        Padding::Circular => Some((y.rem_euclid(height) * width + x.rem_euclid(width)) as usize),
        Padding::Valid | Padding::Same => {
            let inside = (0..height).contains(&y) && (0..width).contains(&x);
            inside.then_some((y * width + x) as usize)
        }
    }
}

/// Height and width of a domain under a window.
fn extent(domain: Domain) -> [usize; 2] {
    domain.extent().expect("the network has checked that windows slide over pixels")
}

/// The point group of a group grid; a plain grid has the trivial one.
fn group(domain: Domain) -> Group {
    match domain {
        Domain::GroupGrid { group, .. } => group,
        _ => Group::C1,
    }
}
