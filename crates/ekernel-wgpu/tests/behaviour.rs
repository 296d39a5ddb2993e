//! How the GPU backend behaves: adapters, embedding, loss, memory, threads.

mod device;

use std::sync::Arc;

use ekernel_conformance::{
    kernels,
    spheres::{self, awkward_signals},
};
use ekernel_core::{
    Backend, BackendError, Control, Input, KernelSet, Network, Pairs, Plan, Prepared, Quadrature, Samples,
};
use ekernel_wgpu::{
    Adapter, AdapterChoice, Device, GpuError, StrategyChoice, WgpuBackend, WgpuOptions, wgpu,
};
use ndarray::Array4;
use pollster::block_on;

const ARCH: &str = "
    [input]
    space = 'image'
    shape = [9, 9, 2]
    [[layers]]
    op = 'conv'
    filter = [3, 3]
    b_std = 0.3
    [[layers]]
    op = 'relu'
    [[layers]]
    op = 'avg_pool'
    window = [3, 3]
    [[layers]]
    op = 'conv'
    filter = [3, 3]
    padding = 'same'
    [[layers]]
    op = 'gelu'
    [[layers]]
    op = 'global_avg_pool'
    [[layers]]
    op = 'dense'
";

fn network() -> Network {
    ARCH.parse().expect("a network")
}

fn images(count: usize) -> Samples {
    Samples::Images(Array4::from_shape_fn((count, 9, 9, 2), |(n, r, c, k)| {
        ((1 + n) as f64 * 0.7 * r as f64 + 0.3 * (c * (k + 1)) as f64).sin()
    }))
}

fn backend(device: Device) -> WgpuBackend {
    WgpuBackend::new(&network(), KernelSet::Both, WgpuOptions::default(), device).expect("a plan")
}

#[test]
fn adapters_are_found_by_name_and_number() {
    let Some(choice) = device::choice() else { return };
    let chosen = block_on(Adapter::choose(&choice)).expect("an adapter");
    let by_number = block_on(Adapter::choose(&AdapterChoice::Index(chosen.index))).expect("an adapter");
    assert_eq!(by_number.info.name, chosen.info.name);
    let upper = AdapterChoice::Name(chosen.info.name.to_uppercase());
    assert_eq!(block_on(Adapter::choose(&upper)).expect("an adapter").info.name, chosen.info.name);
    let unknown =
        block_on(Adapter::choose(&AdapterChoice::Name("abacus".into()))).expect_err("no such adapter");
    let GpuError::UnknownAdapter { wanted, known } = unknown else { panic!("{unknown}") };
    assert!(wanted == "abacus" && known.contains(&chosen.info.name), "{known}");
    // Software is never taken unasked.
    match block_on(Adapter::choose(&AdapterChoice::Hardware)) {
        Ok(adapter) => assert!(!adapter.is_software()),
        Err(error) => assert!(matches!(error, GpuError::OnlySoftware { .. }), "{error}"),
    }
}

/// Two backends at once, on the device of an embedding program.
#[test]
fn embedded() {
    let Some(choice) = device::choice() else { return };
    let expected = kernels(&backend(device::open(&choice)), Pairs::within(images(5))).expect("computed");
    let own = device::open(&choice);
    let embedded = || {
        let device: wgpu::Device = own.wgpu().clone();
        Device::from_wgpu(device, own.queue().clone()).expect("limits that do")
    };
    let compute = |device: Device| kernels(&backend(device), Pairs::within(images(5))).expect("computed");
    let (one, two) = std::thread::scope(|scope| {
        let threads = [embedded(), embedded()].map(|device| scope.spawn(move || compute(device)));
        let [one, two] = threads.map(|thread| thread.join().expect("no panic"));
        (one, two)
    });
    assert_eq!(one, expected);
    assert_eq!(two, expected);
}

