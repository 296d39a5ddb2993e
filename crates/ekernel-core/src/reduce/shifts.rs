//! Even circular windows do not commute with turning the image, only up to a shift by one pixel. A network that does not
//! notice shifts stays equivariant, unless a sum joins branches that are shifted differently.

use crate::{ArchError, Domain, Layer, Network, Source};

/// Refuses sums of branches that a turned input shifts differently, where every window on the group grid is circular with
/// stride 1, so that its extent is that of the lift's output.
pub(super) fn equal_at_sums(network: &Network) -> Result<(), ArchError> {
    let mut shifts: Vec<[usize; 2]> = Vec::with_capacity(network.nodes().len());
    for node in network.nodes() {
        let at = |shifts: &[[usize; 2]], source: Source| match source {
            Source::Input => [0, 0],
            Source::Node(i) => shifts[i],
        };
        let mut shift = at(&shifts, node.inputs[0]);
        if let Domain::GroupGrid { group, height, width } = node.domain {
            let [reversed, extent] = [group.reversed_axes().map(usize::from), [height, width]];
            for axis in 0..2 {
                let even = node.layer.window().is_some_and(|window| window.size[axis].is_multiple_of(2));
                shift[axis] = (shift[axis] + reversed[axis] * usize::from(even)) % extent[axis];
            }
            if node.layer == Layer::Sum {
                for &source in &node.inputs[1..] {
                    let second = at(&shifts, source);
                    if second != shift {
                        return Err(ArchError::UnequalShifts {
                            place: node.place.clone(),
                            group,
                            first_place: network.place(node.inputs[0]),
                            first: shift,
                            second_place: network.place(source),
                            second,
                        });
                    }
                }
            }
        }
        shifts.push(shift);
    }
    Ok(())
}
