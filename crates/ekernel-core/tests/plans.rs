//! The plans of the fixture architectures, word for word: a change of a reduction shows here first.

use std::{fs, path::Path};

use ekernel_core::{Kinds, Network, Plan};

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
        let plan = Plan::new(&network, Kinds::Both).unwrap_or_else(|e| panic!("{name}: {e}"));
        text += &format!("==== {name}\n{plan}\n");
    }
    insta::assert_snapshot!("plans", text);
}

/// Kernels of ReLUs without biases are homogeneous; a bias, a normalisation or a bounded activation anywhere ends that.
#[test]
fn homogeneous_plans() {
    let plan = |layers: &str| {
        let file = format!(
            "[input]\nspace = \"image\"\nshape = [8, 8, 2]\n[[layers]]\nop = \"conv\"\nfilter = [3, 3]\n{layers}\n[[layers]]\nop = \"global_avg_pool\""
        );
        Plan::new(&file.parse::<Network>().expect("a network"), Kinds::Both).expect("a plan").is_homogeneous()
    };
    assert!(plan(
        "[[layers]]\nop = \"leaky_relu\"\nalpha = 0.1\n[[layers]]\nop = \"avg_pool\"\nwindow = [2, 2]"
    ));
    assert!(!plan("b_std = 0.1\n[[layers]]\nop = \"relu\""));
    assert!(!plan("[[layers]]\nop = \"erf\""));
    assert!(!plan("[[layers]]\nop = \"layer_norm\"\nover = \"channels\""));
}
