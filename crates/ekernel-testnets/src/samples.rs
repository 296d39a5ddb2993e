//! Samples that a network reads: noise, and everything that kernels find hard.

use ekernel_core::{Input, Molecule, Network, Samples};
use ndarray::{Array1, Array2, Array4};
use proptest::{collection::vec, prelude::*};

/// Two to four samples of independent entries in [−2, 2], none of them small.
pub fn noise_for(network: &Network) -> impl Strategy<Value = Samples> + use<> {
    let input = network.input().clone();
    vec(entries(&input), 2..=4).prop_map(move |rows| stacked(&input, rows))
}

/// Two to five samples among which are noise, constants, zeros, duplicates, near-duplicates, multiples of one another
/// and images that are black on one half.
///
/// Where K ≈ √(vv') the closed forms of kinked activations turn rounding into its square root, so computations that
/// do not carry the defect √(vv') − K agree to about 2e-8 only.
pub fn samples_for(network: &Network) -> impl Strategy<Value = Samples> + use<> {
    let input = network.input().clone();
    let more = vec((entries(&input), any::<prop::sample::Index>(), 0_u8..8, -1.5..1.5_f64), 1..=4);
    (entries(&input), more).prop_map(move |(first, more)| {
        let mut rows = vec![first];
        for (noise, which, kind, level) in more {
            let earlier = &rows[which.index(rows.len())];
            let row = match kind {
                0 => noise,
                1 => Array1::from_elem(noise.len(), level),
                2 => Array1::zeros(noise.len()),
                3 => earlier.clone(),
                4 => earlier + &(1e-6 * noise),
                5 => level * earlier,
                6 => half_black(&input, noise),
                _ => half_black(&input, Array1::from_elem(noise.len(), level)),
            };
            rows.push(row);
        }
        stacked(&input, rows)
    })
}

/// Two to four signals on the sphere with independent entries, or molecules of two to four atoms, at least 0.9 Å apart,
/// of the elements of the network.
pub fn signals_for(network: &Network) -> BoxedStrategy<Samples> {
    match network.input().clone() {
        Input::Molecule { potential, .. } => {
            vec(molecule(potential.elements, potential.centers), 2..=4).prop_map(Samples::Molecules).boxed()
        }
        Input::Vector { .. } | Input::Image { .. } | Input::Sphere { .. } => noise_for(network).boxed(),
    }
}

/// Atoms near the corners of a cube of 1.5 Å, one of them at least a center.
fn molecule(elements: Vec<u8>, centers: Vec<u8>) -> impl Strategy<Value = Molecule> {
    let corners = Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle();
    let atom = (prop::sample::select(elements), [-0.3..0.3_f64, -0.3..0.3, -0.3..0.3]);
    (corners, vec(atom, 2..=4)).prop_map(move |(corners, atoms)| {
        let mut charges: Vec<u8> = atoms.iter().map(|(charge, _)| *charge).collect();
        if !charges.iter().any(|charge| centers.contains(charge)) {
            charges[corners[0] % atoms.len()] = centers[0];
        }
        let positions = Array2::from_shape_fn((atoms.len(), 3), |(i, k)| {
            1.5 * (corners[i] >> k & 1) as f64 + atoms[i].1[k]
        });
        Molecule { charges, positions }
    })
}

fn entries(input: &Input) -> impl Strategy<Value = Array1<f64>> + use<> {
    let length: usize = input.shape().iter().product();
    let entry =
        (0.05..2.0_f64, any::<bool>()).prop_map(|(size, negative)| if negative { -size } else { size });
    vec(entry, length).prop_map(Array1::from)
}

/// Zero in the left half of every row (of a vector: in its first half).
fn half_black(input: &Input, mut row: Array1<f64>) -> Array1<f64> {
    let (width, channels) = match *input {
        Input::Vector { features } => (features, 1),
        Input::Image { width, channels, .. } => (width, channels),
        Input::Sphere { .. } | Input::Molecule { .. } => return row,
    };
    for (i, entry) in row.iter_mut().enumerate() {
        if i / channels % width < width / 2 {
            *entry = 0.0;
        }
    }
    row
}

fn stacked(input: &Input, rows: Vec<Array1<f64>>) -> Samples {
    let entry = |sample: usize, index: usize| rows[sample][index];
    match *input {
        Input::Vector { features } => {
            Samples::Vectors(Array2::from_shape_fn((rows.len(), features), |(n, i)| entry(n, i)))
        }
        Input::Image { height, width, channels } => {
            Samples::Images(Array4::from_shape_fn((rows.len(), height, width, channels), |(n, y, x, c)| {
                entry(n, (y * width + x) * channels + c)
            }))
        }
        Input::Sphere { bandlimit, channels } => {
            let points = 2 * bandlimit - 1;
            let shape = (rows.len(), 2 * bandlimit, points, channels);
            Samples::Spheres(Array4::from_shape_fn(shape, |(n, t, p, c)| {
                entry(n, (t * points + p) * channels + c)
            }))
        }
        // Molecules are not rows of entries.
        Input::Molecule { .. } => Samples::Molecules(vec![]),
    }
}
