//! Every published or independently generated kernel under tests/fixtures/planar of the repository.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use ekernel_core::{Backend, Control, KernelSet, Kernels, Network, Pairs, Samples};
use ekernel_reference::ReferenceBackend;
use ndarray::{Array2, ArrayD, Ix2, Ix4};
use ndarray_npy::NpzReader;

/// Relative to the largest entry of an array. Measured: 1e-14 at most.
const DIFFERENT: f64 = 1e-12;
/// Where a sample repeats, the closed forms of kinked activations turn rounding into its square root. Measured: 3e-10 at
/// most (the NTK of mlp_standard_mixed), else 2e-14.
const REPEATED: f64 = 1e-9;

struct Case {
    name: String,
    network: Network,
    x1: Samples,
    x2: Samples,
    /// nngp, ntk, nngp11, ntk11.
    kernels: [Array2<f64>; 4],
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/planar");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 18, "only {} cases in {}", paths.len(), folder.display());
    paths.into_iter().map(|path| case(&path)).collect()
}

fn case(path: &Path) -> Case {
    let name = path.file_stem().expect("a file name").to_string_lossy().into_owned();
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{name}: {e}"));
    let network = text.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
    let file = File::open(path.with_extension("npz")).unwrap_or_else(|e| panic!("{name}.npz: {e}"));
    let mut npz = NpzReader::new(file).unwrap_or_else(|e| panic!("{name}.npz: {e}"));
    let x1 = samples(array(&mut npz, &name, "x1"));
    let x2 = samples(array(&mut npz, &name, "x2"));
    let kernels = ["nngp", "ntk", "nngp11", "ntk11"].map(|key| {
        array(&mut npz, &name, key)
            .into_dimensionality::<Ix2>()
            .unwrap_or_else(|e| panic!("{name}: {key}: {e}"))
    });
    Case { name, network, x1, x2, kernels }
}

fn array(npz: &mut NpzReader<File>, name: &str, key: &str) -> ArrayD<f64> {
    let double: Result<ArrayD<f64>, _> = npz.by_name(key);
    double
        .or_else(|_| npz.by_name::<_, _>(key).map(|single: ArrayD<f32>| single.mapv(f64::from)))
        .unwrap_or_else(|e| panic!("{name}: {key}: {e}"))
}

fn samples(x: ArrayD<f64>) -> Samples {
    match x.ndim() {
        2 => Samples::Vectors(x.into_dimensionality::<Ix2>().expect("two axes")),
        _ => Samples::Images(x.into_dimensionality::<Ix4>().expect("four axes")),
    }
}

fn kernels(network: &Network, pairs: Pairs) -> Kernels {
    let [n, m] = [pairs.first().len(), pairs.second().len()];
    let backend = ReferenceBackend::new(network, KernelSet::Both);
    let control = Control::new();
    let session = backend.prepare(pairs, &control).expect("prepared");
    session.tile(0..n, 0..m, &control).expect("computed")
}

/// Largest differences relative to the largest entry, of different samples and of repeated ones.
fn errors(case: &Case, network: &Network) -> [f64; 2] {
    let between = kernels(network, Pairs::cross(case.x1.clone(), case.x2.clone()));
    let own = kernels(network, Pairs::within(case.x1.clone()));
    let ours = [between.nngp, between.ntk.expect("asked for"), own.nngp, own.ntk.expect("asked for")];
    let mut worst = [0.0_f64; 2];
    for (which, (ours, theirs)) in ours.iter().zip(&case.kernels).enumerate() {
        assert_eq!(ours.dim(), theirs.dim(), "{}", case.name);
        let largest = theirs.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
        for ((at, a), b) in ours.indexed_iter().zip(theirs) {
            let repeated = if which < 2 { at == (1, 0) } else { at.0 == at.1 };
            // A network that ends in sign has an NTK of zero.
            let error = if largest > 0.0 { (a - b).abs() / largest } else { (a - b).abs() };
            assert!(error.is_finite(), "{}: {a} at {at:?}", case.name);
            worst[usize::from(repeated)] = worst[usize::from(repeated)].max(error);
        }
    }
    worst
}

#[test]
fn published_kernels_are_reproduced() {
    let mut failed = Vec::new();
    for case in cases() {
        let [different, repeated] = errors(&case, &case.network);
        eprintln!("{:28} {different:.1e} {repeated:.1e}", case.name);
        if different > DIFFERENT || repeated > REPEATED {
            failed.push(format!("{}: {different:.1e}, repeated samples {repeated:.1e}", case.name));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The comparison notices a filter that is 0.1 % too heavy, a dropped bias and another padding.
#[test]
fn wrong_networks_are_noticed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/planar");
    let case = case(&folder.join("c4_valid_bias.toml"));
    let text = case.network.to_toml();
    let changes = [
        ("w_std = 1.3", "w_std = 1.30065"),
        ("b_std = 0.2", "b_std = 0.0"),
        ("group = \"C4\"", "group = \"C2\""),
        ("filter = [3, 3]", "filter = [2, 2]"),
    ];
    assert!(errors(&case, &case.network)[0] < DIFFERENT);
    for (old, new) in changes {
        assert!(text.contains(old), "{old} is not in\n{text}");
        let broken: Network = text.replacen(old, new, 1).parse().expect("still a network");
        let [different, _] = errors(&case, &broken);
        assert!(different > 1e-5, "{new}: {different:.1e}");
    }
}
