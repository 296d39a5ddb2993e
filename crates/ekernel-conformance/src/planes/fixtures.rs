//! Published kernels of networks on vectors and images, from tests/fixtures/planar.

use std::{fs, path::Path, sync::LazyLock};

use ekernel_core::{Kernels, Network, Pairs, Quadrature, Samples};
use ndarray::{Array2, Array4, ArrayD, Ix2, Ix4};
use ndarray_npy::NpzReader;

use crate::{Case, entries::error_where};

/// An architecture with published kernels: of x1 against x2, whose first sample repeats the second of x1, and of x1 with itself.
pub struct Fixture {
    /// The architecture, both pairs and what is expected of them.
    pub case: Case,
}

impl Fixture {
    /// x1 against x2, and what is expected.
    pub(crate) fn cross(&self) -> (&Pairs, &Kernels) {
        self.check(0)
    }

    /// x1 with itself, and what is expected.
    pub(crate) fn within(&self) -> (&Pairs, &Kernels) {
        self.check(1)
    }

    fn check(&self, index: usize) -> (&Pairs, &Kernels) {
        let (pairs, kernels) = &self.case.checks()[index];
        (pairs, kernels.as_ref().expect("published kernels"))
    }
}

/// Errors of x1 against x2 and of x1 with itself: apart from repeated samples, and of these.
pub(crate) fn errors(fixture: &Fixture, cross: &Kernels, within: &Kernels) -> [f64; 2] {
    [false, true].map(|repeats| {
        let kernel = |found: &Kernels, expected: &Kernels, keep: &dyn Fn(usize, usize) -> bool| {
            let of = |found: &Array2<f64>, expected: &Array2<f64>| error_where(found, expected, keep);
            let ntk = found.ntk.as_ref().zip(expected.ntk.as_ref());
            of(&found.nngp, &expected.nngp)
                .max(ntk.map_or(f64::INFINITY, |(found, expected)| of(found, expected)))
        };
        kernel(cross, fixture.cross().1, &|i, j| ((i, j) == (1, 0)) == repeats).max(kernel(
            within,
            fixture.within().1,
            &|i, j| (i == j) == repeats,
        ))
    })
}

/// Every fixture of tests/fixtures/planar.
///
/// # Panics
/// If they cannot be read, or are few.
pub fn fixtures() -> &'static [Fixture] {
    static FIXTURES: LazyLock<Vec<Fixture>> = LazyLock::new(read_all);
    &FIXTURES
}

fn read_all() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/planar");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("the folder of fixtures")
        .filter_map(|entry| {
            let path = entry.expect("a readable folder").path();
            let is_arch = path.extension().is_some_and(|e| e == "toml");
            is_arch.then(|| path.file_stem().expect("a name").to_string_lossy().into_owned())
        })
        .collect();
    names.sort();
    assert!(names.len() >= 80, "only {} fixtures", names.len());
    names.into_iter().map(|name| read(&folder, name)).collect()
}

fn read(folder: &Path, name: String) -> Fixture {
    let text = fs::read_to_string(folder.join(format!("{name}.toml"))).expect("an architecture");
    let network: Network = text.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
    let file = fs::File::open(folder.join(format!("{name}.npz"))).expect("an npz file");
    let mut npz = NpzReader::new(file).expect("an npz file");
    let mut array =
        |key: &str| -> ArrayD<f64> { npz.by_name(key).unwrap_or_else(|e| panic!("{name}: {key}: {e}")) };
    let samples = |x: ArrayD<f64>| match x.ndim() {
        2 => Samples::Vectors(x.into_dimensionality::<Ix2>().expect("two axes")),
        _ => {
            let x = x.into_dimensionality::<Ix4>().expect("four axes");
            Samples::Images(
                Array4::from_shape_vec(x.dim(), x.iter().copied().collect()).expect("the same shape"),
            )
        }
    };
    let (x1, x2) = (samples(array("x1")), samples(array("x2")));
    let [nngp, ntk, nngp11, ntk11] = ["nngp", "ntk", "nngp11", "ntk11"]
        .map(|key| array(key).into_dimensionality::<Ix2>().expect("two axes"));
    let checks = vec![
        (Pairs::cross(x1.clone(), x2), Kernels { nngp, ntk: Some(ntk) }),
        (Pairs::within(x1), Kernels { nngp: nngp11, ntk: Some(ntk11) }),
    ];
    Fixture { case: Case::known(name, network, Quadrature::default(), checks) }
}
