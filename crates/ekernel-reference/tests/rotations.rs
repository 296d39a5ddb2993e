//! What must hold of kernels on the sphere whatever their values are: they are orbits of plain networks, do not notice
//! rotations, are symmetric, and their variances are those of what is left after a truncation.

mod support;

use std::f64::consts::PI;

use ekernel_core::{AtomDescriptor, KernelSet, Molecule, Network, Pairs, Plan, Quadrature, Samples};
use ekernel_harmonic::{
    AtomSignals, Complex64, Euler, RotationGrid, SphereGrid, SphereTransform, WignerD, sphere_coefficients,
    sphere_to_real,
};
use ekernel_reference::{RotationMode, rotation_kernel};
use ndarray::{Array2, Array3, Axis, s};
use support::{kernels, network, pair, sphere};

/// Signals of this bandlimit on its grid, noise.
fn signal(bandlimit: usize, channels: usize, seed: usize) -> Array3<f64> {
    Array3::from_shape_fn((2 * bandlimit, 2 * bandlimit - 1, channels), |(t, p, c)| {
        let n = (seed * 1009 + t * 101 + p * 11 + c) as f64;
        2.0 * (1e4 * (n * 0.7123).sin()).fract()
    })
}

/// The samples of U·f on the grid, by way of its coefficients.
fn turned(bandlimit: usize, signal: &Array3<f64>, by: Euler) -> Array3<f64> {
    let turn = WignerD::new(bandlimit, by).expect("matrices");
    let grid = SphereGrid::driscoll_healy(bandlimit).expect("a grid");
    let transform = SphereTransform::<f64>::new(bandlimit, &grid).expect("a transform");
    let mut scratch = transform.scratch();
    let mut result = Array3::zeros(signal.dim());
    let coefficients = sphere_coefficients(bandlimit, signal.view()).expect("coefficients");
    for (c, row) in coefficients.outer_iter().enumerate() {
        let mut rotated = vec![Complex64::default(); row.len()];
        turn.rotate(&row.to_vec(), &mut rotated).expect("rotated");
        let mut samples = Array2::zeros((2 * bandlimit, 2 * bandlimit - 1));
        transform.inverse_real(&rotated, &mut scratch, samples.view_mut()).expect("samples");
        result.index_axis_mut(Axis(2), c).assign(&samples);
    }
    result
}

fn relative(found: [f64; 2], expected: [f64; 2]) -> f64 {
    (0..2).map(|i| (found[i] - expected[i]).abs() / expected[i].abs()).fold(0.0, f64::max)
}

const LAYERS: &str = "[[layers]]\nop = 's2_conv'\nw_std = 1.2\nb_std = 0.3\n[[layers]]\nop = 'relu'\n\
    [[layers]]\nop = 'so3_conv'\nw_std = 1.1\nb_std = 0.2\n[[layers]]\nop = 'erf'\n[[layers]]\nop = 'so3_pool'\n\
    [[layers]]\nop = 'dense'\nw_std = 0.9\n";

fn on_sphere(bandlimit: usize, channels: usize) -> Network {
    network(&format!("[input]\nspace = 'sphere'\nbandlimit = {bandlimit}\nchannels = {channels}\n{LAYERS}"))
}

