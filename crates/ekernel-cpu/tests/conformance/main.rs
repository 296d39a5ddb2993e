//! The CPU backend under the suite that every backend passes, in both precisions; and op by op, where it would have been fused.

mod expected;

use ekernel_conformance::{Subject, Tolerances, conformance};
use ekernel_core::{BackendError, Plan};
use ekernel_cpu::{CpuBackend, CpuOptions, Precision, fuses, simd::Isa};

conformance!(cpu_f64);
conformance!(cpu_f64_op_by_op: planes);
conformance!(cpu_f32);
conformance!(cpu_f32_op_by_op: planes);

const SILENT: &str = "a pair of large samples reports its end alone";

fn options(precision: Precision) -> CpuOptions {
    CpuOptions { precision, threads: 1, ..CpuOptions::default() }
}

fn cpu(options: CpuOptions) -> impl Fn(Plan) -> Result<CpuBackend, BackendError> {
    move |plan| CpuBackend::from_plan(plan, options)
}

/// The backend, with other numbers of threads, other instruction sets and all blocks of orbits.
fn varied(name: &'static str, tolerances: Tolerances, options: CpuOptions) -> Subject {
    let subject = Subject::new(name, tolerances, cpu(options))
        .twin("three threads", cpu(CpuOptions { threads: 3, ..options }))
        .variant("all blocks", cpu(CpuOptions { all_blocks: true, ..options }));
    let isas = Isa::available().into_iter();
    isas.fold(subject, |subject, isa| subject.variant(isa.to_string(), cpu(CpuOptions { isa, ..options })))
}

fn cpu_f64() -> Option<Subject> {
    Some(Subject {
        expected: expected::cpu_f64(),
        silent_tiles: Some(SILENT),
        ..varied("cpu f64", Tolerances::DOUBLE, options(Precision::F64))
    })
}

fn cpu_f64_op_by_op() -> Option<Subject> {
    let options = CpuOptions { fused: false, ..options(Precision::F64) };
    Some(Subject {
        concerns: Some(is_fused),
        expected: expected::cpu_f64_op_by_op(),
        silent_tiles: Some(SILENT),
        ..Subject::new("cpu f64 op by op", Tolerances::DOUBLE, cpu(options))
    })
}

fn cpu_f32() -> Option<Subject> {
    Some(Subject {
        expected: expected::cpu_f32(),
        ..varied("cpu f32", Tolerances::SINGLE, options(Precision::F32))
    })
}

fn cpu_f32_op_by_op() -> Option<Subject> {
    let options = CpuOptions { fused: false, ..options(Precision::F32) };
    Some(Subject {
        concerns: Some(is_fused),
        expected: expected::cpu_f32_op_by_op(),
        ..Subject::new("cpu f32 op by op", Tolerances::SINGLE, cpu(options))
    })
}

/// Whether op by op is another computation.
fn is_fused(plan: &Plan) -> bool {
    fuses(plan, &options(Precision::F64))
}
