//! Pairs per second of a session, all threads busy.

use std::time::Instant;

use ekernel_core::{BackendError, Control, Session};

use super::IMAGES;

/// Second images of a tile: a register of any instruction set.
const COLUMNS: usize = IMAGES / 2;

/// First images of a tile that takes about a third of `seconds`.
pub(super) fn rows(session: &dyn Session, seconds: f64) -> Result<usize, BackendError> {
    let started = Instant::now();
    session.tile(0..1, 0..COLUMNS, &Control::new())?;
    Ok(((seconds / 3.0 / started.elapsed().as_secs_f64()) as usize).clamp(1, IMAGES))
}

/// Every thread takes tile after tile of its own for `seconds`.
pub(super) fn pairs_per_second(
    session: &dyn Session,
    rows: usize,
    threads: usize,
    seconds: f64,
) -> Result<f64, BackendError> {
    let work = |thread: usize| {
        let (control, started, mut pairs) = (Control::new(), Instant::now(), 0);
        let columns = thread % 2 * COLUMNS..(thread % 2 + 1) * COLUMNS;
        loop {
            session.tile(0..rows, columns.clone(), &control)?;
            pairs += rows * COLUMNS;
            let elapsed = started.elapsed().as_secs_f64();
            if elapsed >= seconds {
                return Ok(pairs as f64 / elapsed);
            }
        }
    };
    if threads == 1 {
        return work(0);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .sum()
    })
}
