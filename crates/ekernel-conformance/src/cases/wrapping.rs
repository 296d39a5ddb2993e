//! Windows that see around the border: behind pools, wider than the image, even ones under a group.

use ekernel_core::{Network, Samples};
use ndarray::Array4;

use crate::Case;

/// What is aimed at, and a network on images of this height and width with two channels.
fn networks() -> Vec<(&'static str, [usize; 2], &'static [&'static str])> {
    const POOL: &str = "op = 'avg_pool'\nwindow = [1, 2]\nstrides = [1, 1]\npadding = 'same'";
    const HALF: &str = "op = 'avg_pool'\nwindow = [2, 2]";
    const CIRCULAR: &str = "op = 'conv'\nfilter = [3, 3]\npadding = 'circular'";
    const RELU: &str = "op = 'relu'";
    const MEAN: &str = "op = 'global_avg_pool'";
    const LIFT: &str = "op = 'lift'\ngroup = 'C4'\nfilter = [2, 2]\npadding = 'circular'\nname = 'x'";
    const BRANCH: &str = "op = 'group_conv'\nfilter = [2, 2]\npadding = 'circular'\ninputs = ['y']";
    vec![
        ("a pool of the input", [1, 2], &[POOL, "op = 'conv'\nfilter = [1, 2]\npadding = 'circular'", MEAN]),
        ("a pool that halves the input", [8, 8], &[HALF, CIRCULAR, RELU, MEAN]),
        ("pools behind pools", [4, 4], &[POOL, HALF, POOL, CIRCULAR, RELU, MEAN]),
        (
            "a pool of pointwise layers",
            [4, 3],
            &["op = 'conv'\nfilter = [1, 1]", RELU, POOL, CIRCULAR, RELU, MEAN],
        ),
        (
            "a pool that plain and circular windows read",
            [4, 4],
            &[
                "op = 'avg_pool'\nwindow = [2, 2]\nname = 'p'",
                "op = 'conv'\nfilter = [3, 3]\npadding = 'circular'\nname = 'a'",
                "op = 'conv'\nfilter = [3, 3]\npadding = 'same'\nname = 'b'\ninputs = ['p']",
                "op = 'sum'\ninputs = ['a', 'b']",
                RELU,
                MEAN,
            ],
        ),
        (
            "windows wider than the image",
            [2, 2],
            &[CIRCULAR, RELU, "op = 'conv'\nfilter = [7, 4]\npadding = 'circular'", RELU, MEAN],
        ),
        (
            "wide windows with strides",
            [3, 5],
            &[
                "op = 'conv'\nfilter = [5, 9]\nstrides = [2, 1]\npadding = 'circular'",
                RELU,
                CIRCULAR,
                RELU,
                MEAN,
            ],
        ),
        ("wide windows of one pixel", [1, 1], &[CIRCULAR, RELU, CIRCULAR, "op = 'erf'", MEAN]),
        (
            "a wide circular pool",
            [3, 2],
            &[
                CIRCULAR,
                RELU,
                "op = 'avg_pool'\nwindow = [4, 7]\nstrides = [1, 1]\npadding = 'circular'",
                CIRCULAR,
                RELU,
                MEAN,
            ],
        ),
        (
            "a wide circular pool of the input",
            [2, 3],
            &[
                "op = 'sum_pool'\nwindow = [5, 3]\nstrides = [1, 1]\npadding = 'circular'",
                CIRCULAR,
                RELU,
                "op = 'flatten'",
            ],
        ),
        (
            "equally many even windows on both branches",
            [4, 4],
            &[
                LIFT,
                "op = 'relu'\nname = 'y'",
                "op = 'group_conv'\nfilter = [4, 4]\npadding = 'circular'\nname = 'a'",
                BRANCH,
                "op = 'identity'\nname = 'b'",
                "op = 'sum'\ninputs = ['a', 'b']",
                RELU,
                "op = 'group_pool'",
            ],
        ),
    ]
}

/// The networks, and three images for each, of which one comes again.
pub(crate) fn wrapping() -> Vec<Case> {
    let case = |(what, [height, width], layers): (&'static str, [usize; 2], &[&str])| {
        let layers: String = layers.iter().map(|layer| format!("[[layers]]\n{layer}\n")).collect();
        let file = format!("[input]\nspace = 'image'\nshape = [{height}, {width}, 2]\n{layers}");
        let network: Network = file.parse().unwrap_or_else(|error| panic!("{what}: {error}"));
        let pixel = |n: usize, y: usize, x: usize, c: usize| {
            ((n % 3 * 31 + y * 17 + x * 7 + c * 3) as f64 * 0.7).sin()
        };
        let images = Array4::from_shape_fn((4, height, width, 2), |(n, y, x, c)| pixel(n, y, x, c));
        Case::new(what, network, Samples::Images(images))
    };
    networks().into_iter().map(case).collect()
}
