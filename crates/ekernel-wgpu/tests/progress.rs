//! What is told of a tile under way.

mod device;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use ekernel_core::{
    Backend, BackendError, Control, KernelSet, Network, Pairs, Plan, Progress, Samples, plan::Quadrature,
};
use ekernel_wgpu::{StrategyChoice, WgpuBackend, WgpuOptions};
use ndarray::Array4;

const CONV: &str = "[[layers]]\nop = 'conv'\nfilter = [3, 3]\npadding = 'same'\n[[layers]]\nop = 'relu'\n";
const LOCAL_POOL: &str = "[[layers]]\nop = 'avg_pool'\nwindow = [2, 2]\n";
const GLOBAL_POOL: &str = "[[layers]]\nop = 'global_avg_pool'\n";

fn backend(text: &str, quadrature: Quadrature, options: WgpuOptions) -> Option<WgpuBackend> {
    let network: Network = text.parse().expect("a network");
    let plan = Plan::with_quadrature(&network, KernelSet::Both, quadrature).expect("a plan");
    Some(WgpuBackend::from_plan(plan, options, device::device()?).expect("shaders"))
}

fn on_images(side: usize, layers: &[&str], strategy: StrategyChoice) -> Option<WgpuBackend> {
    let text = format!("[input]\nspace = 'image'\nshape = [{side}, {side}, 3]\n{}", layers.concat());
    backend(&text, Quadrature::Accurate, WgpuOptions { strategy, ..WgpuOptions::default() })
}

fn waves(shape: (usize, usize, usize, usize)) -> Array4<f64> {
    Array4::from_shape_fn(shape, |(n, r, c, k)| {
        ((1 + n) as f64 * 0.7 * r as f64 + 0.3 * (c * (k + 1)) as f64).sin()
    })
}

/// A control, and what it hears of a tile.
fn listening() -> (Control, Arc<Mutex<Vec<f64>>>) {
    let told: Arc<Mutex<Vec<f64>>> = Arc::default();
    let ear = Arc::clone(&told);
    let control = Control::with_progress(move |progress| {
        if let Progress::Tile { pairs } = progress {
            ear.lock().unwrap_or_else(PoisonError::into_inner).push(pairs);
        }
    });
    (control, told)
}

/// The progress of a single pair that takes many seconds on a software adapter, which is cancelled when a few parts of it are told.
#[test]
fn a_pair_is_told_in_parts() {
    for (side, layers, strategy) in [
        (64, &[CONV, LOCAL_POOL, CONV, GLOBAL_POOL][..], StrategyChoice::Layered),
        (96, &[CONV, CONV, GLOBAL_POOL][..], StrategyChoice::Fused),
    ] {
        let Some(backend) = on_images(side, layers, strategy) else { return };
        let samples = Samples::Images(waves((2, side, side, 3)));
        let (control, told) = listening();
        let session = backend.prepare(Pairs::within(samples.clone()), &control).expect("prepared");
        let parts = || told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert!(parts().is_empty(), "a tile before any: {:?}", parts());
        std::thread::scope(|scope| {
            let work = scope.spawn(|| session.tile(0..1, 1..2, &control));
            let begun = Instant::now();
            while parts().len() < 4 && !work.is_finished() && begun.elapsed() < Duration::from_secs(30) {
                std::thread::sleep(Duration::from_millis(5));
            }
            control.cancel();
            let result = work.join().expect("no panic");
            let told = parts();
            println!("{strategy:?}: {told:?} after {:?}", begun.elapsed());
            assert!(told.len() >= 4 && told.is_sorted() && told[0] < told[3], "{told:?}");
            // A fast card may be done.
            let whole = if result.is_ok() { 1.0 } else { 0.9 };
            assert!(told.iter().all(|part| (0.0..=whole).contains(part)), "{told:?}");
            assert!(matches!(result, Ok(_) | Err(BackendError::Cancelled)), "{result:?}");
        });
    }
}

/// Parts rise up to the pairs of the tile: of images whose tile is computed in two blocks, and of signals on the sphere.
#[test]
fn parts_end_at_the_whole() {
    let text = "[input]\nspace = 'sphere'\nbandlimit = 8\nchannels = 1\n[[layers]]\nop = 's2_conv'\n[[layers]]\nop = 'relu'\n\
                [[layers]]\nop = 'so3_conv'\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'so3_pool'\n";
    let small = WgpuOptions { chunk_bytes: 1, ..WgpuOptions::default() };
    let Some(sphere) = backend(text, Quadrature::Nodes(64), small) else { return };
    let image = on_images(9, &[CONV, GLOBAL_POOL], StrategyChoice::Auto).expect("as before");
    let cases = [
        (image, Samples::Images(waves((5, 9, 9, 3))), 2..5, 0..3, 9.0),
        (sphere, Samples::Spheres(waves((2, 16, 15, 1))), 0..1, 1..2, 1.0),
    ];
    for (backend, samples, rows, cols, pairs) in cases {
        let (control, told) = listening();
        let session = backend.prepare(Pairs::within(samples.clone()), &control).expect("prepared");
        session.tile(rows, cols, &control).expect("computed");
        let told = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        println!("{told:?}");
        assert!(told.is_sorted() && told.last() == Some(&pairs), "{told:?}");
        assert!(pairs > 1.0 || told.len() > 2, "{told:?}");
    }
}
