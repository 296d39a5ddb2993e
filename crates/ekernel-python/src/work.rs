//! Long work beside the interpreter: other Python threads run meanwhile, and Ctrl-C stops it.

use std::{
    panic::resume_unwind,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{RecvTimeoutError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use ekernel_core::{CancelToken, Control, ProgressSink};
use ekernel_gram::{Pace, Reached};
use pyo3::{exceptions::PyRuntimeError, prelude::*};

use crate::failure::Failure;

/// How often signals are looked at and progress is shown.
const GLANCE: Duration = Duration::from_millis(50);

/// Runs `work` on a thread of its own, without the interpreter's lock.
///
/// Meanwhile the calling thread looks at signals and calls `progress(done, total)` with pairs of samples. Where either
/// raises, the work is cancelled, and the exception is returned once it has ended.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Control) -> Result<T, Failure> + Send,
) -> PyResult<T> {
    run_with(py, CancelToken::new(), progress, work)
}

/// The same with a token that the work looks at by other ways too.
pub(crate) fn run_with<T: Send>(
    py: Python<'_>,
    cancel: CancelToken,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Control) -> Result<T, Failure> + Send,
) -> PyResult<T> {
    let pace = Arc::new(Mutex::new(Pace::new()));
    let heard = Arc::clone(&pace);
    let sink = ProgressSink::new(move |progress| {
        heard.lock().unwrap_or_else(PoisonError::into_inner).observe(progress, Instant::now());
    });
    let control = Control { cancel, progress: sink };
    let mut shown = None;
    let mut show = |py: Python<'_>| -> PyResult<()> {
        let reached = pace.lock().unwrap_or_else(PoisonError::into_inner).reached();
        match (&progress, reached) {
            (Some(progress), Some(Reached { computing: true, done, of })) if shown != Some(done) => {
                shown = Some(done);
                progress.call1(py, (done, of)).map(drop)
            }
            _ => Ok(()),
        }
    };
    let outcome = py.detach(|| {
        thread::scope(|scope| {
            let (ended, end) = sync_channel(1);
            let control = &control;
            let worker = thread::Builder::new().name("ekernel".to_owned()).spawn_scoped(scope, move || {
                let result = work(control);
                // The receiver outlives the worker: it is dropped at the end of this scope.
                let _received = ended.send(());
                result
            });
            let worker = match worker {
                Ok(worker) => worker,
                Err(error) => {
                    return Err(PyRuntimeError::new_err(format!("no thread to compute on: {error}")));
                }
            };
            let mut interrupted = None;
            while let Err(RecvTimeoutError::Timeout) = end.recv_timeout(GLANCE) {
                if interrupted.is_some() {
                    continue;
                }
                if let Err(error) = Python::attach(|py| py.check_signals().and_then(|()| show(py))) {
                    control.cancel();
                    interrupted = Some(error);
                }
            }
            let result = worker.join().unwrap_or_else(|panic| resume_unwind(panic));
            match interrupted {
                Some(error) => Err(error),
                None => Ok(result?),
            }
        })
    })?;
    show(py)?;
    Ok(outcome)
}
