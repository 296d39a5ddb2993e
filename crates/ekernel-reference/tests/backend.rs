//! The reference as a backend: tiles, dropout, errors.

use ekernel_core::{Backend, BackendError, Control, KernelSet, Network, Pairs, Samples};
use ekernel_reference::{ReferenceBackend, self_fields};
use ekernel_testnets::{awkward_cases, network};
use ndarray::{Array2, Array4, s};
use proptest::prelude::*;

fn images(n: usize, size: usize, value: impl Fn(usize) -> f64) -> Samples {
    Samples::Images(Array4::from_shape_fn((n, size, size, 1), |(i, y, x, _)| {
        value((i * size + y) * size + x)
    }))
}

fn conv(size: usize, rest: &str) -> Network {
    let text = format!(
        "[input]\nspace = 'image'\nshape = [{size}, {size}, 1]\n[[layers]]\nop = 'conv'\nfilter = [3, 3]\npadding = 'same'\n\
         [[layers]]\nop = 'relu'\n{rest}[[layers]]\nop = 'global_avg_pool'\n"
    );
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// On anything: finite, symmetric, bit for bit the same in every tile, K positive semi-definite on pairs.
    #[test]
    fn kernels_are_kernels((network, samples) in awkward_cases()) {
        let control = Control::new();
        let backend = ReferenceBackend::new(&network, KernelSet::Both);
        let n = samples.len();
        let session = backend.prepare(Pairs::within(samples.clone()), &control).expect("prepared");
        let whole = session.tile(0..n, 0..n, &control).expect("computed");
        let ntk = whole.ntk.expect("asked for");
        for kernel in [&whole.nngp, &ntk] {
            prop_assert!(kernel.iter().all(|k| k.is_finite()));
            prop_assert_eq!(kernel, &kernel.t());
            for ((i, j), k) in kernel.indexed_iter() {
                let bound = (kernel[[i, i]] * kernel[[j, j]]).sqrt();
                prop_assert!(k.abs() <= bound * (1.0 + 1e-7), "{} {} {}", i, j, network);
            }
        }
        let between = backend.prepare(Pairs::cross(samples.clone(), samples.clone()), &control).expect("prepared");
        for i in 0..n {
            let row = session.tile(i..i + 1, 1..n, &control).expect("computed");
            prop_assert_eq!(row.nngp, whole.nngp.slice(s![i..i + 1, 1..n]));
            prop_assert_eq!(row.ntk.expect("asked for"), ntk.slice(s![i..i + 1, 1..n]));
            let row = between.tile(i..i + 1, i + 1..n, &control).expect("computed");
            prop_assert_eq!(row.nngp, whole.nngp.slice(s![i..i + 1, i + 1..n]));
        }
    }

    /// The NNGP alone is the same NNGP.
    #[test]
    fn kinds_agree(network in network()) {
        let shape = network.input().shape();
        let samples = match shape[..] {
            [n] => Samples::Vectors(Array2::from_shape_fn((2, n), |(i, j)| 1.0 + (i * n + j) as f64 / n as f64)),
            _ => Samples::Images(Array4::from_elem((2, shape[0], shape[1], shape[2]), 0.5)),
        };
        let control = Control::new();
        let kernels = [KernelSet::Nngp, KernelSet::Both].map(|kinds| {
            let backend = ReferenceBackend::new(&network, kinds);
            let session = backend.prepare(Pairs::within(samples.clone()), &control).expect("prepared");
            session.tile(0..2, 0..2, &control).expect("computed")
        });
        prop_assert_eq!(&kernels[0].nngp, &kernels[1].nngp);
        prop_assert!(kernels[0].ntk.is_none() && kernels[1].ntk.is_some());
    }
}

