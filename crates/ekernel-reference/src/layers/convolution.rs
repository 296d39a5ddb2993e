//! conv, lift and group_conv: means over the same tap of both filters, all blocks of group elements written out.

use ekernel_core::{Conv, Domain, Group, GroupConv, GroupElement, Lift, Node};

use super::{taps, weighted::affine};
use crate::field::Field;

/// (AK)(t, t') = (1/q₁q₂) Σ_y K(t+y, t'+y).
pub(super) fn conv(conv: &Conv, node: &Node, from: Domain, field: &Field) -> Field {
    let at = taps::positions(&conv.window, extent(from), GroupElement::IDENTITY);
    averaged(node, field, &at, conv.window.area())
}

/// K_{g,g'} = (1/|S|) Σ_{y∈S} K⁰(g·y, g'·y) with g = (r, t) acting as g·y = t + r·y.
pub(super) fn lift(lift: &Lift, node: &Node, from: Domain, field: &Field) -> Field {
    let at: Vec<_> = lift
        .group
        .elements()
        .into_iter()
        .flat_map(|r| taps::positions(&lift.window, extent(from), r))
        .collect();
    averaged(node, field, &at, lift.window.area())
}

/// K_{g,g'} = (1/|S|) Σ_{h∈S} K_{gh,g'h} with h = (s, y) over H × window and (r, t)·(s, y) = (rs, t + r·y).
pub(super) fn group_conv(conv: &GroupConv, node: &Node, from: Domain, field: &Field) -> Field {
    let group = group(from);
    let elements = group.elements();
    let [height, width] = extent(from);
    let mut at = Vec::new();
    for &r in &elements {
        for pixels in taps::positions(&conv.window, [height, width], r) {
            let mut taps = Vec::with_capacity(elements.len() * pixels.len());
            for &s in &elements {
                let slot = slot(&elements, r.compose(s));
                taps.extend(pixels.iter().map(|pixel| pixel.map(|t| slot * height * width + t)));
            }
            at.push(taps);
        }
    }
    averaged(node, field, &at, group.order() * conv.window.area())
}

fn averaged(node: &Node, field: &Field, at: &[Vec<Option<usize>>], taps: usize) -> Field {
    affine(node, field.map(node.domain, |tensor| taps::mean_over_taps(tensor, at)), taps)
}

/// Height and width of a domain under a window.
pub(super) fn extent(domain: Domain) -> [usize; 2] {
    domain.extent().expect("the network has checked that windows slide over pixels")
}

/// The point group of a group grid; a plain grid has the trivial one.
pub(super) fn group(domain: Domain) -> Group {
    match domain {
        Domain::GroupGrid { group, .. } => group,
        Domain::Grid { .. }
        | Domain::Vector
        | Domain::Sphere { .. }
        | Domain::Rotations { .. }
        | Domain::Atoms(_) => Group::C1,
    }
}

/// Where an element stands in the list (a group is closed, so it does).
fn slot(elements: &[GroupElement], element: GroupElement) -> usize {
    elements.iter().position(|e| *e == element).expect("a group is closed")
}