/// Theorem 6: an SO(3) network is the mean of an MLP over the turned copies of the second signal. The MLP reads the harmonic
/// coefficients in the real basis, scaled so that the mean of products is (1/4πC) Σ f conj(f').
#[test]
fn a_network_on_so3_is_an_orbit_of_an_mlp() {
    let (bandlimit, channels) = (3, 2);
    let network = on_sphere(bandlimit, channels);
    let nodes = 5;
    let [f, fp] = [1, 2].map(|seed| signal(bandlimit, channels, seed));
    let found = pair(&network, RotationMode::Grid(Quadrature::Nodes(nodes)), &sphere(&f), &sphere(&fp));

    let features = channels * bandlimit * bandlimit;
    let mlp: String =
        LAYERS.replace("s2_conv", "dense").replace("so3_conv", "dense").replace("so3_pool", "identity");
    let mlp = support::network(&format!("[input]\nspace = 'vector'\nshape = [{features}]\n{mlp}"));
    let scale = (features as f64 / (4.0 * PI * channels as f64)).sqrt();
    let vector = |coefficients: &Array2<Complex64>, turn: Option<Euler>| -> Vec<f64> {
        let turn = turn.map(|euler| WignerD::new(bandlimit, euler).expect("matrices"));
        let each = coefficients.outer_iter().flat_map(|row| {
            let mut one = row.to_vec();
            if let Some(turn) = &turn {
                turn.rotate(&row.to_vec(), &mut one).expect("rotated");
            }
            let mut real = vec![0.0; one.len()];
            sphere_to_real(bandlimit, &one, &mut real).expect("a real basis");
            real
        });
        each.map(|x| scale * x).collect()
    };
    let [c, cp] = [&f, &fp].map(|f| sphere_coefficients(bandlimit, f.view()).expect("coefficients"));
    let first = Samples::Vectors(Array2::from_shape_vec((1, features), vector(&c, None)).expect("a row"));
    let grid = RotationGrid::gauss_legendre(nodes).expect("a grid");
    let [rings, circle, _] = grid.shape();
    let mut mean = [0.0; 2];
    for j in 0..rings {
        for p in 0..circle {
            let row =
                |r| vector(&cp, Some(Euler::new(grid.alpha(p), grid.polar().angles()[j], grid.gamma(r))));
            let rows: Vec<f64> = (0..circle).flat_map(row).collect();
            let second = Samples::Vectors(Array2::from_shape_vec((circle, features), rows).expect("rows"));
            let all = kernels(&mlp, RotationMode::default(), Pairs::cross(first.clone(), second.clone()));
            let share = grid.volume(j) / (8.0 * PI * PI);
            mean[0] += share * all.nngp.sum();
            mean[1] += share * all.ntk.expect("asked for").sum();
        }
    }
    let error = relative(found, mean);
    eprintln!("orbit of an MLP {error:.1e}");
    // Measured: 3e-16.
    assert!(error < 1e-13, "{error:.1e}");
}

/// K(R, R') by the integrals that define each layer depends on R R'⁻¹ alone, and its mean over a grid of U is what is carried.
#[test]
fn kernels_with_both_arguments() {
    let (bandlimit, channels) = (2, 2);
    let network = on_sphere(bandlimit, channels);
    let [f, fp] = [3, 4].map(|seed| sphere(&signal(bandlimit, channels, seed)));
    let at = |node, pair| rotation_kernel(&network, (&f, 0), (&fp, 0), node, pair, 3).expect("computed");
    let turns = [Euler::new(0.3, 1.1, -0.7), Euler::new(-2.1, 0.4, 1.9), Euler::new(1.0, 2.5, 0.2)];
    let mut worst = 0.0_f64;
    for node in 0..4 {
        for pair in [[turns[0], turns[1]], [turns[2], turns[0]], [turns[1], turns[1]]] {
            let both = at(node, pair);
            let one = at(node, [pair[0].after(&pair[1].inverse()), Euler::IDENTITY]);
            worst = worst.max(relative(both, one));
            let wrong = at(node, [pair[1].inverse().after(&pair[0]), Euler::IDENTITY]);
            let moved = relative(wrong, one);
            assert!(moved > 1e-3 || pair[0] == pair[1], "R'⁻¹R goes unnoticed: {moved:.1e}");
        }
    }
    eprintln!("K(R, R') {worst:.1e}");
    // Measured: 2e-15.
    assert!(worst < 1e-13, "{worst:.1e}");

    let grid = RotationGrid::gauss_legendre(4).expect("a grid");
    let [rings, circle, _] = grid.shape();
    let mut mean = [0.0; 2];
    // Behind the last nonlinearity, whose own argument K is the node before it; so3_conv there changes nothing, so one
    // rotation S will do.
    for j in 0..rings {
        for p in 0..circle {
            for r in 0..circle {
                let u = Euler::new(grid.alpha(p), grid.polar().angles()[j], grid.gamma(r));
                let pair = [u, Euler::IDENTITY];
                let value = rotation_kernel(&network, (&f, 0), (&fp, 0), 3, pair, 1).expect("computed");
                let share = grid.volume(j) / (8.0 * PI * PI);
                mean = [mean[0] + share * value[0], mean[1] + share * value[1]];
            }
        }
    }
    // dense: K = w²K, Θ = K_out + w²Θ.
    let mean = [0.81 * mean[0], 0.81 * mean[0] + 0.81 * mean[1]];
    let found = support::pair(&network, RotationMode::Grid(Quadrature::Nodes(4)), &f, &fp);
    let error = relative(found, mean);
    eprintln!("pooled {error:.1e}");
    // Measured: 8e-16.
    assert!(error < 1e-13, "{error:.1e}");
}

