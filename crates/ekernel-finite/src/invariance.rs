//! Networks whose outputs do not change when their images turn.

use ekernel_core::{Group, Network, Samples};

use crate::{augmentation::Augmentation, network::FiniteNetwork, random::Name, widths::Widths};

/// The width of the network that is tested.
const WIDTH: usize = 8;

/// Differences of less than this share of the spread of outputs are rounding.
const ROUNDING: f64 = 1e-6;

/// Whether the outputs of the whole network are the same for all turned copies of images.
///
/// The test is a random network of small width in double precision, on images that the caller draws. It returns false
/// where the outputs tell the images apart too little, and where the network does not read them.
pub fn is_invariant(network: &Network, group: Group, images: &Samples) -> bool {
    let outputs = || {
        let finite = FiniteNetwork::<f64>::new(network, Widths::all(WIDTH), 1).ok()?;
        let name = Name { seed: 0, member: 0 };
        let copies = Augmentation::Full(group).copies(images).ok()?;
        copies.iter().map(|copy| finite.outputs(name, copy).ok()).collect::<Option<Vec<_>>>()
    };
    let Some(found) = outputs() else { return false };
    let first = &found[0];
    let (least, most) = first
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), y| (least.min(*y), most.max(*y)));
    let allowed = ROUNDING * (most - least);
    let near = |a: &f64, b: &f64| (a - b).abs() <= allowed;
    allowed > 0.0 && found.iter().all(|turned| turned.iter().zip(first).all(|(a, b)| near(a, b)))
}
