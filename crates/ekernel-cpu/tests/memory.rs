//! What the sessions of the CPU backend say of their memory.

use ekernel_conformance::spheres::{NETWORKS, awkward_signals, network};
use ekernel_core::{Backend, Control, Input, KernelSet, Pairs};
use ekernel_cpu::{CpuBackend, CpuOptions};

/// Memory on SO(3) is that of rings, not of grids.
#[test]
fn memory_of_rings() {
    let network = network(&Input::Sphere { bandlimit: 8, channels: 1 }, NETWORKS[0].2);
    let options = CpuOptions { threads: 1, ..CpuOptions::default() };
    let backend = CpuBackend::new(&network, KernelSet::Both, options).expect("a plan");
    let samples = awkward_signals(8, 1).swap_remove(0).1;
    let session = backend.prepare(Pairs::within(samples), &Control::new()).expect("prepared");
    let [held, tile] = session.memory();
    let grid = backend.plan().rotations[0].points() as u64 * 4 * 16;
    assert!(held > 6 * 64 * 4 && held < 1 << 20, "{held}");
    assert!(tile > 16 * 680 * 4 && tile < grid / 8, "{tile} of {grid}");
}
