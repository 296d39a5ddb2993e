//! Samples that kernels are tried on: random ones, and the ones on which formulas lose their digits.

use ekernel_core::{AtomDescriptor, Input, Molecule, Samples};
use ekernel_experiment::SplitMix64;
use ndarray::{Array2, Array4, Axis, array};

/// Samples of one kind, as rows of values.
pub(crate) struct Nasty {
    /// What is special about them, one word or two each.
    pub(crate) names: Vec<&'static str>,
    pub(crate) samples: Samples,
}

/// Random samples of a network's input: entries uniform in [0, 1), molecules of three atoms.
pub(crate) fn random(input: &Input, n: usize, seed: u64) -> Samples {
    let mut random = SplitMix64::new(seed);
    if let Input::Molecule { potential, .. } = input {
        return Samples::Molecules((0..n).map(|_| molecule(&order(potential), 3, &mut random)).collect());
    }
    let size: usize = input.shape().iter().product();
    shaped(input, (0..n).map(|_| (0..size).map(|_| random.uniform()).collect()).collect())
}

/// Samples of standard normal entries; `None` for molecules.
pub(crate) fn noise(input: &Input, n: usize, seed: u64) -> Option<Samples> {
    if matches!(input, Input::Molecule { .. }) {
        return None;
    }
    let mut random = SplitMix64::new(seed);
    let mut normal = || {
        let radius = (-2.0 * (1.0 - random.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * random.uniform()).cos()
    };
    let size: usize = input.shape().iter().product();
    Some(shaped(input, (0..n).map(|_| (0..size).map(|_| normal()).collect()).collect()))
}

/// Random samples and repeated, nearly repeated, collinear, constant, half black and all black ones; of molecules random,
/// repeated, nearly repeated, turned, mirrored and reordered ones, one of two atoms and one with atoms far apart.
pub(crate) fn nasty(input: &Input, seed: u64) -> Nasty {
    let mut random = SplitMix64::new(seed);
    if let Input::Molecule { potential, .. } = input {
        return nasty_molecules(&order(potential), &mut random);
    }
    let size: usize = input.shape().iter().product();
    let mut draw = || (0..size).map(|_| random.uniform() - 0.3).collect::<Vec<f64>>();
    let (first, second, third) = (draw(), draw(), draw());
    let change =
        |f: &dyn Fn(usize, f64) -> f64| first.iter().enumerate().map(|(i, &x)| f(i, x)).collect::<Vec<_>>();
    let named: Vec<(&'static str, Vec<f64>)> = vec![
        ("random", first.clone()),
        ("random", second),
        ("random", third),
        ("repeated", first.clone()),
        ("nearly repeated", change(&|i, x| if i == 0 { x + 1e-5 } else { x })),
        ("collinear", change(&|_, x| 2.0 * x)),
        ("opposite", change(&|_, x| -x)),
        ("constant", vec![0.5; size]),
        ("half black", change(&|i, x| if i < size / 2 { 0.0 } else { x })),
        ("one pixel", change(&|i, _| if i == size / 2 { 1.0 } else { 0.0 })),
        ("black", vec![0.0; size]),
    ];
    let (names, rows) = named.into_iter().unzip();
    Nasty { names, samples: shaped(input, rows) }
}

/// Elements in which a molecule of any size has a center: centers first.
fn order(potential: &AtomDescriptor) -> Vec<u8> {
    let others = potential.elements.iter().filter(|element| !potential.centers.contains(element));
    potential.centers.iter().chain(others).copied().collect()
}

fn nasty_molecules(elements: &[u8], random: &mut SplitMix64) -> Nasty {
    let [first, second, third] = [4, 3, 5].map(|atoms| molecule(elements, atoms, random));
    let moved = |change: &dyn Fn(&Array2<f64>) -> Array2<f64>| Molecule {
        charges: first.charges.clone(),
        positions: change(&first.positions),
    };
    // About the z axis and then the x axis, by angles whose cosines are exact.
    let turn = array![[0.6, -0.8, 0.0], [0.48, 0.36, -0.8], [0.64, 0.48, 0.6]];
    let order: Vec<usize> = (0..first.atoms()).rev().collect();
    let reordered = Molecule {
        charges: order.iter().map(|&atom| first.charges[atom]).collect(),
        positions: first.positions.select(Axis(0), &order),
    };
    let pair = Molecule {
        charges: first.charges[..2].to_vec(),
        positions: first.positions.select(Axis(0), &[0, 1]),
    };
    let named = vec![
        ("random", first.clone()),
        ("random", second),
        ("random", third),
        ("repeated", first.clone()),
        ("nearly repeated", moved(&|x| x.mapv(|value| if value == 0.0 { 1e-5 } else { value }))),
        ("turned", moved(&|x| x.dot(&turn))),
        ("mirrored", moved(&|x| x * &array![[1.0, 1.0, -1.0]])),
        ("reordered", reordered),
        ("two atoms", pair),
        ("far apart", moved(&|x| x * 3.0)),
    ];
    let (names, molecules) = named.into_iter().unzip();
    Nasty { names, samples: Samples::Molecules(molecules) }
}

/// A chain of atoms of the elements in turn, about 1.3 Å apart, none closer than 0.9 Å to another.
fn molecule(elements: &[u8], atoms: usize, random: &mut SplitMix64) -> Molecule {
    let mut positions = Array2::<f64>::zeros((atoms, 3));
    for atom in 1..atoms {
        loop {
            let step = [0; 3].map(|_| 2.0 * random.uniform() - 1.0);
            let length = step.iter().map(|x| x * x).sum::<f64>().sqrt();
            if !(0.1..=1.0).contains(&length) {
                continue;
            }
            for (k, x) in step.iter().enumerate() {
                positions[[atom, k]] = positions[[atom - 1, k]] + 1.3 * x / length;
            }
            let apart = |other| {
                (0..3).map(|k| f64::powi(positions[[atom, k]] - positions[[other, k]], 2)).sum::<f64>().sqrt()
                    > 0.9
            };
            if (0..atom).all(apart) {
                break;
            }
        }
    }
    Molecule { charges: (0..atoms).map(|atom| elements[atom % elements.len()]).collect(), positions }
}

fn shaped(input: &Input, rows: Vec<Vec<f64>>) -> Samples {
    let n = rows.len();
    if let Input::Vector { features } = *input {
        return Samples::Vectors(Array2::from_shape_fn((n, features), |(i, j)| rows[i][j]));
    }
    let shape = input.shape();
    let grid = |[height, width, channels]: [usize; 3]| {
        Array4::from_shape_fn((n, height, width, channels), |(i, y, x, c)| {
            rows[i][(y * width + x) * channels + c]
        })
    };
    match (input, &shape[..]) {
        (Input::Sphere { .. }, &[rings, points, channels]) => {
            Samples::Spheres(grid([rings, points, channels]))
        }
        (_, &[height, width, channels]) => Samples::Images(grid([height, width, channels])),
        _ => Samples::Molecules(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use ekernel_core::AtomPairing;

    use super::*;

    #[test]
    fn every_sample_is_one_that_kernels_accept() {
        let potential = AtomDescriptor::new(&[1, 6, 8]);
        let around = AtomDescriptor { centers: vec![8], ..potential.clone() };
        let inputs = [
            Input::Sphere { bandlimit: 2, channels: 2 },
            Input::Molecule { bandlimit: 3, potential: around, atoms: AtomPairing::Elements },
            Input::Molecule { bandlimit: 3, potential, atoms: AtomPairing::Shared },
            Input::Image { height: 2, width: 3, channels: 1 },
        ];
        for input in inputs {
            for seed in 0..20 {
                let Nasty { names, samples } = nasty(&input, seed);
                assert_eq!(samples.len(), names.len());
                for samples in [samples, random(&input, 3, seed)] {
                    samples.validate().unwrap();
                    input.check(&samples).unwrap();
                }
            }
        }
    }

    #[test]
    fn turning_keeps_distances() {
        let Nasty { names, samples: Samples::Molecules(molecules) } =
            nasty_molecules(&[6, 1], &mut SplitMix64::new(1))
        else {
            panic!("molecules expected")
        };
        let turned = &molecules[names.iter().position(|name| *name == "turned").unwrap()];
        for (i, j) in [(0, 1), (0, 3), (2, 3)] {
            assert!((turned.distance(i, j) - molecules[0].distance(i, j)).abs() < 1e-12);
        }
        assert!((&turned.positions - &molecules[0].positions).iter().any(|x| x.abs() > 0.1));
    }
}