/// A truncation by its defining double integral, where that is exact: of a lifted signal, whose degrees are few.
#[test]
fn a_truncation_by_its_double_integral() {
    let text = |pool: &str| {
        format!(
            "[input]\nspace = 'sphere'\nbandlimit = 3\nchannels = 2\n[[layers]]\nop = 's2_conv'\nb_std = 0.2\n\
             [[layers]]\nop = 'so3_conv'\nbandlimit = 2\nw_std = 1.3\n[[layers]]\nop = 'relu'\n{pool}"
        )
    };
    let network = network(&text("[[layers]]\nop = 'so3_pool'"));
    let [f, fp] = [signal(3, 2, 5), signal(3, 2, 6)];
    // The same with the lift truncated instead.
    let lower = support::network(
        &text("[[layers]]\nop = 'so3_pool'").replace("'s2_conv'", "'s2_conv'\nbandlimit = 2"),
    );
    let [x, y] = [sphere(&f), sphere(&fp)];
    let pair = [Euler::new(0.4, 0.9, 0.1), Euler::new(-0.3, 1.4, 2.0)];
    let kernel = |network: &Network, node, nodes| {
        rotation_kernel(network, (&x, 0), (&y, 0), node, pair, nodes).expect("computed")
    };
    let error = relative(kernel(&network, 1, 3), kernel(&lower, 1, 3));
    eprintln!("double integral {error:.1e}");
    // Measured: 1.4e-14.
    assert!(error < 1e-12, "{error:.1e}");
    assert!(relative(kernel(&network, 0, 3), kernel(&lower, 0, 3)) > 1e-2, "the degree 2 matters");

    // The variances that relu sees are those of the truncated kernels: with the ones before, its values differ.
    let mode = RotationMode::Grid(Quadrature::Nodes(16));
    let error = relative(support::pair(&network, mode, &x, &y), support::pair(&lower, mode, &x, &y));
    eprintln!("variances behind a truncation {error:.1e}");
    // Measured: below 1e-16.
    assert!(error < 1e-13, "{error:.1e}");
}

/// Turning signals (their coefficients) changes kernels by no more than the error of the quadrature.
#[test]
fn turned_signals() {
    let bandlimit = 4;
    let network = on_sphere(bandlimit, 2);
    let [f, fp] = [7, 8].map(|seed| signal(bandlimit, 2, seed));
    let turns = [Euler::new(0.3, 1.1, -0.7), Euler::new(-2.1, 2.2, 1.9)];
    let still = pair(&network, RotationMode::default(), &sphere(&f), &sphere(&fp));
    let own = pair(&network, RotationMode::default(), &sphere(&f), &sphere(&f));
    let by_mode = |mode| {
        let [g, gp] = [turned(bandlimit, &f, turns[0]), turned(bandlimit, &fp, turns[1])];
        [
            relative(pair(&network, mode, &sphere(&g), &sphere(&gp)), still),
            relative(pair(&network, mode, &sphere(&g), &sphere(&turned(bandlimit, &f, turns[1]))), own),
        ]
    };
    let [cross, own_error] = by_mode(RotationMode::default());
    let [fast_cross, fast_own] = by_mode(RotationMode::Grid(Quadrature::Fast));
    eprintln!("turned signals: {cross:.1e} {own_error:.1e}, fast {fast_cross:.1e} {fast_own:.1e}");
    // Measured: 1.5e-14 and 2.7e-7, fast 4.2e-10 and 2.0e-6.
    assert!(cross < 1e-9 && own_error < 1e-6, "{cross:.1e} {own_error:.1e}");
    assert!(fast_cross < 4e-5 && fast_own < 1e-4, "{fast_cross:.1e} {fast_own:.1e}");
}

