//! Memory for lanes, aligned to cache lines.

use std::ops::{Deref, DerefMut};

use crate::real::Real;

/// Zeroed `[[T; W]]` that starts on a 64-byte boundary. Lane transforms take any slice; one that is not aligned makes
/// every load of a full register touch two cache lines.
#[derive(Debug)]
pub struct LaneBuffer<T, const W: usize> {
    /// With room to move the start forward.
    storage: Vec<T>,
    start: usize,
    len: usize,
}

const ALIGNMENT: usize = 64;

impl<T: Real, const W: usize> LaneBuffer<T, W> {
    /// `len` lanes-wide zeros.
    pub fn zeros(len: usize) -> Self {
        let storage = vec![T::zero(); len * W + ALIGNMENT / size_of::<T>()];
        let start = storage.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT / size_of::<T>());
        Self { storage, start, len }
    }
}

impl<T, const W: usize> Deref for LaneBuffer<T, W> {
    type Target = [[T; W]];

    fn deref(&self) -> &Self::Target {
        self.storage[self.start..self.start + self.len * W].as_chunks().0
    }
}

impl<T, const W: usize> DerefMut for LaneBuffer<T, W> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.storage[self.start..self.start + self.len * W].as_chunks_mut().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_start_on_a_cache_line() {
        for len in [0, 1, 7, 1000] {
            let buffer = LaneBuffer::<f32, 16>::zeros(len);
            assert_eq!(buffer.len(), len);
            assert_eq!(buffer.as_ptr() as usize % ALIGNMENT, 0);
            assert_eq!(LaneBuffer::<f64, 4>::zeros(len).as_ptr() as usize % ALIGNMENT, 0);
        }
    }
}