/// The async entry points: a future that gives what the blocking ones do, and cancels when it is dropped.
#[test]
fn kernels_as_a_future() {
    let Some(device) = device::device() else { return };
    let backend = Arc::new(backend(device));
    let samples = Arc::new(images(5));
    let expected = kernels(backend.as_ref(), Pairs::within(samples.clone())).expect("computed");
    let control = Control::new();
    let pending = backend.start(Pairs::within(samples.clone()), &control);
    assert_eq!(block_on(pending).expect("computed"), expected);
    assert!(!control.is_cancelled());
    let control = Control::new();
    drop(backend.start(Pairs::cross(images(160), samples), &control));
    assert!(control.is_cancelled());
}

/// A lost device is opened anew, once; what was uploaded is uploaded again.
#[test]
fn a_lost_device_is_opened_anew() {
    let Some(choice) = device::choice() else { return };
    let samples = images(4);
    let expected =
        kernels(&backend(device::open(&choice)), Pairs::within(samples.clone())).expect("computed");
    let device = device::open(&choice);
    let backend = backend(device.clone());
    let session = backend.prepare(Pairs::within(samples.clone()), &Control::new()).expect("prepared");
    device.wgpu().destroy();
    let found = session.tile(0..4, 0..4, &Control::new()).expect("computed on a new device");
    assert_eq!(found, expected);
}

/// Every session and every backend of a lost device goes on, on the same new one; and so do those that begin later.
#[test]
fn a_loss_is_over_for_all_who_hold_the_device() {
    let Some(choice) = device::choice() else { return };
    let samples = images(4);
    let pairs = Pairs::within(samples.clone());
    let expected = kernels(&backend(device::open(&choice)), pairs.clone()).expect("computed");
    let device = device::open(&choice);
    let [one, other] = [backend(device.clone()), backend(device.clone())];
    let control = Control::new();
    let prepare = |backend| -> Box<dyn Prepared> {
        Backend::prepare(backend, pairs.clone(), &control).expect("prepared")
    };
    let sessions: [Box<dyn Prepared>; 3] = [prepare(&one), prepare(&one), prepare(&other)];
    for round in 0..2 {
        let lost = device.current();
        lost.wgpu().destroy();
        // Prepared on a device of whose loss nobody has heard yet, and on its successor.
        assert_eq!(kernels(&other, pairs.clone()).expect("computed anew"), expected, "round {round}");
        let anew = device.current();
        assert_ne!(anew, lost);
        for session in &sessions {
            assert_eq!(session.tile(0..4, 0..4, &control).expect("computed anew"), expected, "round {round}");
        }
        assert_eq!(one.strategies().expect("compiled anew").len(), 1);
        assert_eq!(device.current(), anew);
    }
}

/// Where memory runs out chunks are halved, which changes no bit of the result; where that does not help it is an error.
#[test]
fn chunks_are_halved_when_memory_runs_out() {
    let Some(choice) = device::choice() else { return };
    let samples = images(12);
    let device = device::open(&choice);
    let options =
        WgpuOptions { strategy: StrategyChoice::Layered, chunk_bytes: 1 << 18, ..WgpuOptions::default() };
    let backend = WgpuBackend::new(&network(), KernelSet::Both, options, device.clone()).expect("a plan");
    let control = Control::new();
    let session = backend.prepare(Pairs::within(samples.clone()), &control).expect("prepared");
    let [held, needed] = session.memory();
    assert!(held > 0);
    // What it says that it needs is enough.
    device.limit_memory(needed);
    let expected = session.tile(0..12, 0..12, &control).expect("computed");
    assert_eq!(session.memory()[1], needed);
    // A part of that is the host's: the limit falls until chunks are halved.
    let mut limit = needed / 2;
    loop {
        device.limit_memory(limit);
        let session = backend.prepare(Pairs::within(samples.clone()), &control).expect("prepared");
        let found = session.tile(0..12, 0..12, &control).expect("computed in smaller chunks");
        assert_eq!(found, expected);
        if session.memory()[1] < needed {
            break;
        }
        limit = limit / 4 * 3;
    }
    device.limit_memory(1 << 10);
    let error = kernels(&backend, Pairs::within(samples.clone())).expect_err("no memory");
    assert!(matches!(&error, BackendError::Device { problem, .. } if problem.contains("memory")), "{error}");
}