/// Formaldehyde, and methane with one hydrogen replaced, in Å.
fn molecules() -> Vec<Molecule> {
    let molecule = |charges: &[u8], positions: &[[f64; 3]]| Molecule {
        charges: charges.to_vec(),
        positions: Array2::from_shape_fn((positions.len(), 3), |(i, k)| positions[i][k]),
    };
    vec![
        molecule(
            &[6, 8, 1, 1],
            &[[0.0, 0.0, 0.0], [0.1, 0.0, 1.2], [0.94, 0.05, -0.54], [-0.94, 0.0, -0.55]],
        ),
        molecule(
            &[6, 1, 1, 1, 8],
            &[
                [0.0, 0.1, 0.0],
                [0.63, 0.63, 0.63],
                [-0.63, -0.63, 0.63],
                [-0.63, 0.63, -0.63],
                [0.82, -0.8, -0.82],
            ],
        ),
    ]
}

fn on_molecules(atoms: &str, layers: &str) -> Network {
    network(&format!(
        "[input]\nspace = 'molecule'\nbandlimit = 4\nelements = [1, 6, 8]\natoms = '{atoms}'\n{layers}"
    ))
}

const PER_ATOM: &str = "[[layers]]\nop = 's2_conv'\nw_std = 0.3\nb_std = 0.3\n[[layers]]\nop = 'relu'\n\
    [[layers]]\nop = 'so3_conv'\nbandlimit = 3\nb_std = 0.2\n[[layers]]\nop = 'erf'\n[[layers]]\nop = 'so3_pool'\n\
    [[layers]]\nop = 'dense'\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'dropout'\nkeep_rate = 0.8\n[[layers]]\nop = 'dense'\n";
const TOGETHER: &str = "[[layers]]\nop = 'atom_sum'\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'dropout'\nkeep_rate = 0.9\n[[layers]]\nop = 'dense'\n";

/// Molecules turned and moved as a whole: positions change, kernels do not.
#[test]
fn turned_molecules() {
    for atoms in ["indexed", "shared"] {
        let layers = [PER_ATOM, TOGETHER].concat();
        let network = on_molecules(atoms, &layers);
        let still = molecules();
        let turns = [Euler::new(0.3, 1.1, -0.7), Euler::new(-2.1, 2.2, 1.9)];
        let turned = still.iter().zip(turns).map(|(molecule, turn)| {
            let mut molecule = molecule.clone();
            for mut atom in molecule.positions.outer_iter_mut() {
                let moved = turn.apply([atom[0] - 0.5, atom[1] + 2.0, atom[2]]);
                (0..3).for_each(|k| atom[k] = moved[k]);
            }
            molecule
        });
        let turned = Samples::Molecules(turned.collect());
        let still = Samples::Molecules(still);
        let [a, b] = [&still, &turned]
            .map(|samples| kernels(&network, RotationMode::default(), Pairs::within(samples.clone())));
        let gaps = (&a.nngp - &b.nngp).mapv(f64::abs) / a.nngp.mapv(f64::abs);
        let worst = gaps.iter().copied().fold(0.0, f64::max);
        eprintln!("turned molecules, {atoms}: {worst:.1e}");
        // Measured: 3.9e-7, which is the quadrature's error on self kernels.
        assert!(worst < 1e-6, "{atoms}: {worst:.1e}");
    }
}

/// A shared network does not notice the order of the atoms; networks of their own do.
#[test]
fn atoms_in_another_order() {
    let layers = [PER_ATOM, TOGETHER].concat();
    let still = molecules();
    let mut other = still.clone();
    other[1].charges.reverse();
    other[1].positions.invert_axis(Axis(0));
    let [still, other] = [still, other].map(Samples::Molecules);
    let gap = |atoms: &str| {
        let network = on_molecules(atoms, &layers);
        let mode = RotationMode::Grid(Quadrature::Fast);
        let [a, b] =
            [&still, &other].map(|samples| kernels(&network, mode, Pairs::within(samples.clone())).nngp);
        relative([a[[0, 1]], a[[1, 1]]], [b[[0, 1]], b[[1, 1]]])
    };
    let [shared, indexed] = ["shared", "indexed"].map(gap);
    eprintln!("another order: shared {shared:.1e}, indexed {indexed:.1e}");
    // Measured: 4e-16 and 3.4e-2.
    assert!(shared < 1e-13, "{shared:.1e}");
    assert!(indexed > 1e-3, "{indexed:.1e}");
}

