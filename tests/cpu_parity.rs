//! The CPU backend against the literal reference: random networks, awkward samples, and broken plans that must show.

mod fixture;
mod parity;

use ekernel::{
    core::{
        Kinds, Network, Plan,
        plan::{Op, Readout},
    },
    cpu::{CpuBackend, CpuOptions, Precision, simd::Isa},
};
use ekernel_reference::ReferenceBackend;
use ekernel_testnets::{awkward_cases, cases};
use parity::{disagreement, kernel_error, kernels};
use proptest::prelude::*;

fn cpu(network: &Network, precision: Precision, fused: bool) -> CpuBackend {
    let options = CpuOptions { precision, fused, threads: 1, ..CpuOptions::default() };
    CpuBackend::new(network, Kinds::Both, options).expect("a plan")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    /// Distinct noise: float64 to 1e-12, float32 to 1e-6.
    #[test]
    fn random_networks((network, samples) in cases()) {
        let reference = ReferenceBackend::new(&network, Kinds::Both);
        for fused in [false, true] {
            let double = disagreement(&cpu(&network, Precision::F64, fused), &reference, &samples);
            prop_assert!(double <= 1e-12, "float64, fused {}: {:e}\n{}", fused, double, network);
            let single = disagreement(&cpu(&network, Precision::F32, fused), &reference, &samples);
            prop_assert!(single <= 1e-6, "float32, fused {}: {:e}\n{}", fused, single, network);
        }
    }

    /// Repeated, nearly repeated, constant, collinear, half-black and black samples.
    #[test]
    fn awkward_samples((network, samples) in awkward_cases()) {
        let double = cpu(&network, Precision::F64, true);
        let reference = ReferenceBackend::new(&network, Kinds::Both);
        let own = disagreement(&double, &reference, &samples);
        prop_assert!(own <= 1e-7, "float64: {:e}\n{}", own, network);
        let single = disagreement(&cpu(&network, Precision::F32, true), &double, &samples);
        prop_assert!(single <= 5e-5, "float32: {:e}\n{}", single, network);
    }
}

/// Every instruction set that this machine has gives the same kernels to rounding.
#[test]
fn instruction_sets_agree() {
    for fixture in fixture::planar().iter().filter(|f| f.name.starts_with("c4_") || f.name.starts_with("cnn")) {
        let expected = kernels(&cpu(&fixture.network, Precision::F64, true), fixture.pairs()).expect("computed");
        for isa in Isa::available() {
            let options = CpuOptions { isa, threads: 1, ..CpuOptions::default() };
            let backend = CpuBackend::new(&fixture.network, Kinds::Both, options).expect("a plan");
            let found = kernels(&backend, fixture.pairs()).expect("computed");
            let error = kernel_error(&found, &expected);
            assert!(error <= 1e-6, "{} on {isa}: {error:e}", fixture.name);
        }
    }
}

/// All |H|² blocks have the mean of one orbit.
#[test]
fn all_blocks_are_one_orbit() {
    for fixture in fixture::planar() {
        let one = cpu(&fixture.network, Precision::F64, true);
        if one.plan().group.is_none() {
            continue;
        }
        let options = CpuOptions { precision: Precision::F64, all_blocks: true, threads: 1, ..CpuOptions::default() };
        let all = CpuBackend::new(&fixture.network, Kinds::Both, options).expect("a plan");
        let error = disagreement(&all, &one, &fixture.x1);
        assert!(error <= 1e-12, "{}: {error:e}", fixture.name);
    }
}

/// What is broken, and how.
type Sabotage = (&'static str, fn(&mut Plan) -> bool);

/// Breaks the first op for which `change` says that it did.
fn first_op(plan: &mut Plan, change: impl Fn(&mut Op) -> bool) -> bool {
    plan.stages.iter_mut().flat_map(|stage| &mut stage.ops).any(|op| change(&mut op.op))
}

const SABOTAGES: [Sabotage; 6] = [
    ("w² off by 0.1 %", |plan| {
        first_op(plan, |op| match op {
            Op::Affine(affine) => {
                affine.w2 *= 1.001;
                affine.ntk_scale *= 1.001;
                true
            }
            _ => false,
        })
    }),
    ("ntk dropped", |plan| {
        first_op(plan, |op| match op {
            Op::Affine(affine) => {
                affine.ntk_scale = 0.0;
                true
            }
            _ => false,
        })
    }),
    ("a tap dropped", |plan| {
        first_op(plan, |op| match op {
            Op::BoxMean(window) if window.size[0] > 1 => {
                window.size[0] -= 1;
                true
            }
            _ => false,
        })
    }),
    ("a plane dropped", |plan| plan.stages.iter_mut().any(|stage| stage.offsets[0].len() > 1 && stage.offsets[0].pop().is_some())),
    ("a rotation taken for another", |plan| {
        plan.readouts.iter_mut().any(|readout| match readout {
            Readout::Planes { orbit, .. } if orbit.len() > 1 => {
                orbit[1] = orbit[0];
                true
            }
            _ => false,
        })
    }),
    ("another activation", |plan| {
        first_op(plan, |op| match op {
            Op::Dual(activation) => {
                *activation = ekernel::core::Activation::LeakyRelu { alpha: 0.01 };
                true
            }
            _ => false,
        })
    }),
];

/// The suite must see every broken plan, on both paths and in float32.
#[test]
fn broken_plans_show() {
    let fixtures = fixture::planar();
    for (what, sabotage) in SABOTAGES {
        let mut tried = 0;
        for fixture in &fixtures {
            let trusted = cpu(&fixture.network, Precision::F64, false);
            let mut plan = trusted.plan().clone();
            let group_or_grid = !plan.stages.is_empty();
            if !group_or_grid || !sabotage(&mut plan) {
                continue;
            }
            tried += 1;
            let options = CpuOptions { fused: tried % 2 == 0, threads: 1, ..CpuOptions::default() };
            let broken = CpuBackend::from_plan(plan, options).expect("threads");
            let error = disagreement(&broken, &trusted, &fixture.x1);
            assert!(error > 1e-6, "{what} goes unseen on {}: {error:e}", fixture.name);
        }
        assert!(tried >= 5, "{what} was tried on {tried} fixtures only");
    }
}
