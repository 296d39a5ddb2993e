//! The device of the GPU tests, on the adapter of [`ekernel_testnets::gpu`].
#![allow(dead_code, reason = "each test binary uses its part")]

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use ekernel::{
    core::{BackendError, CancelToken, Control, Progress, ProgressSink},
    wgpu::{AdapterChoice, Device},
};
use ekernel_testnets::gpu;

/// The adapter of the tests; `None` where they are to be skipped.
pub(crate) fn choice() -> Option<AdapterChoice> {
    let Ok(choice) = gpu::adapter()?.parse();
    Some(choice)
}

/// The device that all tests of a binary share, so that every shader is compiled once.
pub(crate) fn device() -> Option<Device> {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    let choice = choice()?;
    Some(DEVICE.get_or_init(|| open(&choice)).clone())
}

/// A device of its own.
pub(crate) fn open(choice: &AdapterChoice) -> Device {
    gpu::opened(Device::open_blocking(choice))
}

/// Runs `work`, which is cancelled when it reports the first part of a tile, and returns the parts it reported, in pairs.
///
/// # Panics
/// If it is not cancelled, or does more than the two submissions that were in flight.
pub(crate) fn cancelled_in_its_midst<T: Debug>(
    work: impl FnOnce(&Control) -> Result<T, BackendError>,
) -> Vec<f64> {
    let parts: Arc<Mutex<Vec<f64>>> = Arc::default();
    let cancel = CancelToken::new();
    let (reported, stop) = (Arc::clone(&parts), cancel.clone());
    let progress = ProgressSink::new(move |progress| {
        if let Progress::Tile { pairs } = progress
            && pairs > 0.0
        {
            reported.lock().unwrap_or_else(PoisonError::into_inner).push(pairs);
            stop.cancel();
        }
    });
    let result = work(&Control { cancel, progress });
    assert!(matches!(result, Err(BackendError::Cancelled)), "{result:?}");
    let parts = parts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    println!("{parts:?}");
    assert!((1..=3).contains(&parts.len()), "{parts:?}");
    parts
}
