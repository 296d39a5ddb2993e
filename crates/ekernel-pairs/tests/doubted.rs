//! Pairs that float32 would spoil are computed in float64 together, not one by one, and that can be cancelled.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use ekernel_core::{
    Activation, BackendError, Control, Conv, Dense, GlobalPool, Input, KernelSet, Network, Pairs, Plan,
    Prepared, Samples,
};
use ekernel_pairs::{
    Blocks, Engine, Float32, Hints, Lane, PairSession, Precise, Setup, Unit, Watch, Workers,
};
use ndarray::Array4;

/// Every lane has the kernel `value`; counts calls and lanes, and cancels within a call where it is to.
#[derive(Clone)]
struct Fake {
    value: f64,
    calls: Arc<AtomicUsize>,
    lanes: Arc<AtomicUsize>,
    cancels: bool,
}

impl Fake {
    fn of(value: f64, cancels: bool) -> Fake {
        Fake { value, calls: Arc::default(), lanes: Arc::default(), cancels }
    }
}

impl Engine for Fake {
    fn evaluate(&self, _: usize, lanes: &[Lane], watch: Watch<'_>) -> Result<Vec<[f64; 2]>, BackendError> {
        self.calls.fetch_add(1, SeqCst);
        self.lanes.fetch_add(lanes.len(), SeqCst);
        if self.cancels {
            watch.control.cancel();
        }
        watch.check()?;
        let kernel = |lane: &Lane| if lane.identical { 1.0 } else { self.value };
        Ok(lanes.iter().map(|lane| [kernel(lane); 2]).collect())
    }

    fn spoils(&self, _: Unit) -> bool {
        false
    }

    fn hints(&self, _: f64) -> Hints {
        Hints { pairs: 1.0, width: 1, most: 1000, concurrency: 1, held: 0, per_tile: 0 }
    }
}

/// A network whose head reads angles.
fn network() -> Network {
    Network::builder(Input::Image { height: 3, width: 3, channels: 1 })
        .layer(Conv::new([3, 3]))
        .layer(Activation::Relu)
        .layer(GlobalPool::mean())
        .layer(Dense::new())
        .layer(Activation::Relu)
        .build()
        .expect("a network")
}

/// A session on 48 different images that float32 finds all parallel, and its float64.
fn session(cancels: bool) -> (PairSession<Fake>, Fake) {
    let precise = Fake::of(0.5, cancels);
    let made = precise.clone();
    let setup = Setup {
        plan: Arc::new(Plan::new(&network(), KernelSet::Both).expect("a plan")),
        blocks: Blocks::Orbit,
        preparing: Workers::one(),
        within: Workers::one(),
        float32: Some((
            Float32 { parallel: 1e-6, smooth_subtract: false },
            Precise {
                make: Arc::new(move |_, _, _| Ok(Box::new(made.clone()))),
                unit_bytes: 0,
                thread_bytes: 0,
            },
        )),
    };
    let images = Array4::from_shape_fn((48, 3, 3, 1), |(n, r, c, _)| ((9 * n + 3 * r + c) as f64).sin());
    let pairs = Pairs::within(Samples::Images(images));
    let session = PairSession::new(setup, pairs, &Control::new(), |_, _| Ok(Fake::of(1.0, false)));
    (session.expect("prepared"), precise)
}

/// One by one the pairs would take a call each, and registers of eight images would be filled with one.
#[test]
fn they_are_computed_together() {
    let (session, precise) = session(false);
    session.tile(0..16, 0..48, &Control::new()).expect("computed");
    let [calls, lanes] = [&precise.calls, &precise.lanes].map(|count| count.load(SeqCst));
    println!("{lanes} lanes in {calls} calls");
    // 16 × 32 pairs beside the symmetric block of 16 images; this block; each image with itself.
    assert!((16 * 32..=16 * 48 + 2 * 64).contains(&lanes), "{lanes} lanes");
    assert!(calls <= 6, "{calls} calls for {lanes} lanes");
}

#[test]
fn they_can_be_cancelled() {
    let (session, precise) = session(true);
    let tile = session.tile(0..16, 0..48, &Control::new());
    assert!(matches!(tile, Err(BackendError::Cancelled)), "{tile:?}");
    assert_eq!(precise.calls.load(SeqCst), 1);
}
