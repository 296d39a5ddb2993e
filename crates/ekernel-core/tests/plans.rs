//! The plans of the fixture architectures, word for word: a change of a reduction shows here first.

use std::{fs, path::Path};

use ekernel_core::{
    Input, KernelSet, Network, Plan, Quadrature,
    plan::{AtomReadout, Scalar},
};

/// Every architecture file under tests/fixtures/planar and examples/architectures of the repository.
fn architectures() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for folder in ["tests/fixtures/planar", "examples/architectures"] {
        for entry in fs::read_dir(root.join(folder)).expect("the folder is part of the repository") {
            let path = entry.expect("a readable folder").path();
            if path.extension().is_some_and(|e| e == "toml") {
                let name = path.file_stem().expect("a file name").to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).expect("a readable file")));
            }
        }
    }
    found.sort();
    assert!(found.len() >= 18, "only {} architectures were found", found.len());
    found
}

#[test]
fn architecture_files_round_trip() {
    for (name, text) in architectures() {
        let network: Network = text.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
        let again: Network =
            network.to_toml().parse().unwrap_or_else(|e| panic!("{name}, written and read: {e}"));
        assert_eq!(network, again, "{name}");
    }
}

#[test]
fn plans_are_as_they_were() {
    let mut text = String::new();
    for (name, file) in architectures() {
        let network: Network = file.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
        // Layers of networks of finite width alone.
        if network.ensure_kernel().is_err() {
            continue;
        }
        let plan = Plan::new(&network, KernelSet::Both).unwrap_or_else(|e| panic!("{name}: {e}"));
        if let Input::Sphere { .. } | Input::Molecule { .. } = network.input() {
            continue;
        }
        text += &format!("==== {name}\n{plan}\n");
    }
    insta::assert_snapshot!("plans", text);
}

/// Networks on the sphere and on molecules, with every kind of layer there.
const SPHERICAL: [(&str, &str); 6] = [
    (
        "sphere",
        "[input]\nspace = 'sphere'\nbandlimit = 6\nchannels = 10\n[[layers]]\nop = 's2_conv'\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'so3_conv'\nb_std = 0.5\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'so3_pool'\n[[layers]]\nop = 'dense'",
    ),
    (
        "sphere_truncated",
        "[input]\nspace = 'sphere'\nbandlimit = 6\nchannels = 10\n[[layers]]\nop = 's2_conv'\nbandlimit = 3\n[[layers]]\nop = 'erf'\n[[layers]]\nop = 'so3_conv'\nbandlimit = 2\n[[layers]]\nop = 'erf'\n[[layers]]\nop = 'so3_pool'\n[[layers]]\nop = 'dense'\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'dense'",
    ),
    (
        "sphere_residual",
        "[input]\nspace = 'sphere'\nbandlimit = 4\nchannels = 1\n[[layers]]\nop = 's2_conv'\nname = 'x'\n[[layers]]\nop = 'layer_norm'\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'dropout'\nkeep_rate = 0.9\n[[layers]]\nop = 'so3_conv'\nname = 'y'\n[[layers]]\nop = 'sum'\ninputs = ['x', 'y']\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'so3_pool'",
    ),
    (
        "molecule_indexed",
        "[input]\nspace = 'molecule'\nbandlimit = 6\nelements = [1, 6, 7, 8, 9]\npowers = [2, 6]\natoms = 'indexed'\n[[layers]]\nop = 's2_conv'\n[[layers]]\nop = 'erf'\n[[layers]]\nop = 'so3_conv'\n[[layers]]\nop = 'erf'\n[[layers]]\nop = 'so3_pool'\n[[layers]]\nop = 'atom_sum'\n[[layers]]\nop = 'dense'",
    ),
    (
        "molecule_elements",
        "[input]\nspace = 'molecule'\nbandlimit = 6\nelements = [1, 6, 7, 8, 9]\ncenters = [6, 7, 8, 9]\npowers = [4]\nshells = [1.1, 1.5]\nshell_width = 0.2\nshell_power = 4\ncharge_power = 0.5\natoms = 'elements'\n[[layers]]\nop = 's2_conv'\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'so3_pool'\n[[layers]]\nop = 'atom_sum'\n[[layers]]\nop = 'dense'",
    ),
    (
        "molecule_shared",
        "[input]\nspace = 'molecule'\nbandlimit = 6\nelements = [1, 6, 7, 8, 9]\npowers = [1, 2.5]\ncutoff_angle = 30\natoms = 'shared'\n[[layers]]\nop = 'flatten'\n[[layers]]\nop = 'dense'\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'dense'\nname = 'a'\n[[layers]]\nop = 'atom_sum'\nname = 'plain'\n[[layers]]\nop = 's2_conv'\ninputs = ['input']\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'so3_conv'\n[[layers]]\nop = 'so3_pool'\n[[layers]]\nop = 'atom_sum'\nname = 'turned'\n[[layers]]\nop = 'sum'\ninputs = ['plain', 'turned']\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'dense'",
    ),
];

