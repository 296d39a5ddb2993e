//! Sets of nearly equal images, where float32 has most pairs computed in float64.

use ekernel_core::{Network, Samples};
use ndarray::Array4;

use crate::Case;

pub(crate) fn near() -> Vec<Case> {
    let exponents = 2..9;
    let sets = [false, true].into_iter().flat_map(|group| exponents.clone().map(move |e| (group, e)));
    sets.map(|(group, exponent)| {
        let name = format!("nearly equal, C4: {group}, spread 1e-{exponent}");
        Case::new(name, network(group), images(4, 10_f64.powi(-exponent))).against_double()
    })
    .collect()
}

/// A network of the paper's Table 1, padded, for 14×14×3 images.
fn network(group: bool) -> Network {
    let first = if group { "op = \"lift\"\ngroup = \"C4\"" } else { "op = \"conv\"" };
    let (conv, pool) = if group { ("group_conv", "group_pool") } else { ("conv", "global_avg_pool") };
    let mut text = format!(
        "[input]\nspace = \"image\"\nshape = [14, 14, 3]\n[[layers]]\n{first}\nfilter = [3, 3]\npadding = \"same\"\n[[layers]]\nop = \"relu\"\n"
    );
    for _ in 0..4 {
        text += &format!(
            "[[layers]]\nop = \"{conv}\"\nfilter = [3, 3]\npadding = \"same\"\n[[layers]]\nop = \"relu\"\n"
        );
    }
    text += &format!("[[layers]]\nop = \"{pool}\"\n");
    for op in ["dense", "relu", "dense"] {
        text += &format!("[[layers]]\nop = \"{op}\"\n");
    }
    text.parse().expect("a network")
}

/// One image of noise and `count` - 1 that differ from it by up to `spread`.
fn images(count: usize, spread: f64) -> Samples {
    let mut state = 7_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64
    };
    let image: Vec<f64> = (0..14 * 14 * 3).map(|_| noise()).collect();
    let values = (0..count).flat_map(|i| {
        let spread = if i == 0 { 0.0 } else { spread };
        image.iter().map(|x| x + spread * noise()).collect::<Vec<_>>()
    });
    Samples::Images(Array4::from_shape_vec((count, 14, 14, 3), values.collect()).expect("images"))
}
