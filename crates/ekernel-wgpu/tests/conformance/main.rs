//! The GPU backend under the suite that every backend passes: as it chooses by itself, and layered where it would have been fused.

#[path = "../device/mod.rs"]
mod device;
mod expected;

use ekernel_conformance::{Subject, Tolerances, conformance};
use ekernel_core::{BackendError, Plan};
use ekernel_wgpu::{StrategyChoice, WgpuBackend, WgpuOptions};

conformance!(auto);
conformance!(layered: planes);

fn options(strategy: StrategyChoice) -> WgpuOptions {
    WgpuOptions { strategy, ..WgpuOptions::default() }
}

fn wgpu(options: WgpuOptions) -> impl Fn(Plan) -> Result<WgpuBackend, BackendError> {
    move |plan| WgpuBackend::from_plan(plan, options, device::device().expect("a subject has a device"))
}

/// The backend, with small buffers and all blocks of orbits. A software adapter is slow: it computes a fifth of the random cases.
fn subject(name: &'static str, options: WgpuOptions) -> Option<Subject> {
    device::device()?;
    let subject = Subject::new(name, Tolerances::SINGLE, wgpu(options))
        .twin("small buffers", wgpu(WgpuOptions { chunk_bytes: 1, ..options }))
        .variant("all blocks", wgpu(WgpuOptions { all_blocks: true, ..options }));
    Some(Subject { share: 20, asks_for_defects: true, ..subject })
}

fn auto() -> Option<Subject> {
    let subject = subject("wgpu auto", options(StrategyChoice::Auto))?;
    Some(Subject { expected: expected::auto(), ..subject })
}

fn layered() -> Option<Subject> {
    let subject = subject("wgpu layered", options(StrategyChoice::Layered))?;
    Some(Subject { concerns: Some(fuses), ..subject })
}

/// Whether layered is another computation.
fn fuses(plan: &Plan) -> bool {
    let auto = wgpu(options(StrategyChoice::Auto))(plan.clone()).expect("shaders");
    auto.strategies().expect("shaders").iter().any(|stage| stage.name == "fused")
}