/// Coefficients as a sample on the grid of signals.
fn on_grid(bandlimit: usize, signals: &Array2<Complex64>) -> Samples {
    let grid = SphereGrid::driscoll_healy(bandlimit).expect("a grid");
    let transform = SphereTransform::<f64>::new(bandlimit, &grid).expect("a transform");
    let mut scratch = transform.scratch();
    let shape = [2 * bandlimit, 2 * bandlimit - 1];
    let mut samples = Array3::zeros((shape[0], shape[1], signals.nrows()));
    for (c, row) in signals.outer_iter().enumerate() {
        let mut one = Array2::zeros(shape);
        transform.inverse_real(&row.to_vec(), &mut scratch, one.view_mut()).expect("samples");
        samples.slice_mut(s![.., .., c]).assign(&one);
    }
    sphere(&samples)
}

/// The kernel of molecules is the sum of the kernels of their atoms' signals, here given as signals on a grid.
#[test]
fn molecules_are_sums_over_atoms() {
    let layers = PER_ATOM.replace("'dropout'\nkeep_rate = 0.8", "'identity'");
    let alone = network(&format!("[input]\nspace = 'sphere'\nbandlimit = 4\nchannels = 6\n{layers}"));
    let mode = RotationMode::Grid(Quadrature::Fast);
    let maker = AtomSignals::new(4, &[1, 6, 8], 2, 45.0).expect("signals");
    let potential = AtomDescriptor::new(&[1, 6, 8]);
    let strength = |n, distance, charges| potential.strength(n, distance, charges);
    let on_grid = |molecule: &Molecule, atom: usize| {
        let signals = maker
            .coefficients(&molecule.charges, molecule.positions.view(), atom, strength)
            .expect("signals");
        on_grid(4, &signals)
    };
    let both = molecules();
    let [first, second]: [Vec<Samples>; 2] =
        [&both[0], &both[1]].map(|m| (0..m.atoms()).map(|atom| on_grid(m, atom)).collect());
    for (atoms, count) in [("indexed", 4), ("shared", 20), ("elements", 8)] {
        let whole = on_molecules(atoms, &[&layers, "[[layers]]\nop = 'atom_sum'\n"].concat());
        let [a, b] = [0, 1].map(|m| Samples::Molecules(vec![both[m].clone()]));
        let found = pair(&whole, mode, &a, &b);
        let mut sum = [0.0; 2];
        let mut pairs = 0;
        for (i, f) in first.iter().enumerate() {
            for (j, fp) in second.iter().enumerate() {
                let one_element = both[0].charges[i] == both[1].charges[j];
                let wanted = match atoms {
                    "indexed" => i == j,
                    "elements" => one_element,
                    _ => true,
                };
                if wanted {
                    let [k, theta] = pair(&alone, mode, f, fp);
                    sum = [sum[0] + k, sum[1] + theta];
                    pairs += 1;
                }
            }
        }
        assert_eq!(pairs, count);
        let error = relative(found, sum);
        eprintln!("sum over atoms, {atoms}: {error:.1e}");
        // Measured: 1.3e-16.
        assert!(error < 1e-12, "{error:.1e}");
    }
}

