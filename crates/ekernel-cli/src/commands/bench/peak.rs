//! The most a core can do: fused multiply-adds that wait for nothing.

use std::{
    hint::black_box,
    marker::PhantomData,
    time::{Duration, Instant},
};

use ekernel_cpu::simd::{Isa, Real};
use pulp::{Simd, WithSimd};

use crate::args::Precision;

/// Chains of dependent multiply-adds; more than latency times throughput (4 cycles × 2 units) of any core met so far.
const CHAINS: usize = 12;

/// Multiply-adds of each chain in one run, about a millisecond.
const LENGTH: usize = 200_000;

/// 10⁹ floating point operations a second on one core, a multiply-add counted as two: the best of the short runs of a
/// tenth of a second.
pub(super) fn gflops(isa: Isa, precision: Precision) -> f64 {
    match precision {
        Precision::F32 => best::<f32>(isa),
        Precision::F64 => best::<f64>(isa),
    }
}

fn best<R: Real>(isa: Isa) -> f64 {
    let operations = (2 * CHAINS * LENGTH * isa.lanes::<R>()) as f64;
    let (begin, mut shortest) = (Instant::now(), f64::INFINITY);
    while begin.elapsed() < Duration::from_millis(100) {
        let started = Instant::now();
        isa.run(Chains::<R>(PhantomData));
        shortest = shortest.min(started.elapsed().as_secs_f64());
    }
    operations / shortest / 1e9
}

struct Chains<R>(PhantomData<R>);

impl<R: Real> WithSimd for Chains<R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // x ↦ x/2 + 1 stays near 2: no subnormal slows it down.
        let (half, one) = (R::splat(simd, black_box(R::of(0.5))), R::splat(simd, black_box(R::of(1.0))));
        let mut chains = [one; CHAINS];
        for _ in 0..LENGTH {
            for chain in &mut chains {
                *chain = R::fma(simd, *chain, half, one);
            }
        }
        black_box(chains);
    }
}
