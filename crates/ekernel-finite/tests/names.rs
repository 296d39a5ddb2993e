//! A seed and a number name a network for good.

use ekernel_core::{Activation, Control, Dense, Input, KernelSet, Molecule, Network, Pairs, Samples};
use ekernel_finite::{FiniteNetwork, Name, Options, Widths, sample};

/// The first weights of seed 7, number 0, computed by another program from the definition: ChaCha8 with the key (7, 0, 0, 0), two
/// words of 53 bits for each pair of Box and Muller. They must never change, because seeds in published results name networks.
const GOLDEN: [f64; 3] = [-1.6608612193526364, 0.3609865048211255, -0.03384148774157124];

/// One weight is one output of this network at x = 1.
fn weights(name: Name, count: usize) -> Vec<f64> {
    let network =
        Network::builder(Input::Vector { features: 1 }).layer(Dense::new()).build().expect("a network");
    let widths = Widths { hidden: None, outputs: Some(count) };
    let finite = FiniteNetwork::<f64>::new(&network, widths, 1).expect("compiled");
    let samples = Samples::Vectors(ndarray::array![[1.0]]);
    finite.outputs(name, &samples).expect("outputs").into_iter().collect()
}

#[test]
fn weights_are_those_of_the_definition() {
    let found = weights(Name { seed: 7, member: 0 }, 1000);
    assert!(found.iter().zip(GOLDEN).all(|(x, golden)| (x - golden).abs() < 1e-14), "{:?}", &found[..3]);
    let (mean, square) = found.iter().fold((0.0, 0.0), |(m, s), x| (m + x / 1e3, s + x * x / 1e3));
    assert!(mean.abs() < 0.1 && (square - 1.0).abs() < 0.15, "{mean} {square}");
    // A longer array begins with the numbers of a shorter one; other members have others.
    assert_eq!(found[..7], weights(Name { seed: 7, member: 0 }, 7));
    assert_ne!(found, weights(Name { seed: 7, member: 1 }, 1000));
    assert_ne!(found, weights(Name { seed: 8, member: 0 }, 1000));
}

#[test]
fn samples_are_the_same_bits_for_every_number_of_threads() {
    let network = Network::builder(Input::Vector { features: 3 })
        .layer(Dense::new().b_std(0.3))
        .layer(Activation::Relu)
        .layer(Dense::new())
        .build()
        .expect("a network");
    let samples = Samples::Vectors(ndarray::array![[1.0, 0.5, -1.0], [0.0, 2.0, 0.3]]);
    let found = [1, 2, 3].map(|threads| {
        let options = Options { threads, ..Options::new(Widths::all(9), 50) };
        let pairs = Pairs::within(samples.clone());
        sample(&network, &pairs, KernelSet::Both, &options, &Control::new()).expect("sampled")
    });
    assert!(found.iter().all(|other| *other == found[0]));
}

#[test]
fn a_layer_without_a_width_is_named() {
    let network = Network::builder(Input::Vector { features: 3 })
        .layer(Dense::new())
        .layer(Activation::Relu)
        .layer(Dense::new())
        .build()
        .expect("a network");
    let refused = |widths| FiniteNetwork::<f64>::new(&network, widths, 1).err().expect("refused").to_string();
    let missing = refused(Widths::own());
    assert!(missing.starts_with("layer 1 (dense) has no width"), "{missing}");
    assert!(refused(Widths::all(0)).starts_with("a width of 0 has no features"));
}

/// A carbon and a hydrogen that see the same nitrogen, without charges: the same signal in networks of their own, or in one.
#[test]
fn elements_have_weights_of_their_own() {
    let values = |atoms: &str| {
        let text = format!(
            "[input]\nspace = 'molecule'\nbandlimit = 2\nelements = [1, 6, 7]\ncenters = [1, 6]\ncharge_power = 0.0\n\
             atoms = '{atoms}'\n[[layers]]\nop = 's2_conv'\n[[layers]]\nop = 'so3_pool'\n[[layers]]\nop = 'atom_sum'\n"
        );
        let network: Network = text.parse().expect("a network");
        let beside_nitrogen = |z: u8| Molecule {
            charges: vec![z, 7],
            positions: ndarray::array![[0.0, 0.0, 0.0], [0.0, 0.0, 1.2]],
        };
        let molecules = Samples::Molecules(vec![beside_nitrogen(6), beside_nitrogen(1)]);
        let finite = FiniteNetwork::<f64>::new(&network, Widths::all(5), 1).expect("compiled");
        let values = finite.values(Name { seed: 3, member: 0 }, &molecules, 0).expect("values");
        let [first, second] = [0, 1].map(|atom| values.index_axis(ndarray::Axis(0), atom).to_owned());
        (&first - &second).iter().fold(0.0, |most: f64, x| most.max(x.abs()))
    };
    let [own, shared] = ["elements", "shared"].map(values);
    assert!(own > 0.01 && shared < 1e-12, "{own} {shared}");
}
