//! Constant images under kinks, where every patch is parallel to every other and the kernels are known.
//!
//! A relu halves K and Θ there, a mean leaves them; a computation that carries K instead of the defect knows angles to the root
//! of a rounding alone, so that its Θ is off by 1e-9 in float64 and by 1e-4 in float32.

use ekernel_core::{Activation, Conv, GlobalPool, Input, Kernels, Network, Pairs, Pool, Quadrature, Samples};
use ndarray::{Array2, Array4};

use crate::Case;

/// Image n is `LEVELS[n]` everywhere.
const LEVELS: [f64; 5] = [0.3, 0.7, 1.1, 1.9, 0.77];

/// w_std of every convolution.
const W_STD: f64 = 1.3;

pub(crate) fn parallel() -> Vec<Case> {
    let layers: [(&str, &[bool]); 3] = [
        ("a chain", &[false, false, false]),
        ("a local pool", &[true, false]),
        ("two local pools", &[true, true]),
    ];
    layers.into_iter().map(|(name, pools)| closed(name, pools)).collect()
}

/// Convolutions and relus, each behind a local pool or not.
fn closed(name: &str, pools: &[bool]) -> Case {
    let mut body = Network::builder(Input::Image { height: 9, width: 9, channels: 3 });
    let mut factors = [1.0, 0.0];
    for &pooled in pools {
        body = body.layer(Conv::new([2, 3]).w_std(W_STD)).layer(Activation::Relu);
        let [nngp, ntk] = factors;
        let affine = [W_STD * W_STD * nngp, W_STD * W_STD * (nngp + ntk)];
        factors = affine.map(|x| x / 2.0);
        if pooled {
            let mut pool = Pool::mean([2, 2]);
            pool.window.strides = [1, 1];
            body = body.layer(pool);
        }
    }
    let network = body.layer(GlobalPool::mean()).build().expect("a network");
    let shape = (LEVELS.len(), 9, 9, 3);
    let samples = Samples::Images(Array4::from_shape_fn(shape, |(n, _, _, _)| LEVELS[n]));
    let kernel = |factor: f64| {
        Array2::from_shape_fn((LEVELS.len(), LEVELS.len()), |(i, j)| factor * LEVELS[i] * LEVELS[j])
    };
    let kernels = Kernels { nngp: kernel(factors[0]), ntk: Some(kernel(factors[1])) };
    Case::known(
        format!("parallel, {name}"),
        network,
        Quadrature::default(),
        vec![(Pairs::within(samples), kernels)],
    )
}

#[cfg(test)]
mod tests {
    use ekernel_core::KernelSet;
    use ekernel_reference::ReferenceBackend;

    use super::*;
    use crate::{Verdict, judge};

    /// The reference carries K: these cases see it, in float64, so they see whoever else does.
    #[test]
    fn a_computation_that_carries_k_shows() {
        for case in parallel() {
            let reference = ReferenceBackend::new(&case.network, KernelSet::Both);
            let verdict = judge(&reference, &case);
            println!("{}: {verdict:?}", case.name);
            assert!(
                matches!(verdict, Verdict::Computed(error) if error > 1e-12 && error < 1e-7),
                "{verdict:?}"
            );
        }
    }
}