/// A device of the caller cannot be opened anew: a clear error, no panic.
#[test]
fn a_lost_device_of_the_caller_is_an_error() {
    let Some(choice) = device::choice() else { return };
    let samples = images(4);
    let own = device::open(&choice);
    let backend =
        backend(Device::from_wgpu(own.wgpu().clone(), own.queue().clone()).expect("limits that do"));
    let session = backend.prepare(Pairs::within(samples.clone()), &Control::new()).expect("prepared");
    own.wgpu().destroy();
    let error = session.tile(0..4, 0..4, &Control::new()).expect_err("lost");
    let clear = |error: &BackendError| {
        matches!(error, BackendError::Device { problem, .. }
            if problem.contains("lost") && problem.contains("calling program"))
    };
    assert!(clear(&error), "{error}");
    let error = kernels(&backend, Pairs::within(samples.clone())).expect_err("lost");
    assert!(clear(&error), "{error}");
}

/// The plan says how a pair of large images is divided.
#[test]
fn large_pairs_are_planned_in_blocks() {
    let Some(device) = device::device() else { return };
    let text = format!(
        "[input]\nspace = 'image'\nshape = [224, 224, 3]\n{CONV}[[layers]]\nop = 'avg_pool'\nwindow = [2, 2]\n\
         {CONV}[[layers]]\nop = 'global_avg_pool'\n"
    );
    let network: Network = text.parse().expect("a network");
    let options = WgpuOptions { strategy: StrategyChoice::Layered, ..WgpuOptions::default() };
    let backend = WgpuBackend::new(&network, KernelSet::Both, options, device).expect("a plan");
    let [stage] = &backend.strategies().expect("shaders")[..] else { panic!("one readout") };
    for part in ["one pair", "199809 planes of stage 0 in ", "49729 planes of stage 1 in ", "not fused"] {
        assert!(stage.to_string().contains(part), "{stage}");
    }
}

const CONV: &str = "[[layers]]\nop = 'conv'\nfilter = [3, 3]\npadding = 'same'\n[[layers]]\nop = 'relu'\n";

/// What lies on the device of signals on the sphere is uploaded again after a loss.
#[test]
fn signals_survive_a_lost_device() {
    let Some(choice) = device::choice() else { return };
    let pairs = Pairs::within(awkward_signals(4, 2).swap_remove(0).1);
    let layers = "s2_conv|relu|so3_conv bandlimit=3|relu|so3_pool|dense";
    let network = spheres::network(&Input::Sphere { bandlimit: 4, channels: 2 }, layers);
    let plan = Plan::with_quadrature(&network, KernelSet::Both, Quadrature::Fast).expect("a plan");
    let backend =
        |device| WgpuBackend::from_plan(plan.clone(), WgpuOptions::default(), device).expect("shaders");
    let expected = kernels(&backend(device::open(&choice)), pairs.clone()).expect("computed");
    let device = device::open(&choice);
    let backend = backend(device.clone());
    let session = backend.prepare(pairs.clone(), &Control::new()).expect("prepared");
    device.wgpu().destroy();
    let found = session.tile(0..6, 0..6, &Control::new()).expect("computed on a new device");
    assert_eq!(found, expected);
    // Of this loss nobody has heard yet.
    device.current().wgpu().destroy();
    assert_eq!(kernels(&backend, pairs).expect("prepared on a new device"), expected);
}

/// Dispatches are as long as the pace says, which is found out while running: every value is the same to the last bit however
/// long they are.
#[test]
fn dispatches_of_any_length_agree() {
    let Some(device) = device::device() else { return };
    let layers = "s2_conv|relu|so3_conv bandlimit=4|erf|so3_conv|relu|so3_pool";
    let network = spheres::network(&Input::Sphere { bandlimit: 6, channels: 2 }, layers);
    let backend =
        WgpuBackend::new(&network, KernelSet::Both, WgpuOptions::default(), device).expect("shaders");
    let control = Control::new();
    let pairs = Pairs::within(awkward_signals(6, 2).swap_remove(0).1);
    let session = backend.prepare(pairs, &control).expect("prepared");
    let first = session.tile(0..6, 0..6, &control).expect("computed");
    assert_eq!(session.tile(0..6, 0..6, &control).expect("computed"), first);
}
