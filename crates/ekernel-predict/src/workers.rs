//! Threads that solve, and the token that stops them.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, OnceLock,
        mpsc::{RecvTimeoutError, sync_channel},
    },
    time::Duration,
};

use ekernel_core::CancelToken;
use faer::{Accum, Par, linalg::matmul::matmul};
use faer_ext::IntoFaer;
use ndarray::{Array2, ArrayView2, Axis};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::PredictError;

/// Multiplications that take a few milliseconds: shorter work runs on the calling thread.
const SHORT: f64 = 2e8;

/// Multiplications of a product between two looks at the token: about a tenth of a second of a core.
const STEP: f64 = 2e9;

/// How often the token is looked at while threads work.
const GLANCE: Duration = Duration::from_millis(20);

/// The threads that a machine is made and used on, and a token that stops them.
///
/// A [`Par`] is one without a token. Results have the same bits for every number of threads.
///
/// Long factorisations run on threads of their own. Once the token is cancelled, the call that waits for them returns
/// [`PredictError::Cancelled`] within a tenth of a second; the threads end their step, which nobody waits for.
/// ```
/// use ekernel_core::CancelToken;
/// use ekernel_predict::{KernelMachine, PredictError, Ridge, TrainingTime, Workers};
/// use ndarray::Array2;
///
/// let token = CancelToken::new();
/// let workers = Workers::new(2).cancelled_by(&token);
/// token.cancel(); // from any thread, at any time
/// let machine = KernelMachine::new(Array2::eye(3).view(), Ridge::NONE, TrainingTime::INFINITE, &workers);
/// assert_eq!(machine.unwrap_err(), PredictError::Cancelled);
/// ```
#[derive(Clone, Debug)]
pub struct Workers {
    par: Par,
    cancel: CancelToken,
    /// Made when it is first needed; nothing where the system has no threads left.
    pool: Arc<OnceLock<Option<ThreadPool>>>,
}

impl Workers {
    /// This many threads, at least one, and a token that nobody cancels.
    pub fn new(threads: usize) -> Workers {
        Workers::from(if threads <= 1 { Par::Seq } else { Par::rayon(threads) })
    }

    /// The same threads, stopped by `token`.
    #[must_use]
    pub fn cancelled_by(self, token: &CancelToken) -> Workers {
        Workers { cancel: token.clone(), ..self }
    }

    /// The number of threads, as faer takes it.
    pub(crate) fn par(&self) -> Par {
        self.par
    }

    /// Returns an error once the token is cancelled.
    pub(crate) fn check(&self) -> Result<(), PredictError> {
        if self.cancel.is_cancelled() { Err(PredictError::Cancelled) } else { Ok(()) }
    }

    /// Runs work of about this many multiplications; long work on the threads, left alone once the token is cancelled.
    pub(crate) fn run<R: Send + 'static>(
        &self,
        multiplications: f64,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, PredictError> {
        self.check()?;
        let pool = if multiplications < SHORT { None } else { self.pool() };
        let Some(pool) = pool else { return Ok(work()) };
        let (sender, receiver) = sync_channel(1);
        pool.spawn(move || {
            // Nobody receives what was left alone.
            let _left = sender.send(catch_unwind(AssertUnwindSafe(work)));
        });
        loop {
            match receiver.recv_timeout(GLANCE) {
                Ok(Ok(result)) => return Ok(result),
                Ok(Err(panic)) => resume_unwind(panic),
                Err(RecvTimeoutError::Timeout) => self.check()?,
                Err(RecvTimeoutError::Disconnected) => {
                    unreachable!("the job sends its result or its panic before it drops the sender")
                }
            }
        }
    }

    /// A·B, some rows at a time.
    pub(crate) fn product(
        &self,
        a: ArrayView2<'_, f64>,
        b: ArrayView2<'_, f64>,
    ) -> Result<Array2<f64>, PredictError> {
        let mut product = Array2::zeros((a.nrows(), b.ncols()));
        let row = (a.ncols() * b.ncols()) as f64;
        // A multiple of the rows of any register tile.
        let rows = ((STEP / row.max(1.0)) as usize).max(1).next_multiple_of(192);
        let blocks = product.axis_chunks_iter_mut(Axis(0), rows).zip(a.axis_chunks_iter(Axis(0), rows));
        for (target, a) in blocks {
            self.check()?;
            matmul(target.into_faer(), Accum::Replace, a.into_faer(), b.into_faer(), 1.0, self.par);
        }
        Ok(product)
    }

    fn pool(&self) -> Option<&ThreadPool> {
        let threads = self.par.degree().max(1);
        self.pool.get_or_init(|| ThreadPoolBuilder::new().num_threads(threads).build().ok()).as_ref()
    }
}

impl From<Par> for Workers {
    fn from(par: Par) -> Workers {
        Workers { par, cancel: CancelToken::new(), pool: Arc::default() }
    }
}

impl From<&Workers> for Workers {
    fn from(workers: &Workers) -> Workers {
        workers.clone()
    }
}