#[test]
fn plans_on_the_sphere_are_as_they_were() {
    let mut text = String::new();
    for (name, file) in SPHERICAL {
        let network: Network = file.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(network.to_toml().parse().as_ref(), Ok(&network), "{name}, written and read");
        // Layers of networks of finite width alone.
        if network.ensure_kernel().is_err() {
            continue;
        }
        let plan = Plan::new(&network, KernelSet::Both).unwrap_or_else(|e| panic!("{name}: {e}"));
        text += &format!("==== {name}\n{plan}\n");
    }
    insta::assert_snapshot!("spherical_plans", text);
}

#[test]
fn the_quadrature_is_chosen_by_the_plan() {
    let (_, file) = SPHERICAL[0];
    let network: Network = file.parse().expect("a network");
    let nodes = |quadrature| {
        Plan::with_quadrature(&network, KernelSet::Nngp, quadrature).expect("a plan").rotations[0].nodes
    };
    assert_eq!(nodes(Quadrature::Accurate), 24);
    assert_eq!(nodes(Quadrature::Fast), 12);
    assert_eq!(nodes(Quadrature::Nodes(7)), 7);
    assert_eq!(Plan::new(&network, KernelSet::Nngp).expect("a plan").rotations[0].nodes, 24);
}

/// Kernels of ReLUs without biases are homogeneous; a bias, a normalisation or a bounded activation anywhere ends that.
#[test]
fn homogeneous_plans() {
    let plan = |layers: &str| {
        let file = format!(
            "[input]\nspace = \"image\"\nshape = [8, 8, 2]\n[[layers]]\nop = \"conv\"\nfilter = [3, 3]\n{layers}\n[[layers]]\nop = \"global_avg_pool\""
        );
        Plan::new(&file.parse::<Network>().expect("a network"), KernelSet::Both)
            .expect("a plan")
            .is_homogeneous()
    };
    assert!(plan(
        "[[layers]]\nop = \"leaky_relu\"\nalpha = 0.1\n[[layers]]\nop = \"avg_pool\"\nwindow = [2, 2]"
    ));
    assert!(!plan("b_std = 0.1\n[[layers]]\nop = \"relu\""));
    assert!(!plan("[[layers]]\nop = \"erf\""));
    assert!(!plan("[[layers]]\nop = \"layer_norm\"\nover = \"channels\""));
}

/// A pair of atoms is a pair of signals: a molecule's readouts are sums of its atoms'.
#[test]
fn one_atom_pair_is_a_pair_of_signals() {
    let text = "[input]\nspace = 'molecule'\nbandlimit = 4\nelements = [1, 6]\natoms = 'shared'\n[[layers]]\nop = 's2_conv'\n\
                [[layers]]\nop = 'relu'\n[[layers]]\nop = 'so3_pool'\n[[layers]]\nop = 'atom_sum'";
    let plan = Plan::new(&text.parse().expect("a network"), KernelSet::Both).expect("a plan");
    let atoms = plan.atoms.as_ref().expect("molecules");
    assert_eq!(atoms.readouts, [AtomReadout::Rotations { stage: 0 }]);
    let value = Scalar { nngp: 2.0, ntk: 3.0, v: 4.0, vp: 5.0 };
    assert_eq!(atoms.run(&[value], false), [value]);
}