#[test]
fn dropout_tells_one_sample_from_two_equal_ones() {
    let network = conv(3, "[[layers]]\nop = 'dropout'\nkeep_rate = 0.5\n");
    let x = images(2, 3, |i| 1.0 + (i % 9) as f64);
    let control = Control::new();
    let backend = ReferenceBackend::new(&network, KernelSet::Both);
    let own = backend.prepare(Pairs::within(x.clone()), &control).expect("prepared");
    let own = own.tile(0..2, 0..2, &control).expect("computed");
    let between = backend.prepare(Pairs::cross(x.clone(), x.clone()), &control).expect("prepared");
    let between = between.tile(0..2, 0..2, &control).expect("computed");
    // Both samples are equal, but only the diagonal of the Gram matrix is one sample with itself.
    assert!(own.nngp[[0, 0]] > 1.05 * own.nngp[[0, 1]]);
    assert!(between.nngp.iter().all(|k| *k == own.nngp[[0, 1]]));
    let fields = self_fields(&network, &x, 0).expect("computed");
    let (before, after) = (&fields[2].nngp, &fields[3].nngp);
    for ((t, tp), k) in after.indexed_iter() {
        assert_eq!(*k, if t == tp { before[[t, tp]] / 0.5 } else { before[[t, tp]] });
    }
}

#[test]
fn absurd_sizes_say_how_much_memory_they_need() {
    let network = conv(200, "");
    let backend = ReferenceBackend::new(&network, KernelSet::Both);
    let x = images(1, 200, |_| 1.0);
    match backend.prepare(Pairs::within(x.clone()), &Control::new()).map(|_| ()) {
        Err(BackendError::Memory { needed, available, .. }) => {
            // Two tensors of (200²)² float64 alone are 26 GB.
            assert!(needed > 25_600_000_000 && available == ReferenceBackend::MEMORY_LIMIT, "{needed}");
        }
        other => panic!("{other:?}"),
    }
    let small = ReferenceBackend::new(&conv(5, ""), KernelSet::Both).with_memory_limit(1000);
    let refused = small.prepare(Pairs::within(images(1, 5, |_| 1.0)), &Control::new()).map(|_| ());
    assert!(matches!(refused, Err(BackendError::Memory { available: 1000, .. })), "{refused:?}");
}

#[test]
fn a_kernel_that_does_not_exist_says_where() {
    let network: Network = "
        [input]
        space = 'vector'
        shape = [1]
        [[layers]]
        op = 'dense'
        [[layers]]
        op = 'gaussian'
        b = 0.2
        [[layers]]
        op = 'dense'
    "
    .parse()
    .expect("a network");
    let x = Samples::Vectors(ndarray::array![[1.0], [2.0]]);
    let backend = ReferenceBackend::new(&network, KernelSet::Both);
    let error =
        backend.prepare(Pairs::within(x.clone()), &Control::new()).map(|_| ()).expect_err("2bv = 1.6");
    assert!(matches!(error, BackendError::NotFinite { row: 1, col: 1, .. }), "{error}");
    assert!(error.to_string().contains("gaussian"), "{error}");
}

#[test]
fn cancelled_and_wrong_samples() {
    let network = conv(3, "");
    let backend = ReferenceBackend::new(&network, KernelSet::Both);
    let x = images(2, 3, |i| i as f64);
    let control = Control::new();
    let session = backend.prepare(Pairs::within(x.clone()), &control).expect("prepared");
    let [_, per_tile] = session.memory();
    assert!(per_tile >= 3 * 16 * 81 && session.concurrency() >= 1);
    control.cancel();
    assert!(matches!(session.tile(0..2, 0..2, &control), Err(BackendError::Cancelled)));
    assert!(matches!(
        backend.prepare(Pairs::within(x.clone()), &control).map(|_| ()),
        Err(BackendError::Cancelled)
    ));
    let wrong = images(1, 4, |_| 0.0);
    assert!(matches!(self_fields(&network, &wrong, 0), Err(BackendError::Arch(_))));
    let nan = images(1, 3, |_| f64::NAN);
    assert!(matches!(self_fields(&network, &nan, 0), Err(BackendError::Samples { .. })));
}
