use std::{fs, path::Path, sync::Arc};

use ekernel::{
    gram::{FolderStore, Options, gram},
    prelude::{Control, CpuBackend, CpuOptions, Dense, Input, KernelSet, Kernels, Network, Pairs, Samples},
};
use ndarray::array;

/// The manifest of a resume folder, and its tiles: the first byte chooses the file, the rest is what stands there.
///
/// # Panics
/// If a folder that was not refused gives other kernels than an empty one.
pub fn resume(bytes: &[u8]) {
    let Some((&which, content)) = bytes.split_first() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let truth = run(folder.path()).expect("an empty folder is not refused");
    let mut files: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    fs::write(&files[usize::from(which) % files.len()], content).expect("a file");
    if let Some(kernels) = run(folder.path()) {
        assert_eq!((kernels.nngp, kernels.ntk), (truth.nngp, truth.ntk));
    }
}

/// The kernels of three vectors, unless the folder is refused.
fn run(folder: &Path) -> Option<Kernels> {
    let network =
        Network::builder(Input::Vector { features: 2 }).layer(Dense::new()).build().expect("a network");
    let backend = CpuBackend::new(&network, KernelSet::Both, CpuOptions::default()).expect("a backend");
    let samples = Samples::Vectors(array![[1.0, 2.0], [0.5, -1.0], [3.0, 0.25]]);
    let store = FolderStore::open(folder).ok()?;
    let options = Options {
        tile_shape: Some([2, 2]),
        threads: Some(1),
        store: Some(Arc::new(store)),
        ..Options::new(KernelSet::Both)
    };
    gram(&backend, Pairs::within(samples), &options, &Control::new()).ok()
}