/// Which atoms have signals, and what is in these, as it is written down: two powers and two shells that fall
/// off, the root of the product of
/// the charges, around carbon and oxygen alone, with hydrogen before, between and behind them.
#[test]
fn signals_around_some_atoms() {
    let layers = "[[layers]]\nop = 's2_conv'\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'so3_pool'\n";
    let molecules_of = |atoms: &str| {
        network(&format!(
            "[input]\nspace = 'molecule'\nbandlimit = 3\nelements = [1, 6, 8]\ncenters = [6, 8]\npowers = [2, 5]\nshells = [1.1, 2]\nshell_width = 0.3\nshell_power = 2\ncharge_power = 0.5\natoms = '{atoms}'\n{layers}[[layers]]\nop = 'atom_sum'\n"
        ))
    };
    let alone = network(&format!("[input]\nspace = 'sphere'\nbandlimit = 3\nchannels = 12\n{layers}"));
    let mut both = molecules();
    both[0].charges.swap(0, 2);
    let maker = AtomSignals::new(3, &[1, 6, 8], 4, 45.0).expect("signals");
    let strength = |n: usize, r: f64, [z, zp]: [u8; 2]| {
        let radial = match n {
            0 => 1.0 / (r * r),
            1 => 1.0 / r.powi(5),
            2 => (-(r - 1.1).powi(2) / 0.18).exp() / (r * r),
            _ => (-(r - 2.0).powi(2) / 0.18).exp() / (r * r),
        };
        (f64::from(z) * f64::from(zp)).sqrt() * radial
    };
    // Oxygen and carbon, behind and before hydrogen; carbon and oxygen with three hydrogens between them.
    let atoms: [&[usize]; 2] = [&[1, 2], &[0, 4]];
    assert_eq!(both[0].charges, [1, 8, 6, 1]);
    let signals = [0, 1].map(|m| {
        let of = |&atom: &usize| {
            let (charges, positions) = (&both[m].charges, both[m].positions.view());
            on_grid(3, &maker.coefficients(charges, positions, atom, strength).expect("signals"))
        };
        atoms[m].iter().map(of).collect::<Vec<Samples>>()
    });
    let mode = RotationMode::Grid(Quadrature::Fast);
    for (pairing, pairs) in [
        ("indexed", &[(0, 0), (1, 1)][..]),
        ("shared", &[(0, 0), (0, 1), (1, 0), (1, 1)]),
        ("elements", &[(0, 1), (1, 0)]),
    ] {
        let [a, b] = [0, 1].map(|m| Samples::Molecules(vec![both[m].clone()]));
        let found = pair(&molecules_of(pairing), mode, &a, &b);
        let sum = pairs.iter().fold([0.0; 2], |sum, &(i, j)| {
            let [k, theta] = pair(&alone, mode, &signals[0][i], &signals[1][j]);
            [sum[0] + k, sum[1] + theta]
        });
        let error = relative(found, sum);
        eprintln!("some atoms, {pairing}: {error:.1e}");
        assert!(error < 1e-12, "{pairing}: {error:.1e}");
    }
}

/// flatten compares signals as they stand: (1/4πC) Σ f conj(f').
#[test]
fn flatten_integrates_the_product() {
    let network = network(
        "[input]\nspace = 'sphere'\nbandlimit = 4\nchannels = 2\n[[layers]]\nop = 'flatten'\n[[layers]]\nop = 'dense'\n",
    );
    let [f, fp] = [11, 12].map(|seed| signal(4, 2, seed));
    let [c, cp] = [&f, &fp].map(|f| sphere_coefficients(4, f.view()).expect("coefficients"));
    let inner: f64 = c.iter().zip(&cp).map(|(a, b)| (a * b.conj()).re).sum::<f64>() / (8.0 * PI);
    let found = pair(&network, RotationMode::default(), &sphere(&f), &sphere(&fp));
    assert!(relative(found, [inner, inner]) < 1e-14, "{found:?} {inner}");
}

/// Entry (i, j) of a Gram matrix is entry (j, i), also where both are computed: the grid is closed under inversion.
#[test]
fn gram_matrices_are_symmetric() {
    let (bandlimit, channels) = (3, 2);
    let network = on_sphere(bandlimit, channels);
    let samples: Vec<Array3<f64>> = (0..3).map(|seed| signal(bandlimit, channels, seed)).collect();
    let mut worst = 0.0_f64;
    for f in &samples {
        for fp in &samples {
            let there = pair(&network, RotationMode::default(), &sphere(f), &sphere(fp));
            let back = pair(&network, RotationMode::default(), &sphere(fp), &sphere(f));
            worst = worst.max(relative(there, back));
        }
    }
    eprintln!("symmetry {worst:.1e}");
    // Measured: 3e-16.
    assert!(worst < 1e-14, "{worst:.1e}");
}

/// A plan's grid is the reference's: the default, and the same number of nodes for both.
#[test]
fn the_plan_has_the_grid_of_the_reference() {
    let network = on_sphere(3, 1);
    let nodes = Plan::new(&network, KernelSet::Both).expect("a plan").rotations[0].nodes;
    let [f, fp] = [1, 2].map(|seed| sphere(&signal(3, 1, seed)));
    let default = pair(&network, RotationMode::default(), &f, &fp);
    assert_eq!(default, pair(&network, RotationMode::Grid(Quadrature::Nodes(nodes)), &f, &fp));
    assert_ne!(default, pair(&network, RotationMode::Grid(Quadrature::Nodes(nodes + 1)), &f, &fp));
}
