//! Networks broken on purpose must not meet the kernels: if they did, the comparison would prove nothing.
//!
//! All have one nonlinearity, so that K̂ is unbiased at every width and differs from K by chance alone: 4 standard errors.

use ekernel_core::{Backend, Control, KernelSet, Molecule, Network, Pairs, Samples};
use ekernel_finite::{Options, Widths, sample};
use ekernel_reference::ReferenceBackend;
use ndarray::{Array4, array};

/// The largest distance, in standard errors, of the sampled kernel of one network from the exact one of another.
fn distance(exact: (&str, &Samples), sampled: (&str, &Samples), networks: usize) -> f64 {
    let [exact, sampled] =
        [exact, sampled].map(|(text, samples)| (text.parse::<Network>().expect("a network"), samples));
    let (n, control) = (exact.1.len(), Control::new());
    let pairs = |samples: &Samples| Pairs::within(samples.clone());
    let backend = ReferenceBackend::new(&exact.0, KernelSet::Nngp);
    let session = backend.prepare(pairs(exact.1), &control).expect("prepared");
    let kernel = session.tile(0..n, 0..n, &control).expect("computed").nngp;
    let widths = Widths { hidden: Some(8), outputs: Some(64) };
    let options = Options { threads: 2, ..Options::new(widths, networks) };
    let found = sample(&sampled.0, &pairs(sampled.1), KernelSet::Nngp, &options, &control).expect("sampled");
    let [mean, error] = found.nngp;
    kernel.indexed_iter().map(|(at, k)| ((mean[at] - k) / error[at]).abs()).fold(0.0, f64::max)
}

fn group_network(group: &str, w_std: f64) -> String {
    format!(
        "[input]\nspace = 'image'\nshape = [3, 3, 1]\n\
         [[layers]]\nop = 'lift'\ngroup = '{group}'\nfilter = [3, 3]\npadding = 'same'\n[[layers]]\nop = 'relu'\n\
         [[layers]]\nop = 'group_conv'\nfilter = [3, 3]\npadding = 'same'\nw_std = {w_std:?}\n[[layers]]\nop = 'group_pool'\n"
    )
}

fn images() -> Samples {
    let wave =
        |n: usize, y: usize, x: usize| ((1 + n) as f64 * (3 * y + x * x) as f64 * 0.7 + n as f64).sin();
    Samples::Images(Array4::from_shape_fn((3, 3, 3, 1), |(n, y, x, _)| wave(n, y, x)))
}

#[test]
fn group_networks_meet_their_kernels_and_broken_ones_do_not() {
    let (exact, images) = (group_network("C4", 1.0), images());
    let from_exact = |sampled: &str| distance((&exact, &images), (sampled, &images), 6000);
    let honest = from_exact(&exact);
    // w² of a convolution larger by 2 %; half of the slots dropped.
    let scaled = from_exact(&group_network("C4", 1.02_f64.sqrt()));
    let dropped = from_exact(&group_network("C2", 1.0));
    eprintln!("in standard errors: honest {honest:.1}, scaled {scaled:.1}, slots dropped {dropped:.1}");
    assert!(honest < 4.0 && scaled > 4.0 && dropped > 4.0, "{honest} {scaled} {dropped}");
}

/// a + b·x on the grid of Driscoll and Healy for bandlimit 2; the degree 1 is multiplied by `degree`.
fn signals(degree: f64) -> Samples {
    let (pi, tau) = (std::f64::consts::PI, std::f64::consts::TAU);
    Samples::Spheres(Array4::from_shape_fn((2, 4, 3, 1), |(n, t, p, _)| {
        let (theta, phi) = ((2 * t + 1) as f64 * pi / 8.0, p as f64 * tau / 3.0);
        let linear = theta.cos() + (1 + n) as f64 * theta.sin() * phi.cos();
        0.7 - 0.4 * n as f64 + degree * linear
    }))
}

#[test]
fn networks_on_rotations_meet_their_kernels_and_broken_ones_do_not() {
    let network = "[input]\nspace = 'sphere'\nbandlimit = 2\nchannels = 1\n[[layers]]\nop = 's2_conv'\n\
                   [[layers]]\nop = 'erf'\n[[layers]]\nop = 'so3_conv'\nbandlimit = 2\n[[layers]]\nop = 'so3_pool'\n";
    let from_exact = |degree: f64| distance((network, &signals(1.0)), (network, &signals(degree)), 400);
    // Each degree of the lift off by √(2l + 1), the published normalisation.
    let (honest, broken) = (from_exact(1.0), from_exact(3.0_f64.sqrt()));
    eprintln!("in standard errors: honest {honest:.1}, degrees {broken:.1}");
    assert!(honest < 4.0 && broken > 4.0, "{honest} {broken}");
}

#[test]
fn elements_have_networks_of_their_own_and_shared_ones_are_seen() {
    let network = |atoms: &str| {
        format!(
            "[input]\nspace = 'molecule'\nbandlimit = 2\nelements = [1, 6]\natoms = '{atoms}'\n[[layers]]\nop = 's2_conv'\n\
             [[layers]]\nop = 'erf'\n[[layers]]\nop = 'so3_pool'\n[[layers]]\nop = 'atom_sum'\n"
        )
    };
    let molecule = |charges: [u8; 3]| Molecule {
        charges: charges.to_vec(),
        positions: array![[0.0, 0.0, 0.0], [1.1, 0.1, 0.0], [-0.3, 1.0, 0.2]],
    };
    let molecules = Samples::Molecules(vec![molecule([6, 1, 1]), molecule([6, 6, 1])]);
    let exact = network("elements");
    let from_exact = |atoms: &str| distance((&exact, &molecules), (&network(atoms), &molecules), 400);
    let (honest, shared) = (from_exact("elements"), from_exact("shared"));
    eprintln!("in standard errors: honest {honest:.1}, shared {shared:.1}");
    assert!(honest < 4.0 && shared > 4.0, "{honest} {shared}");
}
