//! Pools and flatten: what reads many positions without weights.

use ekernel_core::{Domain, GroupElement, Node, Pool, PoolKind};
use ndarray::Array2;

use super::{
    convolution::{extent, group},
    taps,
};
use crate::field::Field;

/// The sum of K and Θ over window × window of both positions, each group slot by itself; the mean divides by the full
/// window also where it reaches beyond the border.
pub(super) fn pool(pool: &Pool, node: &Node, from: Domain, field: &Field) -> Field {
    let pixels = taps::positions(&pool.window, extent(from), GroupElement::IDENTITY);
    let [height, width] = extent(from);
    let mut windows: Vec<Vec<usize>> = Vec::new();
    for slot in 0..group(from).order() {
        let slotted =
            pixels.iter().map(|taps| taps.iter().flatten().map(|t| slot * height * width + t).collect());
        windows.extend(slotted);
    }
    let divisor = match pool.kind {
        PoolKind::Mean => pool.window.area() as f64 * pool.window.area() as f64,
        PoolKind::Sum => 1.0,
    };
    field.map(node.domain, |tensor| {
        Array2::from_shape_fn((windows.len(), windows.len()), |(p, pp)| {
            let pairs = windows[p].iter().flat_map(|y| windows[pp].iter().map(move |yp| (*y, *yp)));
            pairs.map(|at| tensor[at]).sum::<f64>() / divisor
        })
    })
}

/// The mean (or sum) of K and Θ over all pairs of positions, group slots included.
pub(super) fn global_pool(kind: PoolKind, node: &Node, field: &Field) -> Field {
    field.map(node.domain, |tensor| {
        let divisor = match kind {
            PoolKind::Mean => tensor.len() as f64,
            PoolKind::Sum => 1.0,
        };
        Array2::from_elem((1, 1), tensor.sum() / divisor)
    })
}

/// The mean of K and Θ over equal positions, group slots included.
pub(super) fn flatten(node: &Node, field: &Field) -> Field {
    field.map(node.domain, |tensor| {
        let diagonal = tensor.diag();
        Array2::from_elem((1, 1), diagonal.sum() / diagonal.len() as f64)
    })
}
