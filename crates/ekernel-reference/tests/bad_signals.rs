//! Samples on the sphere and molecules that cannot be computed, and what is said about them.

mod support;

use ekernel_core::{
    Backend, BackendError, Control, KernelSet, Molecule, Network, Pairs, Quadrature, Samples, SamplesError,
};
use ekernel_reference::{ReferenceBackend, RotationMode, rotation_kernel};
use ndarray::{Array2, Array4, array};
use support::network;

fn on_molecules() -> Network {
    network(
        "[input]\nspace = 'molecule'\nbandlimit = 2\nelements = [1, 6]\natoms = 'shared'\n\
         [[layers]]\nop = 's2_conv'\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'so3_pool'\n[[layers]]\nop = 'atom_sum'\n",
    )
}

fn on_sphere(layers: &str) -> Network {
    network(&format!(
        "[input]\nspace = 'sphere'\nbandlimit = 2\nchannels = 1\n[[layers]]\nop = 's2_conv'\n{layers}[[layers]]\nop = 'so3_pool'\n"
    ))
}

fn refused(network: &Network, samples: &Samples) -> BackendError {
    let backend = ReferenceBackend::new(network, KernelSet::Both);
    backend.prepare(Pairs::within(samples.clone()), &Control::new()).map(|_| ()).expect_err("refused")
}

fn molecule(charges: &[u8], positions: Array2<f64>) -> Samples {
    Samples::Molecules(vec![
        Molecule { charges: vec![6, 1], positions: array![[0.0, 0.0, 0.0], [0.0, 0.0, 1.1]] },
        Molecule { charges: charges.to_vec(), positions },
    ])
}

