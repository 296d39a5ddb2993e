//! What is reported of a tile under way.

mod device;

use std::sync::{Arc, Mutex, PoisonError};

use ekernel_core::{
    Backend, BackendError, CancelToken, Control, KernelSet, Network, Pairs, Plan, Progress, ProgressSink,
    Samples, plan::Quadrature,
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

/// A control that cancels at the report of a tile of this number, and the reports.
fn listening(last: usize) -> (Control, Arc<Mutex<Vec<f64>>>) {
    let parts: Arc<Mutex<Vec<f64>>> = Arc::default();
    let (heard, cancel) = (Arc::clone(&parts), CancelToken::new());
    let stop = cancel.clone();
    let progress = ProgressSink::new(move |progress| {
        if let Progress::Tile { pairs } = progress {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.push(pairs);
            if heard.len() == last {
                stop.cancel();
            }
        }
    });
    (Control { cancel, progress }, parts)
}

/// The progress of a single pair, which would take many seconds on a software adapter: it is reported in parts, and cancelled at
/// the fourth of them, behind which come two at most, of what the device had begun.
#[test]
fn a_pair_is_reported_in_parts() {
    for (side, layers, strategy) in [
        (64, &[CONV, LOCAL_POOL, CONV, GLOBAL_POOL][..], StrategyChoice::Layered),
        (96, &[CONV, CONV, GLOBAL_POOL][..], StrategyChoice::Fused),
    ] {
        let Some(backend) = on_images(side, layers, strategy) else { return };
        let samples = Samples::Images(waves((2, side, side, 3)));
        let (control, parts) = listening(4);
        let session = backend.prepare(Pairs::within(samples), &control).expect("prepared");
        assert!(parts.lock().expect("no panic").is_empty(), "a tile before any");
        let result = session.tile(0..1, 1..2, &control);
        let parts = parts.lock().expect("no panic").clone();
        println!("{strategy:?}: {parts:?}");
        assert!(matches!(result, Err(BackendError::Cancelled)), "{result:?}");
        assert!((4..=6).contains(&parts.len()) && parts.is_sorted() && parts[0] < parts[3], "{parts:?}");
        assert!(parts.iter().all(|part| (0.0..=0.9).contains(part)), "{parts:?}");
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
        let (control, parts) = listening(usize::MAX);
        let session = backend.prepare(Pairs::within(samples.clone()), &control).expect("prepared");
        session.tile(rows, cols, &control).expect("computed");
        let parts = parts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        println!("{parts:?}");
        assert!(parts.is_sorted() && parts.last() == Some(&pairs), "{parts:?}");
        assert!(pairs > 1.0 || parts.len() > 2, "{parts:?}");
    }
}
