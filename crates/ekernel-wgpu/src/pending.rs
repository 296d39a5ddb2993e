//! Kernels as a future, for programs that must not block.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use ekernel_core::{Backend, BackendError, Control, Kernels, Kinds, Pairs, Samples};
use ndarray::{Array2, s};

use crate::{WgpuBackend, device::lock};

/// Kernels under way on a thread of their own, which feeds the device and waits for it. Dropped, the work is cancelled.
pub struct Pending {
    state: Arc<Mutex<State>>,
    control: Arc<Control>,
}

#[derive(Default)]
struct State {
    /// Whether the thread is done; the result may have been taken since.
    finished: bool,
    result: Option<Result<Kernels, BackendError>>,
    waker: Option<Waker>,
}

impl WgpuBackend {
    /// Starts computing all kernels of `samples` with themselves, or `against` another set; the future gives them.
    ///
    /// The blocking entry points are [`Backend::prepare`] and [`Session::tile`](ekernel_core::Session::tile).
    pub fn start(
        self: &Arc<WgpuBackend>,
        samples: Arc<Samples>,
        against: Option<Arc<Samples>>,
        control: Arc<Control>,
    ) -> Pending {
        let state = Arc::new(Mutex::new(State::default()));
        let pending = Pending { state: Arc::clone(&state), control: Arc::clone(&control) };
        let backend = Arc::clone(self);
        std::thread::spawn(move || {
            let pairs = match &against {
                Some(against) => Pairs::Between(&samples, against),
                None => Pairs::Symmetric(&samples),
            };
            let result = catch_unwind(AssertUnwindSafe(|| backend.all(pairs, &control)));
            let mut state = lock(&state);
            state.finished = true;
            state.result = Some(result.unwrap_or_else(|_| Err(backend.broken())));
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        });
        pending
    }

    /// All kernels, tile by tile.
    fn all(&self, pairs: Pairs<'_>, control: &Control) -> Result<Kernels, BackendError> {
        let session = self.prepare(pairs, control)?;
        let [rows, cols] = [pairs.first().len(), pairs.second().len()];
        let [height, width] = session.tile_shape();
        let mut all = Kernels {
            nngp: Array2::zeros((rows, cols)),
            ntk: (self.plan().kinds == Kinds::Both).then(|| Array2::zeros((rows, cols))),
        };
        for row in (0..rows).step_by(height) {
            for col in (0..cols).step_by(width) {
                let (down, right) = (row..(row + height).min(rows), col..(col + width).min(cols));
                let tile = session.tile(down.clone(), right.clone(), control)?;
                let place = s![down, right];
                all.nngp.slice_mut(place).assign(&tile.nngp);
                if let (Some(all), Some(tile)) = (&mut all.ntk, &tile.ntk) {
                    all.slice_mut(place).assign(tile);
                }
            }
        }
        Ok(all)
    }

    fn broken(&self) -> BackendError {
        BackendError::Device {
            device: self.describe(),
            problem: "its driver or ekernel panicked".to_owned(),
            remedy: "please report it".to_owned(),
        }
    }
}

impl Future for Pending {
    type Output = Result<Kernels, BackendError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = lock(&self.state);
        match state.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !lock(&self.state).finished {
            self.control.cancel();
        }
    }
}