#[test]
fn molecules_that_are_none() {
    let network = on_molecules();
    let said: Vec<String> = [
        molecule(&[6, 1], array![[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
        molecule(&[6], array![[0.0, 0.0, 0.0]]),
        molecule(&[], Array2::zeros((0, 3))),
        molecule(&[6, 1], array![[0.0, 0.0, 0.0]]),
        molecule(&[6, 1], array![[0.0, 0.0], [0.0, 1.0]]),
        molecule(&[6, 1], array![[0.0, 0.0, 0.0], [0.0, f64::NAN, 1.0]]),
        molecule(&[6, 8], array![[0.0, 0.0, 0.0], [0.0, 0.0, 1.2]]),
        Samples::Molecules(vec![]),
        Samples::Spheres(Array4::zeros((1, 4, 3, 1))),
    ]
    .iter()
    .map(|samples| refused(&network, samples).to_string())
    .collect();
    let expected = [
        "the first samples: atoms 0 and 1 of molecule 1 are 0e0 Å apart; positions are in Å, and atoms are at least 0.05 Å apart",
        "the first samples: molecule 1 has 1 atom(s); an atom's signal is made by the others, so at least 2 are needed: leave it out",
        "the first samples: molecule 1 has 0 atom(s); an atom's signal is made by the others, so at least 2 are needed: leave it out",
        "the first samples: molecule 1 has 2 atomic numbers but positions of shape [1, 3]; it needs [2, 3]",
        "the first samples: molecule 1 has 2 atomic numbers but positions of shape [2, 2]; it needs [2, 3]",
        "the first samples: sample 1 holds NaN at index [1, 1]; remove or replace it",
        "atom 1 of molecule 1 is of element 8, but the network knows the elements [1, 6]; add it to elements in [input], or leave the molecule out",
        "the first samples: the samples are empty: their shape is [0]; every dimension must be at least 1",
        "the network's input is molecules of the elements [1, 6], 4 channels of bandlimit 2 around each atom, atoms shared, but the samples are signals on the sphere of shape [4, 3, 1]; give atomic numbers and positions (an .xyz file, an .npz with charges and positions)",
    ];
    assert_eq!(said, expected);
}

#[test]
fn grids_of_another_bandlimit() {
    let network = on_sphere("");
    let said = |shape: (usize, usize, usize, usize)| {
        refused(&network, &Samples::Spheres(Array4::ones(shape))).to_string()
    };
    let input = "the network's input is signals on the sphere of bandlimit 2 and shape [4, 3, 1] (theta, phi, channels), but the samples are";
    assert_eq!(
        said((1, 6, 5, 2)),
        format!(
            "{input} signals on the sphere of shape [6, 5, 2]; set bandlimit = 3 and channels = 2 in [input]"
        )
    );
    assert_eq!(
        said((1, 4, 4, 1)),
        format!(
            "{input} signals on the sphere of shape [4, 4, 1]; a bandlimit L has 2L rings of 2L−1 points: sample the signals on that grid"
        )
    );
    let molecules = molecule(&[6, 1], array![[0.0, 0.0, 0.0], [0.0, 0.0, 1.1]]);
    assert_eq!(
        refused(&network, &molecules).to_string(),
        format!("{input} molecules; use space = \"molecule\" for molecules")
    );
    let mut signal = Array4::ones((2, 4, 3, 1));
    signal[[1, 2, 0, 0]] = f64::INFINITY;
    let error = refused(&network, &Samples::Spheres(signal));
    let expected = SamplesError::NotFinite { sample: 1, index: vec![2, 0, 0], value: f64::INFINITY };
    assert!(matches!(&error, BackendError::Samples { source, .. } if *source == expected), "{error}");
}

#[test]
fn kernels_that_do_not_exist_say_where() {
    let network = on_sphere("[[layers]]\nop = 'gaussian'\nb = 0.3\n");
    let samples =
        Samples::Spheres(Array4::from_shape_fn((2, 4, 3, 1), |(n, t, _, _)| n as f64 * (1.0 + t as f64)));
    let error = refused(&network, &samples);
    assert!(matches!(error, BackendError::NotFinite { row: 1, col: 1, .. }), "{error}");
    assert!(error.to_string().contains("layer 2 (gaussian)"), "{error}");
}

#[test]
fn memory_cancelling_and_coarse_grids() {
    let network = on_sphere("");
    let samples = Samples::Spheres(Array4::ones((2, 4, 3, 1)));
    let backend = ReferenceBackend::new(&network, KernelSet::Both).with_memory_limit(1000);
    let refused = backend.prepare(Pairs::within(samples.clone()), &Control::new()).map(|_| ());
    assert!(matches!(refused, Err(BackendError::Memory { available: 1000, .. })), "{refused:?}");
    let backend = ReferenceBackend::new(&network, KernelSet::Both);
    let control = Control::new();
    let session = backend.prepare(Pairs::within(samples.clone()), &control).expect("prepared");
    assert!(session.concurrency() >= 1 && session.memory()[1] > 0);
    control.cancel();
    assert!(matches!(session.tile(0..2, 0..2, &control), Err(BackendError::Cancelled)));
    let coarse = ReferenceBackend::new(&network, KernelSet::Both)
        .with_rotations(RotationMode::Grid(Quadrature::Nodes(1)));
    let refused = coarse.prepare(Pairs::within(samples.clone()), &Control::new()).map(|_| ());
    assert!(matches!(refused, Err(BackendError::Arch(_))), "{refused:?}");
}

#[test]
fn kernels_with_both_arguments_live_on_rotations() {
    let network = on_sphere("");
    let samples = Samples::Spheres(Array4::ones((1, 4, 3, 1)));
    let identity = ekernel_harmonic::Euler::IDENTITY;
    let tensors = ekernel_reference::self_fields(&network, &samples, 0).map(|_| ());
    assert!(matches!(tensors, Err(BackendError::Device { .. })), "{tensors:?}");
    for node in [1, 7] {
        let refused = rotation_kernel(&network, (&samples, 0), (&samples, 0), node, [identity; 2], 2);
        assert!(matches!(refused, Err(BackendError::Device { .. })), "{refused:?}");
    }
}
