//! The orbit form. With a window that commutes with the point group H, K_{gh,g'h} = K_{g,g'} for h ∈ H, so after the
//! pooling only δ = g'⁻¹g matters: K_G = mean over δ ∈ H of K_plain(f, δ⁻¹f'), the plain network being the same with
//! ordinary convolutions.

use super::shifts;
use crate::{ArchError, Domain, Group, GroupElement, Layer, Network, Node, Padding, Place, Source, Window};

/// The group of the network's lifts, once every layer under them is known to commute with it.
pub(super) fn group(network: &Network) -> Result<Option<Group>, ArchError> {
    let mut found = None;
    let wraps = wraps_throughout(network);
    let mixing = mixing(network);
    for node in network.nodes() {
        let Domain::GroupGrid { group, .. } = node.domain else { continue };
        found = Some(group);
        let below = node.inputs[0];
        if let (Layer::Lift(_), Source::Node(i)) = (&node.layer, below)
            && let Some(mixes) = mixing[i]
        {
            let place = network.nodes()[mixes].place.clone();
            return Err(ArchError::BeforeLift { place, lift: node.place.clone() });
        }
        if let Some((window, extent)) = node.layer.window().zip(network.domain(below).extent()) {
            commutes(group, window, extent, wraps, &node.place)?;
        }
    }
    if wraps {
        shifts::equal_at_sums(network)?;
    }
    Ok(found)
}

/// The elements over which the readout at this node is averaged. flatten compares equal group elements only, the
/// identity of the orbit.
pub(super) fn elements(node: &Node, from: Domain) -> Vec<GroupElement> {
    match (from, &node.layer) {
        (Domain::GroupGrid { group, .. }, Layer::GroupPool) => group.elements(),
        _ => vec![GroupElement::IDENTITY],
    }
}

/// For every node the closest one at or above it that mixes pixels.
fn mixing(network: &Network) -> Vec<Option<usize>> {
    let mut closest: Vec<Option<usize>> = Vec::with_capacity(network.nodes().len());
    for (i, node) in network.nodes().iter().enumerate() {
        let mixes = match &node.layer {
            Layer::Conv(conv) => conv.window.size != [1, 1] || conv.window.strides != [1, 1],
            Layer::Pool(_) => true,
            _ => false,
        };
        let above = |input: &Source| if let Source::Node(i) = input { closest[*i] } else { None };
        closest.push(if mixes { Some(i) } else { node.inputs.iter().find_map(above) });
    }
    closest
}

/// Whether every window on a group grid is circular with stride 1, so that the network does not notice a shift.
fn wraps_throughout(network: &Network) -> bool {
    let unnoticed = |window: &Window| window.padding == Padding::Circular && window.strides == [1, 1];
    let on_group = |node: &&Node| matches!(node.domain, Domain::GroupGrid { .. });
    network.nodes().iter().filter(on_group).filter_map(|node| node.layer.window()).all(unnoticed)
}

/// Refuses windows that do not commute with reversing an axis. An even circular window does so up to a shift by one pixel,
/// which is enough where nothing in the network notices shifts.
fn commutes(
    group: Group,
    window: &Window,
    extent: [usize; 2],
    wraps: bool,
    place: &Place,
) -> Result<(), ArchError> {
    let reversed = group.reversed_axes();
    let broken = |&axis: &usize| reversed[axis] && !wraps && !window.commutes_with_reversal(extent, axis);
    let Some(axis) = (0..2).find(broken) else {
        return Ok(());
    };
    Err(ArchError::NotEquivariant {
        place: place.clone(),
        group,
        window: window.size,
        strides: window.strides,
        padding: window.padding,
        extent,
        remedy: remedy(window, extent, axis),
    })
}

/// Sizes of the input (near the present one) and of the window that commute.
fn remedy(window: &Window, extent: [usize; 2], axis: usize) -> String {
    let works = |size: usize, n: usize| {
        let mut window = *window;
        window.size[axis] = size;
        let mut other = extent;
        other[axis] = n;
        let fits = window.padding != Padding::Valid || size <= n;
        fits && window.commutes_with_reversal(other, axis)
    };
    let (size, n) = (window.size[axis], extent[axis]);
    let inputs: Vec<String> =
        (n.saturating_sub(4).max(1)..=n + 4).filter(|&m| works(size, m)).map(|m| m.to_string()).collect();
    let windows: Vec<String> = (1..=7).filter(|&q| works(q, n)).map(|q| q.to_string()).collect();
    let mut remedies = Vec::new();
    if !inputs.is_empty() {
        remedies.push(format!("inputs of {} pixels work with this window", inputs.join(", ")));
    }
    if !windows.is_empty() {
        remedies.push(format!("windows of {} work on this input", windows.join(", ")));
    }
    if remedies.is_empty() { "use stride 1 and an odd window".to_owned() } else { remedies.join("; ") }
}

impl Network {
    /// Checks that the kernel of two images is that of their mirror images, left and right exchanged: that every window commutes
    /// with reversing the columns.
    ///
    /// # Errors
    /// [`ArchError::NotEquivariant`] with the first layer whose window does not.
    pub fn ensure_commutes_with_mirrors(&self) -> Result<(), ArchError> {
        for node in self.nodes() {
            if let Some((window, extent)) = node.layer.window().zip(self.domain(node.inputs[0]).extent()) {
                commutes(Group::D1, window, extent, false, &node.place)?;
            }
        }
        Ok(())
    }
}
