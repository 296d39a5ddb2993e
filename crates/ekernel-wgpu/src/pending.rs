//! Kernels as a future, for programs that must not block.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use ekernel_core::{Backend, BackendError, Control, KernelSet, Kernels, Pairs, Prepared, Progress};
use ndarray::{Array2, s};

use crate::{WgpuBackend, device::lock};

/// Kernels under way on a thread of their own, which feeds the device and waits for it. Dropped, the work is cancelled.
pub struct Pending {
    state: Arc<Mutex<State>>,
    control: Control,
}

#[derive(Default)]
struct State {
    /// Whether the thread is done; the result may have been taken since.
    finished: bool,
    result: Option<Result<Kernels, BackendError>>,
    waker: Option<Waker>,
}

impl WgpuBackend {
    /// Starts computing the kernels of all pairs; the future returns them.
    ///
    /// Progress is reported as by `ekernel-gram`: [`Progress::Pairs`] before the first and after every tile, [`Progress::Tile`] in between.
    ///
    /// The blocking entry points are [`Backend::prepare`] and [`Prepared::tile`].
    pub fn start(self: &Arc<WgpuBackend>, pairs: Pairs, control: &Control) -> Pending {
        let state = Arc::new(Mutex::new(State::default()));
        let pending = Pending { state: Arc::clone(&state), control: control.clone() };
        let (backend, control) = (Arc::clone(self), control.clone());
        let work = move || {
            let result = catch_unwind(AssertUnwindSafe(|| backend.all(&pairs, &control)));
            let mut state = lock(&state);
            state.finished = true;
            state.result = Some(result.unwrap_or_else(|_| {
                Err(backend.failed("its driver or ekernel panicked".to_owned(), "please report it"))
            }));
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        };
        if let Err(error) = std::thread::Builder::new().spawn(work) {
            let mut state = lock(&pending.state);
            state.finished = true;
            state.result =
                Some(Err(self.failed(format!("no thread for the work: {error}"), "end other programs")));
        }
        pending
    }

    fn all(&self, pairs: &Pairs, control: &Control) -> Result<Kernels, BackendError> {
        let session = self.prepare(pairs.clone(), control)?;
        tiled(session.as_ref(), pairs, self.plan().kinds, session.tile_shape(), control)
    }

    fn failed(&self, problem: String, remedy: &str) -> BackendError {
        BackendError::Device { device: self.describe(), problem, remedy: remedy.to_owned() }
    }
}

/// All kernels of a session, tile by tile; of samples with themselves those above the diagonal are mirrored.
fn tiled(
    session: &dyn Prepared,
    pairs: &Pairs,
    kinds: KernelSet,
    [height, width]: [usize; 2],
    control: &Control,
) -> Result<Kernels, BackendError> {
    let [rows, cols] = [pairs.first().len(), pairs.second().len()];
    let mut all = Kernels {
        nngp: Array2::zeros((rows, cols)),
        ntk: (kinds == KernelSet::Both).then(|| Array2::zeros((rows, cols))),
    };
    let symmetric = pairs.is_symmetric();
    let side = height.min(width);
    let [height, width] = if symmetric { [side, side] } else { [height, width] };
    let count = |rows: u64, cols: u64, half: bool| if half { rows * (rows + 1) / 2 } else { rows * cols };
    let (mut done, of) = (0, count(rows as u64, cols as u64, symmetric));
    control.report(Progress::Pairs { done, of });
    for row in (0..rows).step_by(height) {
        for col in (0..cols).step_by(width).filter(|col| !symmetric || *col >= row) {
            let (down, right) = (row..(row + height).min(rows), col..(col + width).min(cols));
            let mirrored = symmetric && col > row;
            let tile = session.tile(down.clone(), right.clone(), control)?;
            let put = |all: &mut Array2<f64>, tile: &Array2<f64>| {
                all.slice_mut(s![down.clone(), right.clone()]).assign(tile);
                if mirrored {
                    all.slice_mut(s![right.clone(), down.clone()]).assign(&tile.t());
                }
            };
            put(&mut all.nngp, &tile.nngp);
            if let (Some(all), Some(tile)) = (&mut all.ntk, &tile.ntk) {
                put(all, tile);
            }
            done += count(down.len() as u64, right.len() as u64, symmetric && !mirrored);
            control.report(Progress::Pairs { done, of });
        }
    }
    Ok(all)
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

#[cfg(test)]
mod tests {
    use ekernel_core::{Network, Samples};
    use ekernel_testnets::gpu;
    use ndarray::Array4;

    use super::*;
    use crate::{Device, WgpuOptions};

    /// Every pair is computed once, in whatever tiles, and told.
    #[test]
    fn all_pairs_are_computed_once_and_told() {
        let Some(adapter) = gpu::adapter() else { return };
        let Ok(choice) = adapter.parse();
        let device = gpu::opened(Device::open_blocking(&choice));
        let layers = "[[layers]]\nop = 'conv'\nfilter = [3, 3]\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'global_avg_pool'\n";
        let network: Network =
            format!("[input]\nspace = 'image'\nshape = [7, 7, 1]\n{layers}").parse().expect("a network");
        let backend =
            WgpuBackend::new(&network, KernelSet::Both, WgpuOptions::default(), device).expect("a plan");
        let images = |count| {
            Samples::Images(Array4::from_shape_fn((count, 7, 7, 1), |(n, r, c, _)| {
                (1.0 + (n * r + c) as f64).sin()
            }))
        };
        let (five, two) = (images(5), images(2));
        for (pairs, due) in [
            (Pairs::within(five.clone()), &[0, 3, 7, 9, 12, 14, 15][..]),
            (Pairs::cross(five, two), &[0, 4, 8, 10]),
        ] {
            let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
            let ear = Arc::clone(&told);
            let control = Control::with_progress(move |progress| lock(&ear).push(progress));
            let session = backend.prepare(pairs.clone(), &Control::new()).expect("prepared");
            let found = tiled(session.as_ref(), &pairs, KernelSet::Both, [2, 3], &control).expect("computed");
            let whole = session.tile(0..5, 0..pairs.second().len(), &Control::new()).expect("computed");
            assert_eq!(found, whole);
            let told = lock(&told);
            let done = |progress: &Progress| match progress {
                Progress::Pairs { done, of } => Some([*done, *of]),
                _ => None,
            };
            let pairs: Vec<[u64; 2]> = told.iter().filter_map(done).collect();
            assert_eq!(pairs, due.iter().map(|done| [*done, due[due.len() - 1]]).collect::<Vec<_>>());
            assert!(told.iter().any(|progress| matches!(progress, Progress::Tile { .. })), "{told:?}");
        }
    }
}
