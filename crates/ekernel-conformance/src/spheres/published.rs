//! Published kernels of signals on the sphere, from tests/fixtures/so3.

use std::{fs, path::Path, sync::LazyLock};

use ekernel_core::{Input, Kernels, Pairs, Quadrature, Samples};
use ndarray::{Array3, Axis, Ix1, OwnedRepr, array};
use ndarray_npy::NpzReader;

use super::cases::network;
use crate::Case;

/// A published pair: its name; bandlimits of the input, the lift and the later convolution; activations; the weights of both
/// convolutions, and of the head.
type Published = (&'static str, [usize; 3], [&'static str; 2], &'static str, &'static str);

const PUBLISHED: [Published; 6] = [
    ("rand_erf_422", [4, 2, 2], ["erf", "erf"], "", ""),
    ("rand_relu_erf_633", [6, 3, 3], ["relu", "erf"], "", ""),
    ("rand_relu_erf_444_affine", [4, 4, 4], ["relu", "erf"], " w_std=1.3 b_std=0.4", " w_std=1.1 b_std=0.2"),
    ("CH4C_H2OO_erf_633", [6, 3, 3], ["erf", "erf"], "", ""),
    ("CH4C_H2OO_relu_erf_555", [5, 5, 5], ["relu", "erf"], "", ""),
    ("CH4C_self_erf_444", [4, 4, 4], ["erf", "erf"], "", ""),
];

/// Every published pair, with and without truncation, at the 40 nodes at which it was computed; tests/fixtures/README.md says by
/// whom.
///
/// # Panics
/// If the fixture cannot be read.
pub fn published() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(read);
    &CASES
}

fn read() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/so3/oracle_so3.npz");
    let mut npz = NpzReader::new(fs::File::open(path).expect("the fixture")).expect("an npz file");
    let mut found = Vec::new();
    for (name, [bandlimit, lift, later], [first, second], weights, dense) in PUBLISHED {
        let [x, y]: [Array3<f64>; 2] = ["x", "y"]
            .map(|key| npz.by_name::<OwnedRepr<f64>, _>(&format!("{name}/{key}")).expect("a signal"));
        let input = Input::Sphere { bandlimit, channels: x.len_of(Axis(2)) };
        for (truncated, result) in [(false, "exact_untruncated_gl40"), (true, "exact_truncated_gl40")] {
            let cut = if truncated { format!(" bandlimit={later}") } else { String::new() };
            let layers = format!(
                "s2_conv bandlimit={lift}{weights}|{first}|so3_conv{cut}{weights}|{second}|so3_pool|dense{dense}"
            );
            let values =
                npz.by_name::<OwnedRepr<f64>, Ix1>(&format!("{name}/res_{result}")).expect("two values");
            let [x, y] = [&x, &y].map(|x| Samples::Spheres(x.clone().insert_axis(Axis(0))));
            let kernels = Kernels { nngp: array![[values[0]]], ntk: Some(array![[values[1]]]) };
            found.push(Case::known(
                format!("{name} {result}"),
                network(&input, &layers),
                Quadrature::Nodes(40),
                vec![(Pairs::cross(x, y), kernels)],
            ));
        }
    }
    found
}
